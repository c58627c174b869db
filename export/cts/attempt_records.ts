/**
 * The records that say what was launched and what became of it, kept as small as the parse can do with:
 * a run may have a hundred thousand of them.
 *
 * @module
 */

import {
  INVOCATION_EVENT,
  type InvocationEvent,
  TASK_RESULT,
  type TaskResult,
} from "../../trace/records.ts";
import { readCounted } from "./counted_records.ts";
import type { LineCounts } from "./raw_samples.ts";

/** What the parse needs of an invocation's events. */
export type AttemptEvent = Pick<
  InvocationEvent,
  | "ts_start"
  | "boot_start_ms"
  | "pid"
  | "event"
  | "trace_id"
  | "span_id"
  | "module_id"
  | "task_id"
  | "attempt"
  | "profile"
  | "ts_enqueue"
  | "ts_end"
  | "boot_end_ms"
  | "node"
  | "start_ticks"
  | "cpuset"
  | "cpu_units"
  | "status"
  | "is_aborted"
  | "user_ms"
  | "system_ms"
  | "cpu_ms"
  | "cpu_source"
  | "max_rss_kb"
  | "max_rss_source"
  | "cpu_binding"
  | "is_cpuset_shared"
  | "throttled_ms"
>;

/** What the parse needs of a decision of the queue. */
export type Decision = Pick<TaskResult, "attempt" | "node" | "state">;

/** Events of a run by span, and what else was in the files. */
export interface ReadEvents {
  /** What is known of each span, in the order in which they began. */
  readonly spans: ReadonlyMap<string, AttemptEvent>;
  /** Lines of each file, by path. */
  readonly files: ReadonlyMap<string, LineCounts>;
  /** Lines that repeat another one. */
  readonly duplicates: number;
}

/**
 * The events in `paths`. What a span's end does not say is taken from its launch; of two ends, and of two
 * launches, the first counts.
 */
export async function readEvents(paths: readonly string[]): Promise<ReadEvents> {
  const spans = new Map<string, AttemptEvent>();
  const launched = new Set<string>();
  const files = new Map<string, LineCounts>();
  let duplicates = 0;
  for (const path of paths) {
    const read = await readCounted(path, INVOCATION_EVENT.decode, (event) => {
      const { span_id } = event;
      const isLaunch = event.event === "launch";
      const known = spans.get(span_id) ?? null;
      const isKnown = isLaunch ? launched.has(span_id) : known !== null && known.event !== "launch";
      if (isLaunch) launched.add(span_id);
      if (isKnown) duplicates++;
      else if (known === null) spans.set(span_id, essentialsOf(event, null));
      else if (isLaunch) spans.set(span_id, essentialsOf(known, event));
      else spans.set(span_id, essentialsOf(event, known));
    });
    if (read !== null) files.set(path, read);
  }
  return { spans, files, duplicates };
}

/** The fields that count, in an object of their own: a decoded record has twice as many. */
function essentialsOf(event: AttemptEvent, launch: AttemptEvent | null): AttemptEvent {
  return {
    ts_start: event.ts_start ?? launch?.ts_start ?? null,
    boot_start_ms: event.boot_start_ms ?? launch?.boot_start_ms ?? null,
    pid: event.pid ?? launch?.pid ?? null,
    event: event.event,
    trace_id: event.trace_id,
    span_id: event.span_id,
    module_id: event.module_id,
    task_id: event.task_id,
    attempt: event.attempt,
    profile: event.profile,
    ts_enqueue: event.ts_enqueue,
    ts_end: event.ts_end,
    boot_end_ms: event.boot_end_ms,
    node: event.node,
    start_ticks: event.start_ticks,
    cpuset: event.cpuset,
    cpu_units: event.cpu_units,
    status: event.status,
    is_aborted: event.is_aborted,
    user_ms: event.user_ms,
    system_ms: event.system_ms,
    cpu_ms: event.cpu_ms,
    cpu_source: event.cpu_source,
    cpu_binding: event.cpu_binding,
    is_cpuset_shared: event.is_cpuset_shared,
    throttled_ms: event.throttled_ms,
    max_rss_kb: event.max_rss_kb,
    max_rss_source: event.max_rss_source,
  };
}

/** The queue's decisions by task. */
export type Results = ReadonlyMap<string, readonly Decision[]>;

/** The queue's decisions in `paths`, a repeated one once. */
export async function readResults(
  paths: readonly string[],
): Promise<{ results: Results; files: Map<string, LineCounts> }> {
  const results = new Map<string, Decision[]>();
  const files = new Map<string, LineCounts>();
  for (const path of paths) {
    const read = await readCounted(path, TASK_RESULT.decode, (result) => {
      const { attempt, node, state } = result;
      const known = results.get(result.task_id) ?? [];
      results.set(result.task_id, known);
      const isKnown = known.some((one) =>
        one.attempt === attempt && one.node === node && one.state === state
      );
      if (!isKnown) known.push({ attempt, node, state });
    });
    if (read !== null) files.set(path, read);
  }
  return { results, files };
}
