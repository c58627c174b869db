import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { parseMvhd, readMp4Duration } from "../../../scheduler/dispatch/mp4_duration.ts";
import { tempFolder } from "../../support/temp_folder.ts";

async function makeVideo(path: string, ...flags: readonly string[]): Promise<void> {
  const source = ["-f", "lavfi", "-i", "color=s=32x32:r=25", "-t", "1.52"];
  const { success } = await new Deno.Command("ffmpeg", {
    args: ["-v", "error", ...source, "-c:v", "libx264", ...flags, path],
  }).output();
  assertEquals(success, true);
}

Deno.test("readMp4Duration() finds the header at the end and at the start", async () => {
  await using temp = await tempFolder();
  const folder = temp.path;
  await makeVideo(join(folder, "end.mp4"));
  await makeVideo(join(folder, "start.mp4"), "-movflags", "+faststart");
  assertAlmostEquals(await readMp4Duration(join(folder, "end.mp4")), 1.52, 0.001);
  assertAlmostEquals(await readMp4Duration(join(folder, "start.mp4")), 1.52, 0.001);
});

Deno.test("readMp4Duration() says which file has no duration", async () => {
  await using temp = await tempFolder();
  const folder = temp.path;
  await makeVideo(join(folder, "whole.mp4"));
  const whole = await Deno.readFile(join(folder, "whole.mp4"));
  const broken: readonly (readonly [name: string, bytes: Uint8Array])[] = [
    ["empty.mp4", new Uint8Array()],
    ["text.mp4", new TextEncoder().encode("this is not a video at all, but long enough")],
    ["cut.mp4", whole.subarray(0, whole.length / 2)],
    ["zeros.mp4", new Uint8Array(4096)],
  ];
  for (const [name, bytes] of broken) {
    const path = join(folder, name);
    await Deno.writeFile(path, bytes);
    await assertRejects(() => readMp4Duration(path), SyntaxError, `duration of "${path}"`);
  }
});

Deno.test("parseMvhd() reads both versions of the box", () => {
  const short = new DataView(new ArrayBuffer(32));
  short.setUint32(12, 600);
  short.setUint32(16, 1500);
  assertEquals(parseMvhd(new Uint8Array(short.buffer)), 2.5);
  const long = new DataView(new ArrayBuffer(32));
  long.setUint8(0, 1);
  long.setUint32(20, 1000);
  long.setBigUint64(24, 5_000_000_000n);
  assertEquals(parseMvhd(new Uint8Array(long.buffer)), 5_000_000);
  assertEquals(parseMvhd(new Uint8Array(32)), null);
});
