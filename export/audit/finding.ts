/**
 * Findings of the audit and how they are made.
 *
 * @module
 */

import type { Attempt } from "../cts/attempts.ts";

/** Examples named with a finding: enough to start from. */
export const EXAMPLES = 5;

/** One thing that is not as it should be. */
export interface Finding {
  /** Name of the check that found it. */
  readonly check: string;
  /** How often. */
  readonly count: number;
  /** What was found. */
  readonly what: string;
  /** What it costs. */
  readonly cost: string;
  /** What to do. */
  readonly action: string;
  /** A few of the places. */
  readonly examples: readonly string[];
}

/** A finding on some of many; none where there are none. */
export function onSome(
  places: readonly string[],
  finding: Omit<Finding, "count" | "examples" | "what"> & {
    readonly what: (count: number) => string;
  },
): Finding[] {
  if (places.length === 0) return [];
  return [{
    ...finding,
    what: finding.what(places.length),
    count: places.length,
    examples: places.slice(0, EXAMPLES),
  }];
}

/** A finding on a count; none where it is 0. */
export function onCount(count: number, finding: Omit<Finding, "count" | "examples">): Finding[] {
  return count === 0 ? [] : [{ ...finding, count, examples: [] }];
}

/** How a report names an attempt. */
export function nameOf({ event }: Attempt): string {
  const task = event.task_id ?? event.trace_id;
  return event.attempt === null ? task : `${task} (attempt ${event.attempt})`;
}

/** How a report names attempts. */
export function namesOf(attempts: readonly Attempt[]): string[] {
  return attempts.map(nameOf);
}

/** The largest of a number of each; 0 where there is none. */
export function largest<T>(all: readonly T[], of: (one: T) => number): number {
  // Not Math.max(...all): a hundred thousand arguments are more than a call takes.
  return all.reduce((most, one) => Math.max(most, of(one)), 0);
}
