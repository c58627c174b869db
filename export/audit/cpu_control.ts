/**
 * How CPUs were given to the attempts, and what that did to them.
 *
 * @module
 */

import { roundToUs } from "../../trace/units.ts";
import type { AttemptEvent } from "../cts/attempt_records.ts";

/** What the audit says of CPU control. */
export interface CpuControlAccount {
  /** Attempts by how CPUs were given to them; `unknown` where no record says. */
  readonly bindings: Readonly<Record<string, number>>;
  /** Attempts that had to share their cores, because no free one was left. */
  readonly on_shared_cores: number;
  /** Limits set in all, by what applied them: first ones and changes. */
  readonly limits_set: Readonly<Record<string, number>>;
  /** Attempts that a quota held back. */
  readonly throttled: number;
  /** For how long in all, ms; null: no attempt's is known. */
  readonly throttled_ms: number | null;
}

/** The account of `events`; `limitsSet` counts the lines of shares.jsonl by what applied them. */
export function cpuControlAccount(
  events: readonly AttemptEvent[],
  limitsSet: Readonly<Record<string, number>>,
): CpuControlAccount {
  const bindings: Record<string, number> = {};
  let onSharedCores = 0;
  let throttled = 0;
  let throttledMs: number | null = null;
  for (const { cpu_binding, is_cpuset_shared, throttled_ms } of events) {
    const binding = cpu_binding ?? "unknown";
    bindings[binding] = (bindings[binding] ?? 0) + 1;
    if (is_cpuset_shared) onSharedCores++;
    if (throttled_ms === null) continue;
    throttledMs = (throttledMs ?? 0) + throttled_ms;
    if (throttled_ms > 0) throttled++;
  }
  return {
    bindings,
    on_shared_cores: onSharedCores,
    limits_set: limitsSet,
    throttled,
    throttled_ms: throttledMs === null ? null : roundToUs(throttledMs),
  };
}
