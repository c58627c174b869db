/**
 * Runs side by side: their figures, and how sure the differences are. Pure.
 *
 * @module
 */

import { type Difference, quantileDifference } from "./intervals.ts";
import { type Markup, markup } from "./markup.ts";
import { cell, plainTable } from "./overview.ts";
import { gather, type ReadRun } from "./run_columns.ts";
import { quantileOfSorted, type RunSummary, type TaskFigures, taskFigures } from "./summary.ts";
import { countText, durationText, memoryText, numberText, shareText, shownName } from "./words.ts";

/** One figure of two runs. */
export interface ComparedFigure {
  readonly name: string;
  readonly first: number | null;
  readonly second: number | null;
  /** Of the quantile over tasks, with its 95 % interval; null: it is no quantile, or there are too few. */
  readonly difference: Difference | null;
}

/** A run against the first one of a report. */
export interface RunComparison {
  readonly first: string;
  readonly second: string;
  readonly figures: readonly ComparedFigure[];
  /** Tasks of the same name in both. */
  readonly matched: number;
}

type Text = (value: number | null) => string;

interface Compared {
  readonly name: string;
  readonly text: Text;
  readonly of: (figures: TaskFigures) => Float64Array;
  readonly p: number;
}

const QUANTILES: readonly Compared[] = [
  { name: "wait, median", text: durationText, of: ({ wait }) => wait, p: 0.5 },
  { name: "wait, p95", text: durationText, of: ({ wait }) => wait, p: 0.95 },
  { name: "run time, median", text: durationText, of: ({ run }) => run, p: 0.5 },
  { name: "run time, p95", text: durationText, of: ({ run }) => run, p: 0.95 },
  { name: "slowdown, median", text: numberText, of: ({ slowdown }) => slowdown, p: 0.5 },
  { name: "slowdown, p95", text: numberText, of: ({ slowdown }) => slowdown, p: 0.95 },
  { name: "used of reserved, median", text: shareText, of: ({ usedShare }) => usedShare, p: 0.5 },
  { name: "peak memory, median", text: memoryText, of: ({ memoryKb }) => memoryKb, p: 0.5 },
];

interface WholeFigure {
  readonly name: string;
  readonly text: Text;
  readonly of: (summary: RunSummary) => number | null;
}

const WHOLE: readonly WholeFigure[] = [
  { name: "tasks", text: countText, of: ({ tasks }) => tasks },
  { name: "tasks done", text: countText, of: ({ states }) => states.done ?? 0 },
  { name: "makespan", text: durationText, of: ({ makespan_ms }) => makespan_ms },
  { name: "vCPUs reserved, mean", text: numberText, of: ({ reserved_vcpus }) => reserved_vcpus },
  { name: "cores in use, mean", text: numberText, of: ({ used_cores_mean }) => used_cores_mean },
];

/** A run with its figures. */
export interface SummedRun {
  readonly run: ReadRun;
  readonly summary: RunSummary;
}

/** Known values of the tasks that count, sorted. */
export function sortedValues(values: Float64Array, { counted }: TaskFigures): Float64Array {
  return gather(values, counted).filter((one) => !Number.isNaN(one)).sort();
}

/** Compare `second` with `first`. */
export function compareRuns(first: SummedRun, second: SummedRun): RunComparison {
  const [a, b] = [taskFigures(first.run.tasks), taskFigures(second.run.tasks)];
  const whole = WHOLE.map(({ name, of }) => ({
    name,
    first: of(first.summary),
    second: of(second.summary),
    difference: null,
  }));
  const quantiles = QUANTILES.map(({ name, of, p }): ComparedFigure => {
    const [x, y] = [sortedValues(of(a), a), sortedValues(of(b), b)];
    const difference = quantileDifference(x, { second: y, p });
    const at = (sorted: Float64Array) => sorted.length === 0 ? null : quantileOfSorted(sorted, p);
    return { name, first: at(x), second: at(y), difference };
  });
  const names = new Set(first.run.tasks.ids);
  const matched = second.run.tasks.ids.filter((one) => names.has(one)).length;
  return {
    first: first.summary.name,
    second: second.summary.name,
    figures: [...whole, ...quantiles],
    matched,
  };
}

function textOf(name: string): Text {
  return [...WHOLE, ...QUANTILES].find((one) => one.name === name)?.text ?? numberText;
}

function signed(value: number, text: Text): string {
  return value < 0 ? `−${text(-value)}` : `${value > 0 ? "+" : ""}${text(value)}`;
}

/** Whether the interval of a difference leaves no doubt about its direction. */
function verdictOf({ low, high }: Difference): string {
  return low > 0 ? "higher" : high < 0 ? "lower" : "no clear difference";
}

/** Each run against the first, as markup. */
export function comparisonOf(comparisons: readonly RunComparison[]): Markup {
  return markup`<p>Differences are of the run on the right from the one on the left, with 95 % intervals
(percentile bootstrap of the quantile over tasks). They say how far another sample of such tasks could
differ, not how far another run on another day would: for that, repeat the run.</p>${
    comparisons.map(({ first, second, figures, matched }, at) =>
      markup`
        <figure
          data-name="comparison-${at + 1}"><h3><bdi>${shownName(first)}</bdi> and <bdi>${
        shownName(
          second,
        )
      }</bdi></h3><p class="note">${
        countText(
          matched,
        )
      } tasks have the same name in both.</p>${
        plainTable(
          ["", shownName(first), shownName(second), "difference", "95 % interval", "so it is"],
          figures.map(({ name, first, second, difference }) => {
            const text = textOf(name);
            const plain = difference === null && first !== null && second !== null
              ? signed(second - first, text)
              : "";
            return [
              markup`<th scope="row">${name}</th>`,
              cell(first, text),
              cell(second, text),
              markup`<td>${difference === null ? plain : signed(difference.value, text)}</td>`,
              markup`<td>${
                difference === null
                  ? ""
                  : `${signed(difference.low, text)} to ${signed(difference.high, text)}`
              }</td>`,
              markup`<td>${difference === null ? "" : verdictOf(difference)}</td>`,
            ];
          }),
        )
      }</figure>
      `
    )
  }`;
}
