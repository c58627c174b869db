/**
 * Rows of `attempts` and `requests`: what parse found out about each invocation, with what only its events
 * say.
 *
 * @module
 */

import type { Invocation } from "../../trace/cts.ts";
import { INVOCATION_EVENT, type InvocationEvent } from "../../trace/records.ts";
import { roundToUs } from "../../trace/units.ts";
import { readCounted } from "../cts/counted_records.ts";
import type { LineCounts } from "../cts/raw_samples.ts";
import type { AttemptRow, RequestRow } from "./task_tables.ts";

/** Module of the HTTP adapter: its invocations are requests. */
const HTTP_MODULE = "http";

/** Event fields that a row has besides those of the invocation. */
const EVENT_FIELDS = [
  "ts_start",
  "ts_forward",
  "ts_first_byte",
  "is_aborted",
  "parent_id",
  "instance_id",
  "module_id",
  "method",
  "path",
  "input",
  "output",
  "stage",
  "container",
  "cpuset",
  "cpu_binding",
  "is_cpuset_shared",
  "bytes_in",
  "bytes_out",
  "signal",
  "reason",
  "user_ms",
  "system_ms",
  "max_rss_source",
  "memory_peak_kb",
  "memory_peak_source",
  "throttled_ms",
  "throttled_source",
  "minor_faults",
  "major_faults",
  "voluntary_switches",
  "involuntary_switches",
  "read_blocks",
  "written_blocks",
  "counters_source",
  "stderr_tail",
] as const satisfies readonly (keyof InvocationEvent)[];

/** What only the events say of an invocation; each null where they do not. */
export type EventFacts = { readonly [K in typeof EVENT_FIELDS[number]]: InvocationEvent[K] | null };

const NO_FACTS = Object.fromEntries(EVENT_FIELDS.map((name) => [name, null])) as EventFacts;

/** Facts of each span, and the lines of each file. */
export interface ReadFacts {
  /** By span_id. */
  readonly spans: ReadonlyMap<string, EventFacts>;
  /** Lines by path. */
  readonly files: ReadonlyMap<string, LineCounts>;
}

/** Read the event files `paths`; what a span's end does not say is taken from its launch. */
export async function readFacts(paths: readonly string[]): Promise<ReadFacts> {
  const spans = new Map<string, EventFacts>();
  const ended = new Set<string>();
  const files = new Map<string, LineCounts>();
  for (const path of paths) {
    const counts = await readCounted(path, INVOCATION_EVENT.decode, (event) => {
      const { span_id } = event;
      const isEnd = event.event !== "launch";
      // Of two ends the first counts, as it does for parse.
      if (isEnd && ended.has(span_id)) return;
      if (isEnd) ended.add(span_id);
      const known = spans.get(span_id) ?? NO_FACTS;
      spans.set(span_id, isEnd ? merged(event, known) : merged(known, event));
    });
    if (counts !== null) files.set(path, counts);
  }
  return { spans, files };
}

function merged(first: EventFacts, second: EventFacts): EventFacts {
  const facts: Record<string, unknown> = {};
  for (const name of EVENT_FIELDS) facts[name] = first[name] ?? second[name];
  return facts as EventFacts;
}

/** Difference of two times, ms, to the µs; null where one is not known. */
export function between(fromMs: number | null, toMs: number | null): number | null {
  return fromMs === null || toMs === null ? null : roundToUs(toMs - fromMs);
}

function shareOf(part: number | null, whole: number | null): number | null {
  return part === null || whole === null || whole === 0 ? null : part / whole;
}

/** The facts of `invocation`. */
export function factsOf(
  invocation: Invocation,
  spans: ReadonlyMap<string, EventFacts>,
): EventFacts {
  return spans.get(invocation.span_id ?? "") ?? NO_FACTS;
}

/** True where the facts are those of an HTTP request. */
export function isRequest(facts: EventFacts): boolean {
  return facts.module_id === HTTP_MODULE;
}

/** The row of an attempt. */
export function attemptRow(invocation: Invocation, facts: EventFacts): AttemptRow {
  const { ts_enqueue, ts_start, ts_end, cpu_units, cpu_ms } = invocation;
  const run_ms = between(ts_start, ts_end);
  const cpu_reserved_ms = cpu_units === null || run_ms === null
    ? null
    : roundToUs(cpu_units * run_ms);
  return {
    ...pickInvocation(invocation),
    parents: invocation.parents === null ? null : JSON.stringify(invocation.parents),
    wait_ms: between(ts_enqueue, ts_start),
    run_ms,
    used_cores: shareOf(cpu_ms, run_ms),
    cpu_reserved_ms,
    used_ratio: shareOf(cpu_ms, cpu_reserved_ms),
    user_ms: facts.user_ms,
    system_ms: facts.system_ms,
    max_rss_source: invocation.max_rss_source ?? facts.max_rss_source,
    memory_peak_kb: facts.memory_peak_kb,
    memory_peak_source: facts.memory_peak_source,
    throttled_ms: facts.throttled_ms,
    throttled_source: facts.throttled_source,
    minor_faults: facts.minor_faults,
    major_faults: facts.major_faults,
    voluntary_switches: facts.voluntary_switches,
    involuntary_switches: facts.involuntary_switches,
    read_blocks: facts.read_blocks,
    written_blocks: facts.written_blocks,
    counters_source: facts.counters_source,
    bytes_in: facts.bytes_in,
    bytes_out: facts.bytes_out,
    signal: facts.signal,
    cpuset: facts.cpuset,
    cpu_binding: facts.cpu_binding,
    is_cpuset_shared: facts.is_cpuset_shared,
    stage: facts.stage,
    container: facts.container,
    module_id: facts.module_id,
    method: facts.method,
    path: facts.path,
    input: facts.input,
    output: facts.output,
    parent_id: facts.parent_id,
    instance_id: facts.instance_id,
    reason: facts.reason,
    stderr_tail: facts.stderr_tail,
  };
}

function pickInvocation(
  one: Invocation,
): Pick<AttemptRow, Exclude<keyof Invocation & keyof AttemptRow, "parents">> {
  return {
    trace_id: one.trace_id,
    span_id: one.span_id,
    task_id: one.task_id,
    attempt: one.attempt,
    profile: one.profile,
    node: one.node,
    state: one.state,
    status: one.status,
    pid: one.pid,
    start_ticks: one.start_ticks,
    ts_enqueue: one.ts_enqueue,
    ts_start: one.ts_start,
    ts_end: one.ts_end,
    cpu_units: one.cpu_units,
    cpu_ms: one.cpu_ms,
    cpu_source: one.cpu_source,
    cpu_seen_ms: one.cpu_seen_ms,
    max_rss_kb: one.max_rss_kb,
    max_rss_source: one.max_rss_source,
    samples: one.samples,
    origin: one.origin,
  };
}

/** The row of an HTTP request. */
export function requestRow(invocation: Invocation, facts: EventFacts): RequestRow {
  const { ts_start, ts_end } = invocation;
  return {
    trace_id: invocation.trace_id,
    span_id: invocation.span_id,
    node: invocation.node,
    parent_id: facts.parent_id,
    instance_id: facts.instance_id,
    container: facts.container,
    stage: facts.stage,
    method: facts.method,
    path: facts.path,
    status: invocation.status,
    state: invocation.state,
    ts_start,
    ts_forward: facts.ts_forward,
    ts_first_byte: facts.ts_first_byte,
    ts_end,
    run_ms: between(ts_start, ts_end),
    first_byte_ms: between(facts.ts_start, facts.ts_first_byte),
    bytes_in: facts.bytes_in,
    bytes_out: facts.bytes_out,
    is_aborted: facts.is_aborted,
    reason: facts.reason,
    cpu_ms: invocation.cpu_ms,
    cpu_source: invocation.cpu_source,
    samples: invocation.samples,
  };
}
