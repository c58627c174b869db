/**
 * A task as it is in `q:pending` and `q:<node>`: the seeds' fields, and ours beside them.
 *
 * @module
 */

import {
  DecodeError,
  integer,
  list,
  mapOf,
  nullable,
  number,
  oneOf,
  record,
  type RecordOf,
  string,
} from "./schema.ts";
import { isIdentifier } from "./run_dir.ts";

/**
 * Most vCPUs that one task may ask for: above any machine that Linux runs on (NR_CPUS is at most
 * 8192 in its configurations), so that a typing error is an invalid task and not a head that waits forever.
 */
const CPU_UNITS_MAX = 8192;

/** Longest time limit, s: a century, so that a typing error is reported and not taken for a limit. */
const TIMEOUT_MAX_S = 3_155_760_000;

/** A complete task. What a person pushed by hand is completed to this on arrival. */
export const TASK = record("task", {
  task_id: string({
    doc: "Identity of the task within its run.",
    pattern: /^[A-Za-z0-9._-]{1,64}$/,
  }),
  kind: oneOf(["ffmpeg", "command"], { doc: "How the adapter makes the command line." }),
  profile: nullable(string({ doc: "Name of the profile that the task was made from." })),
  dispatch_id: nullable(
    string({ doc: "The dispatch that made it: a resumed one repeats nothing." }),
  ),
  input: nullable(string({ doc: "Path of the input file." })),
  output: nullable(string({ doc: "Path of the output file, inside the outputs folder." })),
  scale: nullable(string({ doc: "Size of the output, W:H.", pattern: /^-?\d{1,5}:-?\d{1,5}$/ })),
  vcodec: nullable(oneOf(["h264", "hevc"], { doc: "Codec of the output." })),
  preset: nullable(string({ doc: "Encoder preset.", pattern: /^[a-z]{1,16}$/ })),
  crf: nullable(number({ doc: "Constant rate factor.", min: 0, max: 63 })),
  vthreads: nullable(integer({ doc: "Encoder threads.", unit: "count", min: 0, max: 1024 })),
  fthreads: nullable(integer({ doc: "Filter threads.", unit: "count", min: 0, max: 1024 })),
  argv: nullable(
    list(string({ doc: "One argument." }), { doc: "Program and arguments of a command." }),
  ),
  env: nullable(mapOf(string({ doc: "A value." }), { doc: "Environment added for a command." })),
  cwd: nullable(string({ doc: "Working directory of a command." })),
  outputs: nullable(
    list(string({ doc: "One path." }), { doc: "Files that a command must leave." }),
  ),
  timeout_s: nullable(
    number({ doc: "The task's tree is ended after this.", unit: "s", min: 0, max: TIMEOUT_MAX_S }),
  ),
  cpu_units: integer({
    doc: "vCPUs that the scheduler reserves.",
    unit: "vcpu",
    min: 1,
    max: CPU_UNITS_MAX,
  }),
  cpuset: nullable(
    string({ doc: "CPUs to run on, as cpuset(7) writes them.", pattern: /^[0-9,-]+$/ }),
  ),
  cpu_quota: nullable(
    number({
      doc: "CPU quota; 100 is one core.",
      unit: "percent",
      min: 1,
      max: 100 * CPU_UNITS_MAX,
    }),
  ),
  cpu_weight: nullable(integer({ doc: "CPU weight, as cgroup v2 counts.", min: 1, max: 10_000 })),
  unit_name: nullable(
    string({ doc: "systemd unit to run in.", pattern: /^[A-Za-z0-9:_.@-]{1,200}$/ }),
  ),
  seq: nullable(
    number({ doc: "Place in the order of submission; pushed by hand in between: a decimal." }),
  ),
  ts_enqueue: nullable(
    number({ doc: "When it entered the queue, controller's clock.", unit: "epoch_ms" }),
  ),
  ts_intended: nullable(
    number({ doc: "When an open-loop arrival was meant to happen.", unit: "epoch_ms" }),
  ),
  attempt: integer({ doc: "Attempt that this copy stands for, from 1.", unit: "count", min: 1 }),
});

/** A complete task, {@linkcode TASK}. */
export type Task = RecordOf<typeof TASK>;

/** A task as a person or an older dispatcher pushes it: anything may be missing. */
export type PartialTask = Partial<Task>;

/**
 * What an ffmpeg task without these fields means: the seeds' defaults (scale 1280:720, h264, veryfast,
 * crf 28, one vCPU).
 */
const FFMPEG_DEFAULTS = {
  scale: "1280:720",
  vcodec: "h264",
  preset: "veryfast",
  crf: 28,
} as const;

/**
 * A task from what was found in the queue, with the seeds' defaults filled in.
 *
 * @param value The parsed JSON.
 * @param where Where it was, for the error.
 * @param taskId The id for a task that has none.
 * @throws {DecodeError} naming the field; such a task belongs in `q:dead` with that reason.
 */
export function completeTask(value: unknown, where: string, taskId: string): Task {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return TASK.decode(value, where);
  }
  const { _seq, ...given } = value as PartialTask & { readonly _seq?: number };
  // Field by field: a scheduler completes tens of thousands of tasks a second.
  given.kind ??= given.argv ? "command" : "ffmpeg";
  given.task_id ??= taskId;
  given.attempt ??= 1;
  given.cpu_units ??= 1;
  given.seq ??= _seq ?? null;
  if (given.kind === "ffmpeg") {
    given.scale ??= FFMPEG_DEFAULTS.scale;
    given.vcodec ??= FFMPEG_DEFAULTS.vcodec;
    given.preset ??= FFMPEG_DEFAULTS.preset;
    given.crf ??= FFMPEG_DEFAULTS.crf;
  }
  const task = TASK.decode(given, where);
  const problem = firstProblem(task);
  if (problem !== null) throw new DecodeError(`Cannot decode task at ${where}: ${problem}`);
  return task;
}

function firstProblem(task: Task): string | null {
  if (!isIdentifier(task.task_id)) {
    return `field "task_id": a name other than "." and ".." is required`;
  }
  if (task.kind === "command" && !task.argv?.[0]) {
    return `field "argv": a program is required`;
  }
  if (task.kind === "ffmpeg" && (!task.input || !task.output)) {
    return `fields "input" and "output" are required`;
  }
  return null;
}
