/**
 * From a task of the queue to a job: every check that can be made before anything is started.
 *
 * @module
 */

import { dirname, resolve } from "@std/path";
import { ANY_COMMAND } from "../trace/adapter_protocol.ts";
import type { Task } from "../trace/task.ts";
import { ffmpegArguments, partName } from "./ffmpeg_arguments.ts";
import { type Job, JobRefusedError } from "./job.ts";
import { findProgram, refuseNul, resolveOutput } from "./job_paths.ts";

/** What a node allows its tasks. */
export interface JobRules {
  /** The only folder that tasks may write to, absolute. */
  readonly outputsDir: string;
  /** Where relative paths count from, absolute. */
  readonly root: string;
  /** Folders that bare program names are looked for in, as PATH has them. */
  readonly searchPath: string;
  /** Programs that tasks of kind command may run. */
  readonly allowedCommands: readonly string[];
}

/**
 * The job of `task`.
 *
 * @param spanId Identity of the attempt, part of the names of unfinished outputs.
 * @throws {JobRefusedError} saying what is wrong with the task.
 */
export function prepareJob(
  task: Task,
  { rules, spanId }: { readonly rules: JobRules; readonly spanId: string },
): Job {
  return task.kind === "ffmpeg" ? ffmpegJob(task, { rules, spanId }) : commandJob(task, rules);
}

function ffmpegJob(
  task: Task,
  { rules, spanId }: { readonly rules: JobRules; readonly spanId: string },
): Job {
  if (task.input === null || task.output === null) {
    throw new JobRefusedError("input and output are required");
  }
  refuseNul(task.input);
  const output = resolveOutput(task.output, rules);
  const input = resolve(rules.root, task.input);
  const writtenTo = partName(output, spanId);
  return {
    program: findProgram("ffmpeg", { searchPath: rules.searchPath, cwd: rules.root }),
    argv: ffmpegArguments(task, { input, writtenTo, output }),
    env: {},
    cwd: rules.root,
    inputPath: input,
    outputs: [{ path: output, writtenTo }],
  };
}

/** The working directory of a task: the outputs folder, or one below it. */
function workingFolder(cwd: string | null, rules: JobRules): string {
  if (cwd === null) return rules.outputsDir;
  try {
    return dirname(resolveOutput(`${cwd}/x`, rules));
  } catch (error) {
    if (!(error instanceof JobRefusedError)) throw error;
    throw new JobRefusedError(
      `cwd "${cwd}" must be inside the outputs folder "${rules.outputsDir}"`,
      { cause: error },
    );
  }
}

function commandJob(task: Task, rules: JobRules): Job {
  const [name = "", ...args] = task.argv ?? [];
  const { allowedCommands } = rules;
  if (!allowedCommands.includes(name) && !allowedCommands.includes(ANY_COMMAND)) {
    const allowed = rules.allowedCommands.join(", ") || "none";
    throw new JobRefusedError(
      `command "${name}" is not allowed on this node (allowed: ${allowed})`,
    );
  }
  const env = task.env ?? {};
  for (const text of [name, ...args, ...Object.entries(env).flat()]) refuseNul(text);
  const badName = Object.keys(env).find((variable) => variable === "" || variable.includes("="));
  if (badName !== undefined) {
    throw new JobRefusedError(`"${badName}" cannot be the name of a variable`);
  }
  const cwd = workingFolder(task.cwd, rules);
  const outputs = [...(task.outputs ?? []), ...(task.output === null ? [] : [task.output])];
  const inCwd = { outputsDir: rules.outputsDir, root: cwd };
  return {
    program: findProgram(name, { searchPath: rules.searchPath, cwd: rules.root }),
    argv: [name, ...args],
    env,
    cwd,
    inputPath: task.input === null ? null : resolve(rules.root, task.input),
    outputs: outputs.map((path) => resolveOutput(path, inCwd))
      .map((path) => ({ path, writtenTo: path })),
  };
}
