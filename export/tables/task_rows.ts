/**
 * Rows of `tasks`, from attempts, the queue's decisions and the scheduler's record.
 *
 * @module
 */

import { END_STATES, type TaskResult } from "../../trace/records.ts";
import { roundToUs } from "../../trace/units.ts";
import { between } from "./attempt_rows.ts";
import type { TaskPlacement } from "./placement_rows.ts";
import type { AttemptRow, TaskRow } from "./task_tables.ts";

/** What a task's row is made from. */
export interface TaskInputs {
  /** Every attempt and traced command. */
  readonly attempts: readonly AttemptRow[];
  /** The queue's decision on each task, by task_id. */
  readonly results: ReadonlyMap<string, TaskResult>;
  /** When each task was placed, by task_id. */
  readonly placements: ReadonlyMap<string, TaskPlacement>;
}

/** The tasks, by the time at which they entered the queue, else began. */
export function taskRows({ attempts, results, placements }: TaskInputs): TaskRow[] {
  const byTask = Map.groupBy(
    attempts.filter(({ task_id }) => task_id !== null),
    ({ task_id }) => task_id as string,
  );
  const ids = new Set([...results.keys(), ...byTask.keys()]);
  const rows = [...ids].map((id) =>
    taskRow(id, {
      attempts: byTask.get(id) ?? [],
      result: results.get(id) ?? null,
      placement: placements.get(id) ?? null,
    })
  );
  const traced = attempts.filter(({ task_id }) => task_id === null).map((attempt) =>
    rowOf({ attempt, attempts: 1, result: null, placement: null, taskId: null })
  );
  return [...rows, ...traced].sort((a, b) =>
    beginOf(a) - beginOf(b) || (a.seq ?? 0) - (b.seq ?? 0)
  );
}

function beginOf({ ts_enqueue, ts_start }: TaskRow): number {
  return ts_enqueue ?? ts_start ?? Number.MAX_VALUE;
}

function taskRow(
  taskId: string,
  { attempts, result, placement }: {
    readonly attempts: readonly AttemptRow[];
    readonly result: TaskResult | null;
    readonly placement: TaskPlacement | null;
  },
): TaskRow {
  const attempt = countedAttempt(attempts, result);
  return rowOf({ attempt, attempts: attempts.length, result, placement, taskId });
}

/** The attempt that the queue accepted; where it accepted none, the one that began last. */
function countedAttempt(
  attempts: readonly AttemptRow[],
  result: TaskResult | null,
): AttemptRow | null {
  const ended = attempts.filter(({ state }) => END_STATES.some((one) => one === state));
  const accepted = ended.filter(({ attempt }) => result !== null && attempt === result.attempt);
  const choice = [accepted, ended, attempts].find((some) => some.length > 0) ?? [];
  return choice.reduce<AttemptRow | null>(
    (last, one) => last === null || (one.ts_start ?? 0) >= (last.ts_start ?? 0) ? one : last,
    null,
  );
}

function rowOf({ attempt, attempts, result, placement, taskId }: {
  readonly attempt: AttemptRow | null;
  readonly attempts: number;
  readonly result: TaskResult | null;
  readonly placement: TaskPlacement | null;
  readonly taskId: string | null;
}): TaskRow {
  const ts_enqueue = attempt?.ts_enqueue ?? result?.ts_enqueue ?? null;
  const ts_start = attempt?.ts_start ?? null;
  const ts_assigned = result?.ts_assigned ?? placement?.assignedMs ?? null;
  const ts_head = headOf(placement, ts_assigned);
  const run_ms = attempt?.run_ms ?? null;
  const wait_ms = between(ts_enqueue, ts_start);
  return {
    task_id: taskId,
    trace_id: attempt?.trace_id ?? null,
    span_id: attempt?.span_id ?? null,
    attempt: attempt?.attempt ?? result?.attempt ?? null,
    attempts,
    profile: attempt?.profile ?? result?.profile ?? null,
    state: result?.state ?? attempt?.state ?? "running",
    reason: result?.reason ?? attempt?.reason ?? null,
    seq: result?.seq ?? null,
    node: attempt?.node ?? result?.node ?? null,
    status: attempt?.status ?? result?.status ?? null,
    ts_enqueue,
    ts_head,
    ts_assigned,
    ts_start,
    ts_end: attempt?.ts_end ?? null,
    ts_finish: result?.ts_finish ?? null,
    wait_ms,
    queue_ms: between(ts_enqueue, ts_head),
    placement_ms: between(ts_head, ts_assigned),
    launch_ms: between(ts_assigned, ts_start),
    run_ms,
    slowdown: wait_ms === null || run_ms === null || run_ms === 0
      ? null
      : roundToUs(wait_ms + run_ms) / run_ms,
    cpu_units: attempt?.cpu_units ?? result?.cpu_units ?? null,
    cpu_ms: attempt?.cpu_ms ?? null,
    cpu_source: attempt?.cpu_source ?? null,
    cpu_seen_ms: attempt?.cpu_seen_ms ?? null,
    max_rss_kb: attempt?.max_rss_kb ?? null,
    samples: attempt?.samples ?? null,
    origin: attempt?.origin ?? null,
    parents: attempt?.parents ?? null,
    used_cores: attempt?.used_cores ?? null,
    cpu_reserved_ms: attempt?.cpu_reserved_ms ?? null,
    used_ratio: attempt?.used_ratio ?? null,
    user_ms: attempt?.user_ms ?? null,
    system_ms: attempt?.system_ms ?? null,
    max_rss_source: attempt?.max_rss_source ?? null,
    memory_peak_kb: attempt?.memory_peak_kb ?? null,
    memory_peak_source: attempt?.memory_peak_source ?? null,
    throttled_ms: attempt?.throttled_ms ?? null,
    throttled_source: attempt?.throttled_source ?? null,
    minor_faults: attempt?.minor_faults ?? null,
    major_faults: attempt?.major_faults ?? null,
    voluntary_switches: attempt?.voluntary_switches ?? null,
    involuntary_switches: attempt?.involuntary_switches ?? null,
    read_blocks: attempt?.read_blocks ?? null,
    written_blocks: attempt?.written_blocks ?? null,
    counters_source: attempt?.counters_source ?? null,
    bytes_in: attempt?.bytes_in ?? null,
    bytes_out: attempt?.bytes_out ?? null,
    signal: attempt?.signal ?? null,
    cpuset: attempt?.cpuset ?? null,
    cpu_binding: attempt?.cpu_binding ?? null,
    is_cpuset_shared: attempt?.is_cpuset_shared ?? null,
    stage: attempt?.stage ?? null,
    container: attempt?.container ?? null,
    module_id: attempt?.module_id ?? null,
    method: attempt?.method ?? null,
    path: attempt?.path ?? null,
    input: attempt?.input ?? null,
    output: attempt?.output ?? null,
  };
}

/**
 * When the task reached the head. The record's waiting events carry the scheduler's clock and whole ms,
 * assignments that of Redis: the head is never later than the assignment.
 */
function headOf(placement: TaskPlacement | null, assignedMs: number | null): number | null {
  if (placement === null) return null;
  if (placement.headMs === null) return assignedMs;
  return assignedMs === null ? placement.headMs : Math.min(placement.headMs, assignedMs);
}
