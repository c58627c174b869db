/**
 * What must hold for any finished run, re-computed from its files alone and by other code than the
 * project's: each check returns the sentences that are not true, none when all is well.
 */

import type { Invocation, ProcMetric } from "../../trace/cts.ts";
import type { InvocationEvent, TaskResult } from "../../trace/records.ts";

/** Every task of `expected` ended as done, exactly once. */
export function checkDoneOnce(
  results: readonly TaskResult[],
  expected: readonly string[],
): string[] {
  const problems: string[] = [];
  for (const taskId of expected) {
    const states = results.filter((one) => one.task_id === taskId && one.state !== "superseded")
      .map(({ state }) => state);
    if (states.length !== 1 || states[0] !== "done") {
      problems.push(`task ${taskId} must be done exactly once, is [${states.join(", ")}]`);
    }
  }
  const strangers = results.filter(({ task_id }) => !expected.includes(task_id));
  for (const { task_id } of strangers) problems.push(`task ${task_id} was never dispatched`);
  return problems;
}

/**
 * The rows of each invocation sum to the kernel's total of its exit event, to the microsecond, and no
 * row exceeds its interval times the cores.
 */
export function checkConservation(
  events: readonly InvocationEvent[],
  rows: readonly ProcMetric[],
  { cores }: { readonly cores: number },
): string[] {
  const problems: string[] = [];
  for (const { dt_ms, cpu_ms, ts_ms, trace_id } of rows) {
    // Rows are written to the microsecond, so that is how far a row may be off.
    if (cpu_ms < 0 || cpu_ms > dt_ms * cores + 0.001) {
      problems.push(
        `row at ${ts_ms} of ${trace_id}: ${cpu_ms} ms in ${dt_ms} ms on ${cores} cores`,
      );
    }
  }
  for (const { event, trace_id, user_ms, system_ms } of events) {
    if (event !== "exit" || user_ms === null || system_ms === null) continue;
    const totalUs = Math.round((user_ms + system_ms) * 1000);
    const sumUs = rows.filter((row) => row.trace_id === trace_id)
      .reduce((sum, { cpu_ms }) => sum + Math.round(cpu_ms * 1000), 0);
    if (sumUs !== totalUs) {
      problems.push(`rows of ${trace_id} sum to ${sumUs} µs, the kernel counted ${totalUs} µs`);
    }
  }
  return problems;
}

/** Strict FIFO: tasks were placed in the order in which they were submitted. */
export function checkFifo(results: readonly TaskResult[]): string[] {
  const problems: string[] = [];
  const placed = results.filter(({ state }) => state !== "superseded")
    .toSorted((a, b) => (a.seq ?? 0) - (b.seq ?? 0));
  for (const [index, later] of placed.entries()) {
    const earlier = placed[index - 1];
    if (earlier === undefined) continue;
    if (!((later.ts_enqueue ?? 0) > (earlier.ts_enqueue ?? 0))) {
      problems.push(`${later.task_id} entered the queue not after ${earlier.task_id}`);
    }
    if (!((later.ts_assigned ?? 0) >= (earlier.ts_assigned ?? 0))) {
      problems.push(`${later.task_id} was placed before ${earlier.task_id}, submitted earlier`);
    }
  }
  return problems;
}

/** At no instant do the tasks that run on a node reserve more than its capacity. */
export function checkCapacity(
  invocations: readonly Invocation[],
  capacityOf: ReadonlyMap<string, number>,
): string[] {
  const problems: string[] = [];
  for (const [node, capacity] of capacityOf) {
    const steps = invocations.filter((one) => one.node === node).flatMap((one) => [
      { at: one.ts_start ?? 0, change: one.cpu_units ?? 0 },
      { at: one.ts_end ?? Infinity, change: -(one.cpu_units ?? 0) },
    ]).sort((a, b) => a.at - b.at || a.change - b.change);
    let used = 0;
    for (const { at, change } of steps) {
      used += change;
      if (used > capacity) {
        problems.push(`${node} has ${used} of ${capacity} vCPUs in use at ${at}`);
      }
    }
  }
  return problems;
}

/** A task as OpenDC reads it: what the checks need of `tasks.parquet`. */
export interface ExportedTask {
  readonly id: number;
  /** Epoch ms. */
  readonly submission_time: number;
  /** ms. */
  readonly duration: number;
  readonly cpu_count: number;
}

/** A fragment as OpenDC reads it. */
export interface ExportedFragment {
  readonly id: number;
  /** ms. */
  readonly duration: number;
  /** MHz over all cores. */
  readonly cpu_usage: number;
}

/**
 * The fragments of each task fill its duration, and their work is the CPU time that the kernel counted
 * for all exported invocations together.
 */
export function checkFragments(
  tasks: readonly ExportedTask[],
  fragments: readonly ExportedFragment[],
  { cpuMs, mhz }: { readonly cpuMs: number; readonly mhz: number },
): string[] {
  const problems: string[] = [];
  for (const { id, duration } of tasks) {
    const own = fragments.filter((one) => one.id === id);
    const filled = own.reduce((sum, one) => sum + one.duration, 0);
    if (filled !== duration) {
      problems.push(`fragments of task ${id} fill ${filled} of ${duration} ms`);
    }
    if (own.some((one) => one.duration <= 0)) problems.push(`task ${id} has an empty fragment`);
  }
  const work = fragments.reduce((sum, one) => sum + one.cpu_usage * one.duration, 0);
  const expected = cpuMs * mhz;
  // Doubles summed over thousands of fragments: a relative error of 1e-9 is far above their rounding.
  if (Math.abs(work - expected) > expected * 1e-9) {
    problems.push(`fragments hold ${work} MHz·ms of work, the kernel counted ${expected}`);
  }
  return problems;
}

/** When an independent observer saw a task enter the queue, start and end; epoch ms. */
export interface Stopwatch {
  readonly enqueued: ReadonlyMap<string, number>;
  readonly started: ReadonlyMap<string, number>;
  readonly ended: ReadonlyMap<string, number>;
}

/**
 * Recorded times agree with the observer's. It can only see an event after it happened, and not much
 * later: `toleranceMs` is what a busy machine may take to tell it.
 */
export function checkTimes(
  invocations: readonly Invocation[],
  stopwatch: Stopwatch,
  { toleranceMs }: { readonly toleranceMs: number },
): string[] {
  const problems: string[] = [];
  for (const one of invocations) {
    const pairs = [
      ["ts_enqueue", one.ts_enqueue, stopwatch.enqueued],
      ["ts_start", one.ts_start, stopwatch.started],
      ["ts_end", one.ts_end, stopwatch.ended],
    ] as const;
    for (const [field, recorded, seen] of pairs) {
      const observed = seen.get(one.task_id ?? "");
      if (recorded === null || observed === undefined) {
        problems.push(`${field} of ${one.task_id}: recorded ${recorded}, observed ${observed}`);
      } else if (Math.abs(observed - recorded) > toleranceMs) {
        problems.push(`${field} of ${one.task_id} is ${recorded}, the observer saw ${observed}`);
      }
    }
  }
  return problems;
}
