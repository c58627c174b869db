/**
 * Runs beside each other: how much each measure changed, with an interval, and whether the tasks tend to
 * differ.
 *
 * A side is one run, or several repeats of it. With two or more repeats on both sides the interval is
 * that of the ratio of means over the repeats (Welch's t on logarithms): it holds what differs from run
 * to run. With one run on a side it is the bootstrap interval over tasks: it takes tasks as independent,
 * which neighbours in one queue are not, so that it is too narrow for waits.
 *
 * @module
 */

import type { TaskRow } from "../tables/task_tables.ts";
import {
  type Interval,
  quantileRatioInterval,
  quantileSorted,
  type RankTest,
  rankTest,
  ratioOfMeansInterval,
  sortedKnown,
} from "./statistics.ts";
import {
  cut,
  durationText,
  numberText,
  type Paint,
  percentText,
  SCREEN_COLUMNS,
  tableLines,
  wrap,
} from "./text.ts";

/** One side of a comparison. */
export interface Side {
  /** How it is called. */
  readonly name: string;
  /** The repeats, at least one. */
  readonly runs: readonly SideRun[];
}

/** A run as a comparison takes it. */
export interface SideRun {
  /** From the first enqueue to the last end, ms; null where nothing ended. */
  readonly makespan_ms: number | null;
  /** CPU time used relative to the vCPU time reserved; null: nothing was reserved. */
  readonly cpu_used_ratio: number | null;
  /** Its tasks. */
  readonly tasks: readonly TaskRow[];
}

/** What is compared. */
export const MEASURES = [
  "makespan",
  "wait-p50",
  "wait-p95",
  "run-p50",
  "run-p95",
  "slowdown-p50",
  "cpu-p50",
  "cpu-used",
] as const;
/** What is compared. */
export type Measure = typeof MEASURES[number];

/** A measure that is a quantile over tasks. */
interface TaskQuantile {
  readonly column: "wait_ms" | "run_ms" | "slowdown" | "cpu_ms";
  readonly p: number;
}

const QUANTILES: Readonly<Partial<Record<Measure, TaskQuantile>>> = {
  "wait-p50": { column: "wait_ms", p: 0.5 },
  "wait-p95": { column: "wait_ms", p: 0.95 },
  "run-p50": { column: "run_ms", p: 0.5 },
  "run-p95": { column: "run_ms", p: 0.95 },
  "slowdown-p50": { column: "slowdown", p: 0.5 },
  "cpu-p50": { column: "cpu_ms", p: 0.5 },
};

/** How one measure changed. */
export interface MeasureChange {
  /** The measure. */
  readonly measure: Measure;
  /** Mean over the repeats of the first side; null: not known. */
  readonly base: number | null;
  /** The same of the second side. */
  readonly other: number | null;
  /** Change from the first to the second, percent; null: not known. */
  readonly change_percent: number | null;
  /** 95 % interval of the change, percent; null: there is too little to tell. */
  readonly interval_percent: Interval | null;
  /** Over what the interval is. */
  readonly interval_over: "runs" | "tasks" | null;
  /** All tasks of one side against all of the other; null for a measure that no task has. */
  readonly ranks: RankTest | null;
}

/** Every measure of `other` against `base`. */
export function compareSides(base: Side, other: Side): MeasureChange[] {
  return MEASURES.map((measure) => changeOf(measure, { base, other }));
}

function changeOf(
  measure: Measure,
  { base, other }: { readonly base: Side; readonly other: Side },
): MeasureChange {
  const a = valuesOf(base, measure);
  const b = valuesOf(other, measure);
  const from = meanOf(a);
  const to = meanOf(b);
  const quantile = QUANTILES[measure] ?? null;
  const tasks = quantile && {
    a: pooled(base, quantile.column),
    b: pooled(other, quantile.column),
  };
  const isRepeated = Math.min(a.length, b.length) > 1;
  const ratio = isRepeated
    ? ratioOfMeansInterval(a, b)
    : tasks === null
    ? null
    : quantileRatioInterval(tasks, quantile?.p ?? 0.5);
  return {
    measure,
    base: from,
    other: to,
    change_percent: from === null || to === null || from === 0 ? null : 100 * (to / from - 1),
    interval_percent: ratio && { low: 100 * (ratio.low - 1), high: 100 * (ratio.high - 1) },
    interval_over: ratio === null ? null : isRepeated ? "runs" : "tasks",
    ranks: tasks === null || tasks.a.length === 0 || tasks.b.length === 0
      ? null
      : rankTest(tasks.a, tasks.b),
  };
}

/** The measure of each repeat that knows it. */
function valuesOf({ runs }: Side, measure: Measure): number[] {
  const quantile = QUANTILES[measure];
  const values = runs.map((run) => {
    if (quantile === undefined) {
      return measure === "makespan" ? run.makespan_ms : run.cpu_used_ratio;
    }
    const sorted = sortedKnown(run.tasks.map((task) => task[quantile.column]));
    return sorted.length === 0 ? null : quantileSorted(sorted, quantile.p);
  });
  return values.filter((one) => one !== null);
}

function pooled({ runs }: Side, column: TaskQuantile["column"]): Float64Array {
  return sortedKnown(runs.flatMap(({ tasks }) => tasks.map((task) => task[column])));
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, one) => sum + one, 0) / values.length;
}

/** Shares and slowdowns have no unit of time. */
function writerOf(measure: Measure): (value: number | null) => string {
  if (measure === "cpu-used") return percentText;
  return measure === "slowdown-p50" ? numberText : durationText;
}

/** The lines that show `other` beside `base`. */
export function comparisonLines(
  { base, other }: { readonly base: Side; readonly other: Side },
  paint: Paint,
): string[] {
  const changes = compareSides(base, other);
  const rows = changes.map((one) => {
    const write = writerOf(one.measure);
    return [
      one.measure,
      write(one.base),
      write(one.other),
      one.change_percent === null ? "-" : signed(one.change_percent),
      intervalText(one.interval_percent).replace(" %", ""),
      pText(one.ranks),
      one.ranks === null ? "-" : one.ranks.delta.toFixed(2),
      one.ranks?.effect ?? "-",
    ];
  });
  const headings = ["", "A", "B", "change", "interval, %", "p", "delta", "effect"];
  const [heading = "", ...lines] = tableLines([headings, ...rows], { texts: 1 });
  const over = new Set(changes.map(({ interval_over }) => interval_over));
  return [
    paint.strong(cut(`A: ${sideText(base)}`, SCREEN_COLUMNS)),
    paint.strong(cut(`B: ${sideText(other)}`, SCREEN_COLUMNS)),
    paint.faint(heading),
    ...lines,
    ...(over.has("tasks")
      ? wrap(
        "Intervals: 95 %, bootstrap over tasks; neighbours in a queue are not independent, repeats are.",
      )
      : []),
    ...(over.has("runs") ? ["Intervals: 95 %, over the repeats (Welch's t on logarithms)."] : []),
    ...wrap(
      "p: Mann-Whitney over tasks; delta: Cliff's, above 0 where B tends to be larger; " +
        "effect: its size by Romano and others (2006).",
    ),
  ];
}

function sideText({ name, runs }: Side): string {
  const tasks = runs.reduce((sum, one) => sum + one.tasks.length, 0);
  return `${name} (${tasks} tasks${runs.length > 1 ? ` in ${runs.length} repeats` : ""})`;
}

/** A change in percent with its sign. */
export function signed(percent: number): string {
  return `${percent < 0 ? "" : "+"}${percent.toFixed(Math.abs(percent) < 100 ? 1 : 0)} %`;
}

/** The interval of a change; `-` where there is none. */
export function intervalText(interval: Interval | null): string {
  if (interval === null) return "-";
  const digits = Math.max(Math.abs(interval.low), Math.abs(interval.high)) < 100 ? 1 : 0;
  return `[${interval.low.toFixed(digits)}, ${interval.high.toFixed(digits)}] %`;
}

function pText(ranks: RankTest | null): string {
  if (ranks === null || ranks.p === null) return "-";
  return ranks.p < 0.0001 ? "<0.0001" : ranks.p.toFixed(4);
}
