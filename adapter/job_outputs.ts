/**
 * The files that a job leaves: made whole under their names after success, gone after a failure.
 *
 * @module
 */

import { dirname } from "@std/path";
import { messageOf } from "../trace/atomic_file.ts";
import { errnoOf } from "../trace/linux/errno.ts";
import type { Job } from "./job.ts";
import { fileSize, removeFile } from "./run_files.ts";

/** What became of a job's outputs. */
export interface OutputsResult {
  /** What is wrong with them, or null. */
  readonly problem: string | null;
  /** Their size together; null: there are none. */
  readonly bytes: number | null;
}

/** Make the folders of the outputs. */
export function prepareOutputs(job: Job): void {
  for (const { path } of job.outputs) Deno.mkdirSync(dirname(path), { recursive: true });
}

/** Give each output its name, in a job that succeeded. */
export function acceptOutputs(job: Job): OutputsResult {
  if (job.outputs.length === 0) return { problem: null, bytes: null };
  try {
    let bytes = 0;
    for (const { writtenTo, path } of job.outputs) {
      if (writtenTo !== path) Deno.renameSync(writtenTo, path);
      bytes += Deno.statSync(path).size;
    }
    return { problem: null, bytes };
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    dropOutputs(job);
    return { problem: `it did not leave its output: ${messageOf(error)}`, bytes: null };
  }
}

/** Remove what a failed job left unfinished; a command's own files are its user's. */
export function dropOutputs(job: Job): OutputsResult {
  const problems = partFiles(job).map(removalProblem).filter((one) => one !== null);
  return { problem: problems[0] ?? null, bytes: null };
}

function removalProblem(path: string): string | null {
  try {
    removeFile(path);
    return null;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return `its unfinished output could not be removed: ${messageOf(error)}`;
  }
}

/** Size of a job's input, or null when it has none or it cannot be read. */
export function inputSize(job: Job): number | null {
  return job.inputPath === null ? null : fileSize(job.inputPath);
}

/** What a job leaves unfinished when it is cut off. */
export function partFiles(job: Job): string[] {
  return job.outputs.filter(({ writtenTo, path }) => writtenTo !== path)
    .map(({ writtenTo }) => writtenTo);
}
