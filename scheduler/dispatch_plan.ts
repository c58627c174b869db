/**
 * From inputs, profiles and a mix to the tasks of a dispatch, in order.
 *
 * @module
 */

import { basename, extname, join } from "@std/path";
import { isIdentifier } from "../trace/run_dir.ts";
import { quote } from "../trace/schema.ts";
import { completeTask, FFMPEG_DEFAULTS, type Task } from "../trace/task.ts";
import { drawMix, expandMix, type MixPart } from "./mix.ts";
import type { Profile, Profiles } from "./profiles.ts";
import type { PythonRandom } from "./python_random.ts";

/** What the tasks of a dispatch are made of. */
export interface PlanOptions {
  /** Folder that outputs go to, as the workers will see it. */
  readonly outputs: string;
  /** The dispatch, part of each task's id. */
  readonly dispatchId: string;
  /** The mix; null: every task is made from `single`. */
  readonly mix: readonly MixPart[] | null;
  /** Number of tasks, the inputs used cyclically; null: one for each input. */
  readonly total: number | null;
  /** Decides the order of a mix. */
  readonly random: PythonRandom;
  /** The task without a mix. */
  readonly single: Profile["task"];
}

/** The tasks of a dispatch over `inputs`, in the order of submission. */
export function planTasks(inputs: readonly string[], options: PlanOptions): Task[] {
  const { mix, total, random } = options;
  const count = total ?? inputs.length;
  const sequence = mix === null
    ? null
    : total === null
    ? drawMix(mix, { count, random })
    : expandMix(mix, { total, random });
  return Array.from({ length: count }, (_, index) => {
    const input = inputs[index % inputs.length] as string;
    const profile = sequence?.[index] ?? null;
    const fields = profile?.task ?? options.single;
    const suffix = total === null ? "" : `_n${String(index).padStart(4, "0")}`;
    const output = join(options.outputs, outputName(input, { profile, fields, suffix }));
    const task = {
      ...fields,
      ...(fields.argv ? commandOf(fields.argv, { input, output }) : {}),
      profile: profile?.name ?? null,
      dispatch_id: options.dispatchId,
      input,
      output,
    };
    const taskId = taskIdOf(options.dispatchId, index);
    return completeTask(task, `task ${index} of the dispatch`, taskId);
  });
}

/** The command of a profile for one input: `{input}` and `{output}` stand for the paths. */
function commandOf(
  argv: readonly string[],
  paths: { readonly input: string; readonly output: string },
): Pick<Task, "argv" | "outputs"> {
  return {
    argv: argv.map((argument) =>
      argument.replace(/\{(input|output)\}/g, (_, name: "input" | "output") => paths[name])
    ),
    outputs: argv.some((argument) => argument.includes("{output}")) ? [paths.output] : [],
  };
}

/** Longest dispatch id: leaves room for the number of the task in a task id of 64 characters. */
const DISPATCH_ID_MAX = 48;

/**
 * `text` as the id of a dispatch.
 *
 * @throws {RangeError} when it is not 1 to 48 characters of `A-Za-z0-9._-`.
 */
export function parseDispatchId(text: string): string {
  if (isIdentifier(text) && text.length <= DISPATCH_ID_MAX) return text;
  throw new RangeError(
    `Cannot use dispatch id: 1 to ${DISPATCH_ID_MAX} characters of A-Za-z0-9._- are required, got ${
      quote(text)
    }`,
  );
}

/** The id of task `index` of a dispatch: a resumed dispatch makes the same ids. */
export function taskIdOf(dispatchId: string, index: number): string {
  return `${dispatchId}-${String(index).padStart(4, "0")}`;
}

interface NameParts {
  readonly profile: Profile | null;
  readonly fields: Profile["task"];
  readonly suffix: string;
}

function outputName(input: string, { profile, fields, suffix }: NameParts): string {
  const extension = extname(input);
  const stem = basename(input, extension);
  if (fields.kind === "command") return `${stem}_${profile?.name}${suffix}${extension}`;
  const { scale, vcodec, preset, crf } = { ...FFMPEG_DEFAULTS, ...fields };
  const size = String(scale).replace(":", "x");
  const variant = profile === null ? `crf${crf}` : `${vcodec}_${preset}`;
  return `${stem}_${size}_${variant}${suffix}.mp4`;
}

/**
 * A task of a file of tasks: what its line leaves out comes from the profile that it names, then from
 * the seeds' defaults.
 *
 * @param where Place of the line, for the error.
 * @throws {TypeError} naming the place and the field.
 */
export function planLine(
  value: unknown,
  { where, dispatchId, index, profiles }: {
    readonly where: string;
    readonly dispatchId: string;
    readonly index: number;
    readonly profiles: Profiles;
  },
): Task {
  const isNaming = typeof value === "object" && value !== null && "profile" in value;
  const profile = isNaming ? profiles.get(String(value.profile)) : undefined;
  const given = typeof value === "object" && value !== null && !Array.isArray(value)
    ? { ...profile?.task, dispatch_id: dispatchId, ...value }
    : value;
  return completeTask(given, where, taskIdOf(dispatchId, index));
}
