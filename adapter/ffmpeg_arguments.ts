/**
 * The ffmpeg command line of a task: the seeds' line, made safe.
 *
 * @module
 */

import { basename, dirname, extname, join } from "@std/path";
import type { Task } from "../trace/task.ts";
import { JobRefusedError } from "./job.ts";

/** ffmpeg's encoder of each codec. */
const ENCODERS = { h264: "libx264", hevc: "libx265" } as const;

/**
 * ffmpeg's container formats by file extension: those that hold H.264 and HEVC. The format is given
 * explicitly, because the file is written under another name than its own.
 */
const FORMATS: ReadonlyMap<string, string> = new Map([
  [".mp4", "mp4"],
  [".m4v", "mp4"],
  [".mov", "mov"],
  [".mkv", "matroska"],
  [".ts", "mpegts"],
  [".flv", "flv"],
]);

/**
 * The container format of an output.
 *
 * @throws {JobRefusedError} when its extension names none.
 */
export function containerFormat(output: string): string {
  const format = FORMATS.get(extname(output).toLowerCase());
  if (format !== undefined) return format;
  const known = [...FORMATS.keys()].join(", ");
  throw new JobRefusedError(`output "${output}" must end in one of ${known}`);
}

/** Longest name of a file, bytes: NAME_MAX of limits.h, on every file system of Linux that is in use. */
const NAME_MAX_BYTES = 255;

/**
 * The path under which an output is written until it is whole: beside it, so that a rename does. Of a
 * long name only so much is in it that the whole is not too long.
 */
export function partName(output: string, spanId: string): string {
  const end = `.${spanId}.part`;
  const bytes = new Uint8Array(NAME_MAX_BYTES - end.length - 1);
  // Cut at a whole character.
  const { read } = new TextEncoder().encodeInto(basename(output), bytes);
  return join(dirname(output), `.${basename(output).slice(0, read)}${end}`);
}

/** Absolute paths that ffmpeg reads and writes. */
export interface FfmpegFiles {
  /** What it reads. */
  readonly input: string;
  /** Where it writes. */
  readonly writtenTo: string;
  /** What the file is called in the end. */
  readonly output: string;
}

/**
 * Arguments of ffmpeg for `task`, its own name first.
 *
 * Both files carry the prefix `file:`, so that no name can be an option or another protocol, and an
 * input that is a playlist may name files only.
 *
 * @throws {JobRefusedError} when the output's extension names no container format.
 */
export function ffmpegArguments(task: Task, { input, writtenTo, output }: FfmpegFiles): string[] {
  const option = (name: string, value: string | number | null): string[] =>
    value === null ? [] : [name, String(value)];
  return [
    "ffmpeg",
    "-hide_banner",
    "-nostdin",
    "-y",
    "-protocol_whitelist",
    "file",
    "-i",
    `file:${input}`,
    ...option("-vf", task.scale && `scale=${task.scale}`),
    ...option("-c:v", task.vcodec && ENCODERS[task.vcodec]),
    ...option("-preset", task.preset),
    ...option("-crf", task.crf),
    ...option("-threads:v", task.vthreads),
    ...option("-filter_threads", task.fthreads),
    "-c:a",
    "copy",
    // Cover art is encoded as any picture: as an attached one, the container would refuse its codec.
    "-disposition:v",
    "0",
    "-f",
    containerFormat(output),
    `file:${writtenTo}`,
  ];
}

/** What ffmpeg says of input that it could not decode, and goes past. */
const DECODE_ERROR =
  /Packet corrupt|Invalid NAL|error while decoding|Error submitting packet|concealing \d|corrupt (?:decoded|input)|partial file|missing picture/i;

/** Lines of ffmpeg's log that tell of input which could not be decoded. */
export function countDecodeErrors(log: string): number {
  return log.split(/[\r\n]/).filter((line) => DECODE_ERROR.test(line)).length;
}
