/**
 * From a task of the queue to a job: every check that can be made before anything is started.
 *
 * @module
 */

import { dirname, resolve } from "@std/path";
import { ANY_COMMAND } from "../trace/adapter_protocol.ts";
import { ERRNO, isErrno } from "../trace/linux/errno.ts";
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
  /** Names of variables that they may set; one that ends in `*` stands for all that begin so. */
  readonly allowedVariables: readonly string[];
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
  refuseFolder(output);
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

/**
 * Refuse an output that cannot take its name in the end: better before the work than after it.
 *
 * @throws {JobRefusedError} when a folder has the name.
 * @throws {Error} with an errno when no file can have it.
 */
function refuseFolder(output: string): void {
  try {
    if (!Deno.lstatSync(output).isDirectory) return;
  } catch (error) {
    if (isErrno(error, ERRNO.ENOENT)) return;
    throw error;
  }
  throw new JobRefusedError(`output "${output}" must be a file: there is a folder of this name`);
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

/**
 * Refuse variables that the node does not allow: LD_PRELOAD, PATH, PYTHONSTARTUP and the like have an
 * allowed program run one that is not.
 */
function refuseVariables(names: readonly string[], { allowedVariables }: JobRules): void {
  const isAllowed = (name: string): boolean =>
    allowedVariables.some((one) =>
      one.endsWith("*") ? name.startsWith(one.slice(0, -1)) : one === name
    );
  const refused = names.find((name) => !isAllowed(name));
  if (refused === undefined) return;
  const allowed = allowedVariables.join(", ") || "none";
  throw new JobRefusedError(
    `variable "${refused}" is not allowed on this node (allowed: ${allowed}; --allow-env)`,
  );
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
  refuseVariables(Object.keys(env), rules);
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
