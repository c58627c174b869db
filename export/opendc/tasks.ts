/**
 * Which invocations become tasks of the workload, in which order, under which ids, and with what
 * reservation and capacity: pure.
 *
 * @module
 */

import type { SourcedInvocation } from "./input.ts";
import type { Fragments } from "./fragments.ts";
import { INT32_MAX } from "./schema.ts";

/** Why an invocation is not in the workload. */
export const LEFT_OUT_REASONS = [
  "superseded",
  "no_end",
  "not_done",
  "not_measured",
  "service",
] as const;

/** Why an invocation is not in the workload. */
export type LeftOutReason = typeof LEFT_OUT_REASONS[number];

/** An invocation that is not in the workload. */
export interface LeftOut {
  /** The invocation. */
  readonly trace_id: string;
  /** Its span; null: not known. */
  readonly span_id: string | null;
  /** Attempt of the task, from 1; null: not known. */
  readonly attempt: number | null;
  /** Its task of the queue. */
  readonly task_id: string | null;
  /** NODE_ID. */
  readonly node: string;
  /** Why. */
  readonly reason: LeftOutReason;
}

/** An invocation whose times are known: it can become a task. */
export interface Candidate extends SourcedInvocation {
  /** Spawned, epoch ms. */
  readonly ts_start: number;
  /** Reaped, epoch ms. */
  readonly ts_end: number;
}

/** Candidates in the order of submission, and what was left out. */
export interface Selection {
  /** In the order of submission. */
  readonly candidates: readonly Candidate[];
  /** The rest. */
  readonly leftOut: readonly LeftOut[];
}

/** Which end states are exported. */
export const STATUS_CHOICES = ["done", "all"] as const;

/** Which invocations are exported. */
export interface SelectOptions {
  /** End states. */
  readonly status: typeof STATUS_CHOICES[number];
  /** True exports what was observed and never launched, too. */
  readonly areServicesExported: boolean;
}

/**
 * The invocations that can become tasks. Superseded attempts never do; attempts without an end cannot;
 * with `done` those that failed do not; services only on request.
 */
export function selectInvocations(
  invocations: readonly SourcedInvocation[],
  options: SelectOptions,
): Selection {
  const candidates: Candidate[] = [];
  const leftOut: LeftOut[] = [];
  for (const invocation of invocations) {
    const reason = reasonAgainst(invocation, options);
    if (reason === null) candidates.push(invocation as Candidate);
    else leftOut.push(leaveOut(invocation, reason));
  }
  return { candidates: candidates.sort(bySubmission), leftOut };
}

function reasonAgainst(
  { kind, state, ts_start, ts_end }: SourcedInvocation,
  { status, areServicesExported }: SelectOptions,
): LeftOutReason | null {
  if (kind === "service" && !areServicesExported) return "service";
  if (state === "superseded") return "superseded";
  if (state === "running" || ts_start === null || ts_end === null || ts_end < ts_start) {
    return "no_end";
  }
  return state === "done" || status === "all" ? null : "not_done";
}

/** `invocation` as an entry of what was left out. */
export function leaveOut(
  { trace_id, span_id, attempt, task_id, node }: SourcedInvocation,
  reason: LeftOutReason,
): LeftOut {
  return { trace_id, span_id, attempt, task_id, node, reason };
}

/** When an invocation entered the queue, epoch ms; its start where it never was in one. */
export function submissionOf({ ts_enqueue, ts_start }: Candidate): number {
  return ts_enqueue ?? ts_start;
}

function bySubmission(a: Candidate, b: Candidate): number {
  return submissionOf(a) - submissionOf(b) || byStart(a, b);
}

/** Order of the actual starts. */
export function byStart(a: Candidate, b: Candidate): number {
  return a.ts_start - b.ts_start || (a.trace_id < b.trace_id ? -1 : 1);
}

/** How ids are given. */
export const TASK_ID_MODES = ["auto", "pid", "sequential"] as const;

/**
 * Ids of `tasks`, in their order, unique in every mode: `sequential` counts from 1; `pid` takes the pid
 * where it is still free and counts on behind the largest one where it is not; `auto` takes the pids
 * when all are there and differ, else counts.
 */
export function taskIds(
  tasks: readonly Candidate[],
  mode: typeof TASK_ID_MODES[number],
): Int32Array {
  const pids = new Set(tasks.map(({ pid }) => pid));
  const isEachOwn = pids.size === tasks.length && !pids.has(null);
  if (mode === "sequential" || (mode === "auto" && !isEachOwn)) {
    return Int32Array.from(tasks, (_, index) => index + 1);
  }
  let next = tasks.reduce((max, { pid }) => Math.max(max, pid ?? 0), 0) + 1;
  if (next + tasks.length > INT32_MAX) {
    throw new RangeError(
      `Cannot use pids as task ids: ids up to ${INT32_MAX} are required; use --task-id-mode sequential`,
    );
  }
  const taken = new Set<number>();
  return Int32Array.from(tasks, ({ pid }) => {
    const id = pid === null || taken.has(pid) ? next++ : pid;
    taken.add(id);
    return id;
  });
}

/** Names of `tasks`, in their order: the task id, told apart where two would be the same. */
export function taskNames(tasks: readonly Candidate[]): string[] {
  const taken = new Set<string>();
  return tasks.map(({ task_id, attempt, trace_id, span_id }) => {
    const choices = [
      task_id,
      task_id && `${task_id}#${attempt ?? 1}`,
      trace_id,
      span_id && `${trace_id}-${span_id}`,
    ];
    const free = choices.find((one) => one !== null && one !== "" && !taken.has(one));
    const name = free ?? `${trace_id}#${taken.size}`;
    taken.add(name);
    return name;
  });
}

/** What tasks without any measurement are filled from. */
export const FILL_CHOICES = ["reserved"] as const;

/** What `cpu_capacity` says. */
export const CAPACITY_CHOICES = ["reserved", "p95", "peak"] as const;

/** Cores in use in 95 % of a task's time or more rarely, weighted by duration. */
export function coresAt95({ length, durationMs, cores }: Fragments): number {
  const order = Uint32Array.from({ length }, (_, index) => index)
    .sort((a, b) => (cores[a] as number) - (cores[b] as number));
  let total = 0;
  for (let one = 0; one < length; one++) total += durationMs[one] as number;
  let passed = 0;
  for (const one of order) {
    passed += durationMs[one] as number;
    if (passed >= 0.95 * total) return cores[one] as number;
  }
  return 0;
}

/** Most cores in use at any time. */
export function coresAtPeak({ length, cores }: Fragments): number {
  let peak = 0;
  for (let one = 0; one < length; one++) peak = Math.max(peak, cores[one] as number);
  return peak;
}
