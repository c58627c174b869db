/** What an experiment found: each cell with intervals over its repeats, and each against the first. */

import { compareSides, comparisonLines, type Side } from "../../export/summary/compare.ts";
import { meanInterval } from "../../export/summary/statistics.ts";
import { summarizeRun } from "../../export/summary/summary.ts";
import { durationText, type Paint, tableLines, wrap } from "../../export/summary/text.ts";
import { openTableRun } from "../../export/tables/run.ts";
import type { TaskRow } from "../../export/tables/task_tables.ts";

/** A run of a cell. */
export interface CellRun {
  /** Name of its cell: policy, arrivals, replicate. */
  readonly cell: string;
  /** Its folder. */
  readonly folder: string;
}

/** The cells with their repeats, in the order of the runs; without the tasks of the warm-up. */
export async function readCells(
  runs: readonly CellRun[],
  { warmUpMs }: { readonly warmUpMs: number },
): Promise<Side[]> {
  const cells = new Map<string, Side & { runs: Side["runs"][number][] }>();
  for (const { cell, folder } of runs) {
    const run = await openTableRun(folder);
    const { makespan_ms, cpu_used_ratio } = await summarizeRun(run);
    const side = cells.get(cell) ?? { name: cell, runs: [] };
    cells.set(cell, side);
    side.runs.push({ makespan_ms, cpu_used_ratio, tasks: afterWarmUp(run.tasks, warmUpMs) });
  }
  return [...cells.values()];
}

/** The tasks that were enqueued later than so long after the first. */
export function afterWarmUp(tasks: readonly TaskRow[], warmUpMs: number): TaskRow[] {
  const first = tasks.reduce((least, one) => Math.min(least, one.ts_enqueue ?? Infinity), Infinity);
  return tasks.filter(({ ts_enqueue }) => ts_enqueue === null || ts_enqueue >= first + warmUpMs);
}

/** The lines that show the cells; the second is the A/A check of the first. */
export function experimentLines(cells: readonly Side[], paint: Paint): string[] {
  const [first, check, ...others] = cells;
  if (first === undefined || check === undefined) return ["No run is done."];
  return [
    ...cellTable(cells, paint),
    "",
    ...checkLines(first, check, paint),
    ...others.flatMap((other) => ["", ...comparisonLines({ base: first, other }, paint)]),
  ];
}

function cellTable(cells: readonly Side[], paint: Paint): string[] {
  const [heading = "", ...lines] = tableLines([
    ["cell", "runs", "makespan", "95 % interval", "wait p50", "95 % interval"],
    ...cells.map(({ name, runs }) => [
      name,
      String(runs.length),
      ...estimateOf(runs.flatMap(({ makespan_ms }) => makespan_ms ?? [])),
      ...estimateOf(runs.flatMap(({ tasks }) => medianWait(tasks))),
    ]),
  ], { texts: 1, textWidth: 26 });
  return [paint.faint(heading), ...lines, "Intervals of the mean over the repeats, Student's t."];
}

function medianWait(tasks: readonly TaskRow[]): number[] {
  const waits = tasks.flatMap(({ wait_ms }) => wait_ms ?? []).sort((a, b) => a - b);
  const middle = waits[Math.floor(waits.length / 2)];
  return middle === undefined ? [] : [middle];
}

function estimateOf(values: readonly number[]): string[] {
  if (values.length === 0) return ["-", "-"];
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const interval = meanInterval(values);
  return [
    durationText(mean),
    interval === null ? "-" : `${durationText(interval.low)} … ${durationText(interval.high)}`,
  ];
}

/** Two sets of runs with the same settings: what differs there is not the policy. */
function checkLines(first: Side, check: Side, paint: Paint): string[] {
  const differing = compareSides(first, check).filter(({ interval_percent: found }) =>
    found !== null && (found.low > 0 || found.high < 0)
  );
  if (differing.length === 0) {
    return [paint.good("A/A check: no measure of the repeated first cell differs.")];
  }
  const names = differing.map(({ measure }) => measure).join(", ");
  return wrap(
    `A/A check: ${names} differ between runs with the same settings; differences of that size ` +
      "say nothing about a policy.",
  ).map(paint.bad);
}
