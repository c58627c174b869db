/**
 * The tasks of one `submit`: a command line, repeated over items. Pure.
 */

import { DecodeError, quote } from "../../trace/schema.ts";
import { completeTask, type Task } from "../../trace/task.ts";
import { asUsage, UsageError } from "../command/usage_error.ts";

/** Most tasks of one submit: each is held in memory and named on stdout. */
const TASKS_MAX = 1_000_000;

/** One task of a submit, before its command is filled in. */
export interface Item {
  /** What `{}` stands for. */
  readonly text: string;
  /** What `%{i}` stands for: the number of an array, else the place from 1. */
  readonly index: number;
}

/** What all tasks of a submit have in common. */
export interface SubmitPlan {
  /** Program and arguments, with `{}` and `%{i}`. */
  readonly argv: readonly string[];
  /** Environment added, with the same. */
  readonly env: Readonly<Record<string, string>>;
  /** The dispatch that the tasks belong to: prefix of their ids. */
  readonly dispatchId: string;
  /** Name of this kind of task; null: the program. */
  readonly name: string | null;
  /** vCPUs that each reserves. */
  readonly cpus: number;
  /** Time after which a task is ended, s; null: none. */
  readonly timeoutS: number | null;
}

/**
 * `1-100`, `1-100:2` or `3,7,9` as items.
 *
 * @throws {UsageError} when it is none of these.
 */
export function parseArray(spec: string): Item[] {
  const numbers = spec.split(",").flatMap((part) => {
    const [, from, to = from, step = "1"] = /^(\d+)(?:-(\d+))?(?::(\d+))?$/.exec(part) ?? [];
    const count = Math.floor((Number(to) - Number(from)) / Number(step)) + 1;
    if (from === undefined || !(count >= 1 && count <= TASKS_MAX)) {
      throw new UsageError(`--array: 1-100, 1-100:2 or 3,7,9 is required, got ${quote(spec)}`);
    }
    return Array.from({ length: count }, (_, at) => Number(from) + at * Number(step));
  });
  return numbers.map((number) => ({ text: String(number), index: number }));
}

/** Items of a list of texts. */
export function itemsOf(texts: readonly string[]): Item[] {
  return texts.map((text, at) => ({ text, index: at + 1 }));
}

/**
 * `A=1,B=two words` as variables; a comma separates where a name and `=` follow it.
 *
 * @throws {UsageError} when a part is not NAME=VALUE.
 */
export function parseVariables(text: string | null): Record<string, string> {
  if (text === null) return {};
  return Object.fromEntries(
    text.split(/,(?=[A-Za-z_]\w*=)/).map((part) => {
      const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(part) ?? [];
      if (name !== undefined && value !== undefined) return [name, value];
      throw new UsageError(`--env: NAME=VALUE,… is required, got ${quote(part)}`);
    }),
  );
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * `90`, `90s`, `10m`, `2h` or `1d` in seconds.
 *
 * @throws {UsageError} when it is none of these.
 */
export function parseTimeLimit(text: string | null): number | null {
  if (text === null) return null;
  const [, value, unit = "s"] = /^(\d+(?:\.\d+)?)([smhd])?$/.exec(text) ?? [];
  if (value === undefined || Number(value) === 0) {
    throw new UsageError(
      `--time: a duration such as 90s, 10m or 2h is required, got ${quote(text)}`,
    );
  }
  return Number(value) * (SECONDS[unit] ?? 1);
}

/**
 * One task for each item.
 *
 * @throws {UsageError} when a task is not one that the queue takes.
 */
export function planSubmit(items: readonly Item[], plan: SubmitPlan): Task[] {
  if (items.length > TASKS_MAX) {
    throw new UsageError(`at most ${TASKS_MAX} tasks are required at a time, got ${items.length}`);
  }
  const width = String(items.length - 1).length;
  const { argv, env, dispatchId, name, cpus, timeoutS } = plan;
  return items.map((item, at) => {
    const fill = (text: string): string => filled(text, item);
    const task_id = `${dispatchId}-${String(at).padStart(width, "0")}`;
    const task = {
      task_id,
      kind: "command",
      dispatch_id: dispatchId,
      profile: name ?? argv[0]?.split("/").at(-1) ?? null,
      argv: argv.map(fill),
      env: Object.fromEntries(Object.entries(env).map(([key, value]) => [key, fill(value)])),
      cpu_units: cpus,
      timeout_s: timeoutS,
    };
    return asTask(task, task_id);
  });
}

function asTask(task: object, taskId: string): Task {
  try {
    return asUsage(() => completeTask(task, taskId, taskId));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}

function filled(text: string, { text: item, index }: Item): string {
  return text.replaceAll(/\{\}|%\{i\}/g, (place) => place === "{}" ? item : String(index));
}
