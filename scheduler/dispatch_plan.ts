/**
 * From inputs, profiles and a mix to the tasks of a dispatch, in order.
 *
 * @module
 */

import { basename, extname, join } from "@std/path";
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
    const name = outputName(input, { profile, fields, suffix });
    const taskId = taskIdOf(options.dispatchId, index);
    return completeTask(
      {
        ...fields,
        profile: profile?.name ?? null,
        dispatch_id: options.dispatchId,
        input,
        output: join(options.outputs, name),
      },
      `task ${index} of the dispatch`,
      taskId,
    );
  });
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
