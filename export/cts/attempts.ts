/**
 * Attempts of a run: what was launched, with its account and with what the queue decided about it.
 *
 * @module
 */

import { parseCpuList } from "../../trace/cpu_list.ts";
import type { Invocation } from "../../trace/cts.ts";
import { msToUs, ticksToUs } from "../../trace/units.ts";
import type { AttemptEvent, Decision, Results } from "./attempt_records.ts";
import { bootUsOf, type RunClock } from "./run_clock.ts";
import { TaskAccount } from "./task_account.ts";
import { ProfilePool } from "./usage_profile.ts";

/**
 * Shortest life of an invocation, µs: OpenDC counts whole milliseconds, and the shortest job must still
 * be a record. The clock cannot tell less than that from a spawn in any case.
 */
const LIFE_MIN_US = 1000;

/** User and system time from the counters of /proc are cut to a whole clock tick each, µs. */
const PROC_STEP_US = 2 * ticksToUs(1);

/** One attempt of one task with its account. */
export interface Attempt {
  /** What its events say. */
  readonly event: AttemptEvent;
  /** CPU time of its processes. */
  readonly account: TaskAccount;
  /** State by the queue's decision, else by its exit. */
  readonly state: Invocation["state"];
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

/** The attempts that `events` tell of, by their start; those without one last. */
export function makeAttempts(
  events: readonly AttemptEvent[],
  { results, clock, cores }: AttemptOptions,
): Attempt[] {
  const profiles = new ProfilePool();
  const accepted = acceptedSpans(events, results);
  return events.map((event): Attempt => ({
    event,
    account: accountOf(event, { clock, cores, profiles }),
    state: stateOf(event, { results, isAccepted: accepted.has(event.span_id) }),
  })).sort((a, b) => timeOf(a.account) - timeOf(b.account));
}

function timeOf(account: TaskAccount): number {
  return account.startUs === -Infinity ? Number.MAX_VALUE : account.startUs;
}

function accountOf(
  event: AttemptEvent,
  { clock, cores, profiles }: { clock: RunClock; cores: number; profiles: ProfilePool },
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
    totalStepUs: event.cpu_source === "proc" ? PROC_STEP_US : 0,
    cores: Math.min(cores, cpusetSize(event.cpuset)),
    pid: event.pid,
    startTicks: event.start_ticks,
    profiles,
  });
}

/** Exact CPU time, µs; null: not known. */
function totalOf({ user_ms, system_ms, cpu_ms, cpu_source }: AttemptEvent): number | null {
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
function acceptedSpans(events: readonly AttemptEvent[], results: Results): ReadonlySet<string> {
  const byDecision = new Map<Decision, AttemptEvent>();
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

/**
 * The decision on an attempt. An end is what the queue accepted: it counts also where a worker, whose
 * connection was cut for long, was told that its attempt came too late.
 */
function decisionOn(event: AttemptEvent, results: Results): Decision | undefined {
  const decisions = results.get(event.task_id ?? "")?.filter((result) =>
    result.attempt === event.attempt && (result.node === null || result.node === event.node)
  );
  return decisions?.find(({ state }) => state !== "superseded") ?? decisions?.[0];
}

/** True for a request to a service: its status is of HTTP and no exit code. */
function isRequest(event: AttemptEvent): boolean {
  return event.module_id === "http";
}

/** True for what was observed and never launched: it has no exit code and no account of its exit. */
export function isObserved(event: Pick<AttemptEvent, "module_id">): boolean {
  return event.module_id === "service";
}

/** True where the service did not do what a request asked for; a refusal of its own (4xx) is an answer. */
function isUnserved({ status, is_aborted }: AttemptEvent): boolean {
  return is_aborted === true || status === null || status >= 500;
}

function stateOf(
  event: AttemptEvent,
  { results, isAccepted }: { results: Results; isAccepted: boolean },
): Invocation["state"] {
  const decisions = results.get(event.task_id ?? "") ?? [];
  const decision = decisionOn(event, results);
  if (decision !== undefined) return isAccepted ? decision.state : "superseded";
  // One that died with its worker, and whose task was ended by another attempt.
  const isOver = decisions.some(({ state }) => state !== "superseded");
  if (event.event === "launch") return isOver ? "superseded" : "running";
  if (isObserved(event)) return "done";
  const isFailure = event.event === "refused" ||
    (isRequest(event) ? isUnserved(event) : event.status !== 0);
  // A failed attempt that was tried again failed; one that went well but does not count came too late.
  if (isFailure) return "failed";
  return decisions.some(({ state }) => state === "done") ? "superseded" : "done";
}
