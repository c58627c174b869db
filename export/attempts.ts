/**
 * Attempts of a run: the events of the adapters, and what the queue decided about them.
 *
 * @module
 */

import { parseCpuList } from "../trace/cpu_list.ts";
import {
  INVOCATION_EVENT,
  type InvocationEvent,
  TASK_RESULT,
  type TaskResult,
} from "../trace/records.ts";
import type { Invocation } from "../trace/cts.ts";
import { msToUs } from "../trace/units.ts";
import { readCounted } from "./counted_records.ts";
import type { LineCounts } from "./raw_samples.ts";
import { bootUsOf, type RunClock } from "./run_clock.ts";
import { TaskAccount } from "./task_account.ts";

/**
 * Shortest life of an invocation, µs: OpenDC counts whole milliseconds, and the shortest job must still
 * be a record. The clock cannot tell less than that from a spawn in any case.
 */
const LIFE_MIN_US = 1000;

/** Its launch and exit events, whichever there are. */
export interface AttemptEvents {
  /** Written before the spawn. */
  launch: InvocationEvent | null;
  /** Written after the reaping, or when it was refused. */
  end: InvocationEvent | null;
}

/** One attempt of one task with its account. */
export interface Attempt {
  /** The event that says most: the end where there is one, else the launch. */
  readonly event: InvocationEvent;
  /** CPU time of its processes. */
  readonly account: TaskAccount;
  /** State by the queue's decision, else by its exit. */
  readonly state: Invocation["state"];
}

/** Events of a run by span, and what else stood in the files. */
export interface ReadEvents {
  /** Events by span_id, in the order in which they began. */
  readonly spans: ReadonlyMap<string, AttemptEvents>;
  /** Lines of each file, by path. */
  readonly files: ReadonlyMap<string, LineCounts>;
  /** Lines that repeat another one. */
  readonly duplicates: number;
}

/** The events in `paths`. */
export async function readEvents(paths: readonly string[]): Promise<ReadEvents> {
  const spans = new Map<string, AttemptEvents>();
  const files = new Map<string, LineCounts>();
  let duplicates = 0;
  for (const path of paths) {
    const read = await readCounted(path, INVOCATION_EVENT.decode, (event) => {
      const events = spans.get(event.span_id) ?? { launch: null, end: null };
      spans.set(event.span_id, events);
      const place = event.event === "launch" ? "launch" : "end";
      if (events[place] === null) events[place] = event;
      else duplicates++;
    });
    if (read !== null) files.set(path, read);
  }
  return { spans, files, duplicates };
}

/** The queue's decisions by task. */
export type Results = ReadonlyMap<string, readonly TaskResult[]>;

/** The queue's decisions in `paths`, a repeated line once. */
export async function readResults(
  paths: readonly string[],
): Promise<{ results: Results; files: Map<string, LineCounts> }> {
  const results = new Map<string, TaskResult[]>();
  const files = new Map<string, LineCounts>();
  for (const path of paths) {
    const read = await readCounted(path, TASK_RESULT.decode, (result) => {
      const known = results.get(result.task_id) ?? [];
      results.set(result.task_id, known);
      const isKnown = known.some((one) =>
        one.attempt === result.attempt && one.node === result.node && one.state === result.state
      );
      if (!isKnown) known.push(result);
    });
    if (read !== null) files.set(path, read);
  }
  return { results, files };
}

/** What {@linkcode makeAttempts} needs besides the events. */
export interface AttemptOptions {
  /** The queue's decisions. */
  readonly results: Results;
  /** The timeline. */
  readonly clock: RunClock;
  /** Cores of the node; Infinity: not known. */
  readonly cores: number;
}

/** The attempts of `spans`, by their start; those without one last. */
export function makeAttempts(
  spans: Iterable<AttemptEvents>,
  { results, clock, cores }: AttemptOptions,
): Attempt[] {
  const events = [...spans].flatMap(({ launch, end }) => {
    if (end === null || launch === null) return end ?? launch ?? [];
    return { ...end, ts_start: end.ts_start ?? launch.ts_start, pid: end.pid ?? launch.pid };
  });
  const accepted = acceptedSpans(events, results);
  return events.map((event): Attempt => ({
    event,
    account: accountOf(event, { clock, cores }),
    state: stateOf(event, { results, isAccepted: accepted.has(event.span_id) }),
  })).sort((a, b) => timeOf(a.account) - timeOf(b.account));
}

function timeOf(account: TaskAccount): number {
  return account.startUs === -Infinity ? Number.MAX_VALUE : account.startUs;
}

function accountOf(
  event: InvocationEvent,
  { clock, cores }: { clock: RunClock; cores: number },
): TaskAccount {
  const startUs = event.ts_start === null ? null : clock.toUs({
    tsUs: msToUs(event.ts_start),
    bootUs: bootUsOf(event.boot_start_ms),
  });
  const endUs = event.ts_end === null ? Infinity : clock.toUs({
    tsUs: msToUs(event.ts_end),
    bootUs: bootUsOf(event.boot_end_ms),
  });
  return new TaskAccount({
    traceId: event.trace_id,
    startUs,
    endUs: startUs === null ? endUs : Math.max(endUs, startUs + LIFE_MIN_US),
    totalUs: totalOf(event),
    cores: Math.min(cores, cpusetSize(event.cpuset)),
    pid: event.pid,
    startTicks: event.start_ticks,
  });
}

/** Exact CPU time, µs; null: not known. */
function totalOf({ user_ms, system_ms, cpu_ms, cpu_source }: InvocationEvent): number | null {
  if (cpu_source === "none") return null;
  if (user_ms !== null && system_ms !== null) return msToUs(user_ms) + msToUs(system_ms);
  return cpu_ms === null ? null : msToUs(cpu_ms);
}

/** Number of CPUs in a cpuset; Infinity where none is known. */
function cpusetSize(cpuset: string | null): number {
  if (cpuset === null) return Infinity;
  try {
    return parseCpuList(cpuset).length;
  } catch (error) {
    if (error instanceof RangeError) return Infinity;
    throw error;
  }
}

/**
 * The attempts that the queue's decisions speak of. A task that was lost with its node can run twice
 * under one number: then the decision names the node, and of two on one node the last that ended counts.
 */
function acceptedSpans(events: readonly InvocationEvent[], results: Results): ReadonlySet<string> {
  const byDecision = new Map<TaskResult, InvocationEvent>();
  for (const event of events) {
    const decision = decisionOn(event, results);
    if (decision === undefined) continue;
    const other = byDecision.get(decision);
    if (other === undefined || (event.ts_end ?? -1) >= (other.ts_end ?? -1)) {
      byDecision.set(decision, event);
    }
  }
  return new Set([...byDecision.values()].map(({ span_id }) => span_id));
}

function decisionOn(event: InvocationEvent, results: Results): TaskResult | undefined {
  return results.get(event.task_id ?? "")?.find((result) =>
    result.attempt === event.attempt && (result.node === null || result.node === event.node)
  );
}

/** True for a request to a service: its status is of HTTP and no exit code. */
function isRequest(event: InvocationEvent): boolean {
  return event.module_id === "http";
}

/** True where the service did not do what a request asked for; a refusal of its own (4xx) is an answer. */
function isUnserved({ status, is_aborted }: InvocationEvent): boolean {
  return is_aborted === true || status === null || status >= 500;
}

function stateOf(
  event: InvocationEvent,
  { results, isAccepted }: { results: Results; isAccepted: boolean },
): Invocation["state"] {
  const decisions = results.get(event.task_id ?? "") ?? [];
  const decision = decisionOn(event, results);
  if (decision !== undefined) return isAccepted ? decision.state : "superseded";
  if (event.event === "launch") return "running";
  const isFailure = event.event === "refused" ||
    (isRequest(event) ? isUnserved(event) : event.status !== 0);
  // A failed attempt that was tried again failed; one that went well but does not count came too late.
  if (isFailure) return "failed";
  return decisions.some(({ state }) => state === "done") ? "superseded" : "done";
}
