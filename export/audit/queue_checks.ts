/**
 * Checks of the audit on what the queue says: data that it lost, and decisions that contradict each other.
 *
 * @module
 */

import { counted } from "../../trace/counted.ts";
import type { Results } from "../cts/attempt_records.ts";
import type { AuditFacts } from "./facts.ts";
import { type Finding, onCount, onSome } from "./finding.ts";

/** Findings on the queue of a run. */
export function queueFindings({ inputs }: AuditFacts): Finding[] {
  const { dataLosses, results } = inputs;
  const first = dataLosses.reduce((least, { ts_ms }) => Math.min(least, ts_ms), Infinity);
  return [
    ...onCount(dataLosses.length, {
      check: "queue_data_lost",
      what: `Redis lost data of the queue, told ${counted(dataLosses.length, "time")}, first at ` +
        `${Number.isFinite(first) ? new Date(first).toISOString() : "?"}`,
      cost: "Tasks may have run again, and results that were not on a disk yet are missing.",
      action: "Run Redis with appendonly yes and noeviction: --require-durable refuses any other.",
    }),
    ...onSome(contradictions(results), {
      check: "contradicting_results",
      what: (count) => `${count} attempts have contradicting results`,
      cost: "The queue's acceptance counts, not what a worker was told later.",
      action: "A worker was cut off for long: see results.jsonl of controller and node.",
    }),
  ];
}

/** Attempts on one node of which results say more than one thing. */
function contradictions(results: Results): string[] {
  return [...results].flatMap(([taskId, decisions]) => {
    const byAttempt = Map.groupBy(decisions, ({ attempt, node }) => `${attempt} ${node}`);
    return [...byAttempt.values()].flatMap((some) => {
      const states = new Set(some.map(({ state }) => state));
      const attempt = some[0]?.attempt ?? null;
      if (attempt === null || states.size < 2) return [];
      return [`${taskId} (attempt ${attempt}): ${[...states].join(", ")}`];
    });
  });
}
