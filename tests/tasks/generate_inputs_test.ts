import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { parseCommand } from "../../tasks/command/parse.ts";
import { UsageError } from "../../tasks/command/usage_error.ts";
import { CommandError } from "../../tasks/command/main.ts";
import { main } from "../../tasks/generate_inputs.ts";
import { generateInputs, type GenerateOptions } from "../../tasks/inputs/generate.ts";
import { GENERATE_INPUTS } from "../../tasks/flags/generate_inputs.ts";
import { CAN_MOUNT, tinyFilesystem } from "../support/tiny_filesystem.ts";
import { recordingIo } from "../support/recording_io.ts";
import { tempFolder } from "../support/temp_folder.ts";

const TINY: Omit<GenerateOptions, "out"> = {
  durationsS: [1],
  perDuration: 5,
  width: 64,
  height: 48,
  seed: 1,
  jobs: 2,
};

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

async function probe(path: string, entries: string): Promise<string> {
  const { stdout } = await new Deno.Command("ffprobe", {
    args: ["-v", "error", "-show_entries", entries, "-of", "csv=p=0", path],
  }).output();
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("generateInputs() makes every pattern as asked: codec, size, rate, key frames", async () => {
  await using folder = await tempFolder();
  const out = folder.path;
  const { paths, made } = await generateInputs({ ...TINY, durationsS: [7], out }, recordingIo());
  assertEquals(made, 5);
  assertEquals(await namesIn(out), [
    "007s_00_gradient_none.mp4",
    "007s_01_noise_low.mp4",
    "007s_02_moving_medium.mp4",
    "007s_03_mandelbrot_none.mp4",
    "007s_04_plasma_low.mp4",
  ]);
  for (const path of paths) {
    const entries = "stream=codec_name,width,height,pix_fmt,r_frame_rate,nb_frames";
    assertEquals(await probe(path, entries), "h264,64,48,yuv420p,30/1,210");
    const keys = (await probe(path, "packet=flags")).split("\n")
      .flatMap((flags, index) => flags.startsWith("K") ? [index] : []);
    assertEquals(keys, [0, 90, 180]);
  }
});

Deno.test("generateInputs() reaches the bit rate with every pattern, plain ones too", async () => {
  await using folder = await tempFolder();
  const out = folder.path;
  const size = { width: 640, height: 360 };
  const set = { ...TINY, ...size, durationsS: [8], out };
  const { paths } = await generateInputs(set, recordingIo());
  const wanted = 8_000_000 * (640 * 360) / (1920 * 1080);
  for (const path of paths) {
    const ratio = Number(await probe(path, "format=bit_rate")) / wanted;
    // The rate control may run a buffer of two seconds ahead or behind: a quarter of eight.
    assert(ratio > 0.75 && ratio < 1.25, `${path} has ${ratio} of the rate`);
  }
});

Deno.test("generateInputs() keeps what is valid and makes the rest again", async () => {
  await using folder = await tempFolder();
  const out = folder.path;
  const first = await generateInputs({ ...TINY, out }, recordingIo());
  const [whole = "", broken = "", gone = ""] = first.paths;
  const kept = await Deno.stat(whole);
  await Deno.truncate(broken, 500);
  await Deno.remove(gone);
  const second = await generateInputs({ ...TINY, out }, recordingIo());
  assertEquals(second.made, 2);
  assertEquals((await Deno.stat(whole)).mtime, kept.mtime);
  const otherSeed = await generateInputs({ ...TINY, seed: 9, out }, recordingIo());
  assertEquals(otherSeed.made, 5);
});

Deno.test("generateInputs() leaves nothing half-made when interrupted, and continues later", async () => {
  await using folder = await tempFolder();
  const out = folder.path;
  const io = recordingIo();
  const long = { ...TINY, durationsS: [1, 100_000], perDuration: 1, out };
  const running = generateInputs(long, io);
  // The first finished file shows that the long one, begun before it, is under way.
  for await (const { paths, kind } of Deno.watchFs(out)) {
    if (kind === "rename" && paths.some((path) => path.endsWith("1s_00_gradient_none.mp4"))) {
      break;
    }
  }
  io.interrupt();
  await assertRejects(() => running, CommandError, "interrupted: 1 of 2 videos");
  assertEquals(await namesIn(out), ["001s_00_gradient_none.mp4"]);
});

Deno.test(
  "generateInputs() says when the disk is full, and leaves nothing half-made",
  { ignore: !CAN_MOUNT },
  async () => {
    await using disk = await tinyFilesystem({ bytes: 200_000 });
    const big = { ...TINY, width: 640, height: 360, durationsS: [4], out: disk.path };
    const full = "No space left on device";
    await assertRejects(() => generateInputs(big, recordingIo()), CommandError, full);
    assertEquals(await namesIn(disk.path), []);
  },
);

Deno.test("generateInputs() removes what a killed generator left", async () => {
  await using folder = await tempFolder();
  const out = folder.path;
  // Above the largest pid that Linux gives (PID_MAX_LIMIT), and our own.
  await Deno.writeTextFile(join(out, "a.mp4.tmp-4194305"), "");
  await Deno.writeTextFile(join(out, `b.mp4.tmp-${Deno.pid}`), "");
  await generateInputs({ ...TINY, perDuration: 1, out }, recordingIo());
  assertEquals(await namesIn(out), ["001s_00_gradient_none.mp4", `b.mp4.tmp-${Deno.pid}`]);
});

for (const wrong of [["--durations=1,x"], ["--durations=0"], ["--size=640"], ["--size=641x360"]]) {
  Deno.test(`generate-inputs ${wrong} is a usage error`, async () => {
    const parsed = parseCommand(GENERATE_INPUTS, wrong, { env: {}, runIdEnv: {} });
    await assertRejects(() => main(parsed, recordingIo()), UsageError, "must be");
  });
}

Deno.test("generate-inputs says what to do where ffmpeg is missing", async () => {
  const run = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "-q", "tasks/generate_inputs.ts", "--out", "/nowhere"],
    env: { PATH: "/nowhere" },
  });
  const { code, stderr } = await run.output();
  assertEquals(code, 1);
  assertEquals(
    new TextDecoder().decode(stderr),
    "generate-inputs: ffmpeg and ffprobe missing; run: deno task setup\n",
  );
});
