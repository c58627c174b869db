/**
 * Reading what a dispatch is made of: profiles, inputs, files of tasks, durations, arrival times.
 */

import { join } from "@std/path";
import {
  type Arrivals,
  parseArrivalFile,
  poissonOffsets,
  regularOffsets,
} from "../../scheduler/dispatch/arrivals.ts";
import { parseDispatchId, planLine, planTasks } from "../../scheduler/dispatch/plan.ts";
import { parseMix } from "../../scheduler/dispatch/mix.ts";
import { messageOf } from "../../trace/atomic_file.ts";
import { errnoOf } from "../../trace/linux/errno.ts";
import { readMp4Duration } from "../../scheduler/dispatch/mp4_duration.ts";
import {
  BUILT_IN_PROFILES,
  decodeProfiles,
  type Profiles,
} from "../../scheduler/dispatch/profiles.ts";
import { PythonRandom } from "../../scheduler/dispatch/python_random.ts";
import { readRecords } from "../../trace/json_lines.ts";
import { readRecordFile } from "../../trace/record_file.ts";
import { runIdAt } from "../../trace/run_dir.ts";
import type { Task } from "../../trace/task.ts";
import { asUsage, UsageError } from "../command/usage_error.ts";
import { CommandError } from "../command/main.ts";
import type { DispatchFlags } from "../flags/dispatch.ts";

/** The tasks of a dispatch and what makes the same ones again. */
export interface Work {
  /** The tasks, in the order of submission. */
  readonly tasks: readonly Task[];
  /** The dispatch, part of each task's id. */
  readonly dispatchId: string;
  /** The seed in force: that of the flag, or the one drawn for an unseeded dispatch. */
  readonly seed: number;
  /** Told of inputs that are left out, or of which something is not known. */
  readonly report: (line: string) => void;
}

/** The work that `options` describe. */
export async function readWork(
  options: DispatchFlags,
  report: (line: string) => void,
): Promise<Work> {
  const given = options["dispatch-id"];
  const dispatchId = asUsage(() => parseDispatchId(given ?? freshDispatchId()));
  const isRandom = options.mix !== null || options.arrivals?.startsWith("poisson:") === true;
  if (given !== null && options.seed === 0 && isRandom) {
    throw new UsageError("--dispatch-id needs --seed: a resumed dispatch must draw the same again");
  }
  const seed = options.seed === 0 ? freshSeed() : options.seed;
  const profiles = await readProfiles(options.profiles);
  const tasks = options.tasks === null
    ? await tasksOfInputs(options, { dispatchId, seed, profiles, report })
    : await tasksOfFile(options.tasks, { dispatchId, profiles });
  return { tasks, dispatchId, seed, report };
}

interface WorkContext {
  readonly dispatchId: string;
  readonly seed: number;
  readonly profiles: Profiles;
  /** Told of each input that is left out. */
  readonly report: (line: string) => void;
}

async function tasksOfInputs(options: DispatchFlags, context: WorkContext): Promise<Task[]> {
  if (options.inputs === null) {
    throw new UsageError("--inputs DIR is required (or --tasks FILE)");
  }
  const { scale, preset, crf, total, outputs } = options;
  const mixText = options.mix;
  const mix = mixText === null ? null : asUsage(() => parseMix(mixText, context.profiles));
  const inputs = await listInputs(options.inputs, {
    suffix: options["input-suffix"],
    report: context.report,
  });
  try {
    return planTasks(inputs, {
      outputs,
      dispatchId: context.dispatchId,
      mix,
      total,
      random: new PythonRandom(context.seed),
      single: { scale, preset, crf },
    });
  } catch (error) {
    // A --scale, --preset or --crf that no task may have.
    if (error instanceof TypeError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** Files of `folder` that end in `suffix`, whatever its case; those that cannot be used are told. */
async function listInputs(
  folder: string,
  { suffix, report }: { readonly suffix: string; readonly report: (line: string) => void },
): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory || !name.toLowerCase().endsWith(suffix.toLowerCase())) continue;
      const problem = await inputProblem(join(folder, name));
      if (problem === null) names.push(name);
      else report(`left out: "${join(folder, name)}" ${problem}`);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      throw new CommandError(`there is no folder "${folder}"; ${MAKE_INPUTS}`, { cause: error });
    }
    throw error;
  }
  if (names.length === 0) {
    throw new CommandError(`there is no *${suffix} in "${folder}"; ${MAKE_INPUTS}`);
  }
  return names.sort().map((name) => join(folder, name));
}

/** Why a file cannot be an input; null: it can. */
async function inputProblem(path: string): Promise<string | null> {
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile) return "is not a file";
    return size === 0 ? "is empty" : null;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    // A name that is not UTF-8 is not the name of the file once it has been read as text.
    if (path.includes("\ufffd")) return "has a name that is not UTF-8: rename it";
    return `cannot be read: ${messageOf(error)}`;
  }
}

const MAKE_INPUTS = "make test videos with: deno task generate-inputs --out DIR";

async function tasksOfFile(
  path: string,
  { dispatchId, profiles }: Pick<WorkContext, "dispatchId" | "profiles">,
): Promise<Task[]> {
  const tasks: Task[] = [];
  const ids = new Set<string>();
  const records = readRecords(path, {
    isPipeTaken: true,
    decode: (value, where) => planLine(value, { where, dispatchId, index: tasks.length, profiles }),
    onBadLine: ({ line, reason }) => {
      throw new CommandError(`cannot use "${path}" line ${line}: ${reason}`);
    },
  });
  for await (const task of records) {
    if (ids.has(task.task_id)) {
      throw new CommandError(`cannot use "${path}": task_id "${task.task_id}" is given twice`);
    }
    ids.add(task.task_id);
    tasks.push(task);
  }
  if (tasks.length === 0) throw new CommandError(`there is no task in "${path}"`);
  return tasks;
}

/** The built-in profiles and those of a file, which may not take a name of theirs. */
async function readProfiles(path: string | null): Promise<Profiles> {
  if (path === null) return BUILT_IN_PROFILES;
  const own = await readRecordFile(path, decodeProfiles);
  if (own === null) throw new CommandError(`there is no file of profiles "${path}"`);
  for (const name of own.keys()) {
    if (BUILT_IN_PROFILES.has(name)) {
      throw new CommandError(`cannot use "${path}": "${name}" is a built-in profile`);
    }
  }
  return new Map([...BUILT_IN_PROFILES, ...own]);
}

/**
 * Duration of the input of each task, by its header, s; 0 for a task without an input, and for one whose
 * header does not tell it (a fragmented file), which is told.
 */
export async function readDurations(
  tasks: readonly Task[],
  report: (line: string) => void,
): Promise<(task: Task) => number> {
  const durations = new Map<string | null, number>();
  const problems: string[] = [];
  for (const { input } of tasks) {
    if (input === null || durations.has(input)) continue;
    durations.set(input, await durationOf(input, problems));
  }
  if (problems.length > 0 && problems.length === durations.size) {
    throw new CommandError(problems[0] ?? "no input tells its duration");
  }
  for (const problem of problems) report(`taken as the shortest: ${problem}`);
  return ({ input }) => durations.get(input) ?? 0;
}

async function durationOf(input: string, problems: string[]): Promise<number> {
  try {
    return await readMp4Duration(input);
  } catch (error) {
    if (!(error instanceof SyntaxError) && errnoOf(error) === null) throw error;
    problems.push(messageOf(error));
    return 0;
  }
}

/**
 * Added to the seed of a dispatch for its arrival times: it is above any seed that a flag can give, so
 * that mix and arrivals of no two seeds share a stream of random numbers.
 */
const ARRIVAL_STREAM = 2n ** 64n;

/** When each of `count` tasks arrives, ms from the start. */
export async function readArrivals(
  arrivals: Arrivals,
  { count, seed }: { readonly count: number; readonly seed: number },
): Promise<number[]> {
  switch (arrivals.kind) {
    case "every":
      return regularOffsets(count, arrivals.intervalS);
    case "poisson": {
      const random = new PythonRandom(BigInt(seed) + ARRIVAL_STREAM);
      return poissonOffsets(count, { ratePerS: arrivals.ratePerS, random });
    }
    case "file": {
      const { path } = arrivals;
      const offsets = parseArrivalFile(await Deno.readTextFile(path), path);
      if (offsets.length < count) {
        throw new CommandError(
          `"${path}" has ${offsets.length} arrivals for ${count} tasks: give --total or more arrivals`,
        );
      }
      return offsets;
    }
  }
}

/** A dispatch that nobody named: the time, and four letters against two in one second. */
export function freshDispatchId(): string {
  const letters = crypto.getRandomValues(new Uint8Array(4));
  const suffix = [...letters].map((one) => "abcdefghijklmnopqrstuvwxyz234567"[one % 32]).join("");
  return `${runIdAt(Date.now())}-${suffix}`;
}

/** A seed for an unseeded dispatch, never 0. */
function freshSeed(): number {
  return 1 + (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0);
}
