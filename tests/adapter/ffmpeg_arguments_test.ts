import { assertEquals, assertThrows } from "@std/assert";
import { containerFormat, ffmpegArguments, partName } from "../../adapter/ffmpeg_arguments.ts";
import { JobRefusedError } from "../../adapter/job.ts";
import { completeTask } from "../../trace/task.ts";

const FILES = { input: "/in/-a b.mp4", writtenTo: "/out/.x.mp4.ab.part", output: "/out/x.mp4" };

Deno.test("ffmpegArguments() writes the seeds' line, made safe", () => {
  const task = completeTask({ input: "i", output: "o", vthreads: 2, fthreads: 3 }, "test", "t");
  assertEquals(ffmpegArguments(task, FILES), [
    "ffmpeg",
    "-hide_banner",
    "-nostdin",
    "-y",
    "-protocol_whitelist",
    "file",
    "-i",
    "file:/in/-a b.mp4",
    "-vf",
    "scale=1280:720",
    "-c:v",
    "libx264",
    "-preset",
    "veryfast",
    "-crf",
    "28",
    "-threads:v",
    "2",
    "-filter_threads",
    "3",
    "-c:a",
    "copy",
    "-f",
    "mp4",
    "file:/out/.x.mp4.ab.part",
  ]);
});

Deno.test("ffmpegArguments() leaves out threads that the task does not name", () => {
  const task = completeTask({ input: "i", output: "o" }, "test", "t");
  const args = ffmpegArguments(task, FILES);
  assertEquals(args.filter((one) => one.includes("threads")), []);
});

Deno.test.each([["x.mp4", "mp4"], ["x.MKV", "matroska"], ["a.b.ts", "mpegts"]])(
  "containerFormat(%s) is %s",
  (output, format) => assertEquals(containerFormat(output), format),
);

Deno.test.each([["-version"], ["x"], ["x.avi"]])("containerFormat(%s) refuses it", (output) => {
  assertThrows(() => containerFormat(output), JobRefusedError, "must end in one of .mp4");
});

Deno.test("partName() is beside the output and is hidden", () => {
  assertEquals(partName("/out/x.mp4", "00f067aa0ba902b7"), "/out/.x.mp4.00f067aa0ba902b7.part");
});
