/** Tasks of kind ffmpeg, with the real ffmpeg. */

import { join } from "@std/path";
import { assert, assertEquals, assertGreater, assertMatch, assertNotMatch } from "@std/assert";
import { startAdapter } from "../support/adapter_process.ts";
import { waitFor } from "../support/wait_for.ts";

async function ffmpeg(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("ffmpeg", {
    args: ["-hide_banner", "-loglevel", "error", "-nostdin", ...args],
    stderr: "piped",
  }).output();
  assertEquals(success, true, new TextDecoder().decode(stderr));
}

/** A video of half a second. */
async function makeVideo(path: string): Promise<void> {
  const source = ["-f", "lavfi", "-i", "testsrc=size=128x72:rate=10:duration=0.5"];
  await ffmpeg(...source, "-pix_fmt", "yuv420p", "-f", "mp4", `file:${path}`);
}

const SMALL = { scale: "64:36", preset: "ultrafast" };

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("an ffmpeg task writes its output beside and renames it", async () => {
  await using adapter = await startAdapter();
  // A name that would be an option, were it not made safe.
  await makeVideo(join(adapter.root, "-y.mp4"));
  const fields = { input: "-y.mp4", output: "outputs/x.mp4", ...SMALL, vthreads: 1, fthreads: 1 };
  const outcome = await adapter.run(fields);
  assert(outcome.kind === "exited" && outcome.isDone, Deno.inspect(outcome));
  const { bytes_in, bytes_out, input, output, path, module_id } = outcome.event;
  assertEquals([input, output, path, module_id], ["-y.mp4", "outputs/x.mp4", "ffmpeg", "ffmpeg"]);
  assertEquals(bytes_in, (await Deno.stat(join(adapter.root, "-y.mp4"))).size);
  assertEquals(bytes_out, (await Deno.stat(join(adapter.root, "outputs/x.mp4"))).size);
  assertGreater(bytes_out ?? 0, 0);
  assertEquals(namesIn(join(adapter.root, "outputs")), ["x.mp4"]);
});

Deno.test("an ffmpeg task that fails leaves the old output, and ffmpeg's own last lines", async () => {
  await using adapter = await startAdapter();
  await Deno.writeTextFile(join(adapter.root, "bad.mp4"), "this is no video");
  await Deno.writeTextFile(join(adapter.root, "outputs/x.mp4"), "old");
  const outcome = await adapter.run({ input: "bad.mp4", output: "x.mp4", ...SMALL });
  assert(outcome.kind === "exited" && !outcome.isDone);
  assertMatch(outcome.event.stderr_tail ?? "", /bad.mp4: Invalid data found/);
  assertEquals(await Deno.readTextFile(join(adapter.root, "outputs/x.mp4")), "old");
  assertEquals(namesIn(join(adapter.root, "outputs")), ["x.mp4"]);
});

Deno.test("an ffmpeg task that is stopped leaves no half-written file", async () => {
  await using adapter = await startAdapter();
  await makeVideo(join(adapter.root, "in.mp4"));
  const long = join(adapter.root, "long.mp4");
  await ffmpeg("-stream_loop", "2000", "-i", join(adapter.root, "in.mp4"), "-c", "copy", long);
  const task = adapter.task({
    input: "long.mp4",
    output: "x.mp4",
    scale: "1920:1080",
    preset: "slow",
  });
  const launch = adapter.client.launch(task);
  await waitFor({
    what: "the unfinished output",
    read: () => namesIn(join(adapter.root, "outputs")),
    until: ([name]) => name?.endsWith(".part") ?? false,
  });
  launch.stop({ reason: "enough", graceMs: 0 });
  const outcome = await launch.outcome;
  assert(outcome.kind === "exited" && !outcome.isDone);
  assertEquals(outcome.event.reason, "enough");
  assertEquals(namesIn(join(adapter.root, "outputs")), []);
});

Deno.test("an ffmpeg task reads files and no other protocol, whatever its input says", async () => {
  await using adapter = await startAdapter();
  const segment = "#EXTINF:1,\nhttp://127.0.0.1:9/x.ts";
  const playlist = `#EXTM3U\n#EXT-X-TARGETDURATION:1\n${segment}\n#EXT-X-ENDLIST\n`;
  await Deno.writeTextFile(join(adapter.root, "list.m3u8"), playlist);
  for (const input of ["list.m3u8", "http://127.0.0.1:9/x.mp4", "concat:list.m3u8", "pipe:0"]) {
    const outcome = await adapter.run({ input, output: "x.mp4", ...SMALL });
    assert(outcome.kind === "exited" && !outcome.isDone);
    assertNotMatch(outcome.event.stderr_tail ?? "", /Connection refused/, input);
  }
});

Deno.test("an ffmpeg task encodes cover art, and counts what it could not decode", async () => {
  await using adapter = await startAdapter();
  const at = (name: string): string => join(adapter.root, name);
  const video = ["-f", "lavfi", "-i", "testsrc=size=128x72:rate=10:duration=3"];
  await ffmpeg(...video, "-pix_fmt", "yuv420p", "-movflags", "+faststart", at("whole.mp4"));
  const bytes = await Deno.readFile(at("whole.mp4"));
  await Deno.writeFile(at("cut.mp4"), bytes.subarray(0, Math.floor(bytes.length * 0.7)));
  const cut = await adapter.exitOf({ input: "cut.mp4", output: "cut.mp4", ...SMALL });
  assertEquals(cut.status, 0);
  assertGreater(cut.decode_errors ?? 0, 0);
  const art = ["-f", "lavfi", "-i", "testsrc=s=64x64:r=1:d=1", "-frames:v", "1", at("art.png")];
  await ffmpeg(...art);
  const sound = ["-f", "lavfi", "-i", "sine=d=0.2", "-i", at("art.png"), "-map", "0", "-map", "1"];
  const codecs = ["-c:a", "aac", "-c:v", "mjpeg", "-disposition:v:0", "attached_pic"];
  await ffmpeg(...sound, ...codecs, at("cover.mp4"));
  const cover = await adapter.exitOf({ input: "cover.mp4", output: "cover.mp4", ...SMALL });
  assertEquals([cover.status, cover.decode_errors], [0, 0]);
});
