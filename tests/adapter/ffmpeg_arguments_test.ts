import { assertEquals, assertThrows } from "@std/assert";
import {
  containerFormat,
  countDecodeErrors,
  ffmpegArguments,
  partName,
} from "../../adapter/ffmpeg_arguments.ts";
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
    "-disposition:v",
    "0",
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

Deno.test("countDecodeErrors() counts what ffmpeg could not decode, and nothing else", () => {
  const log = [
    "Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:/in/error.mp4':",
    "[mov,mp4 @ 0x55] Packet corrupt (stream = 0, dts = 3072).",
    "[NULL @ 0x55] Invalid NAL unit size (605 > 391).",
    "[h264 @ 0x55] error while decoding MB 3 4, bytestream -5",
    "frame=    1 fps=0.0 q=0.0 size=       0kB\rframe=  2 fps=0.0",
    "[libx264 @ 0x55] frame I:1     Avg QP:20.00",
  ].join("\n");
  assertEquals(countDecodeErrors(log), 3);
});
