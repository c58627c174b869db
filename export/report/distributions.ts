/**
 * Which distributions a report shows, of which tasks.
 *
 * @module
 */

import { sortedValues, type SummedRun } from "./comparison.ts";
import {
  ecdfFigure,
  type Figure,
  histogramFigure,
  progressFigure,
  rangeFigure,
  type RangeRow,
  type Series,
} from "./figures.ts";
import { QUANTITIES } from "./axes.ts";
import { pairFigures } from "./pairs.ts";
import { type TaskFigures, taskFigures } from "./summary.ts";
import { shownName } from "./words.ts";

/** Profiles up to which each has a curve of its own; more would not be told apart. */
const PROFILE_CURVES = 6;

interface Part {
  readonly name: string;
  readonly run: SummedRun;
  readonly figures: TaskFigures;
  /** vCPUs that its tasks reserve, if all the same; null otherwise. */
  readonly units: number | null;
}

/** Tasks of one run by profile, or all of them. */
function partsOf(summed: SummedRun, { isWhole }: { readonly isWhole: boolean }): Part[] {
  const { tasks } = summed.run;
  const figures = taskFigures(tasks);
  const { codes, names } = tasks.codes("profile");
  const profiles = summed.summary.profiles;
  if (isWhole) {
    return [{
      name: shownName(summed.summary.name),
      run: summed,
      figures,
      units: sameUnits(tasks.units, figures.counted),
    }];
  }
  return profiles.map(({ name }) => {
    const code = names.indexOf(name);
    const counted = figures.counted.filter((row) => codes[row] === code);
    return {
      name: shownName(name) || "no profile",
      run: summed,
      figures: { ...figures, counted },
      units: sameUnits(tasks.units, counted),
    };
  });
}

function sameUnits(units: Float64Array, counted: Uint32Array): number | null {
  const [first] = counted;
  if (first === undefined) return null;
  const one = units[first] as number;
  return Number.isNaN(one) || counted.some((row) => units[row] !== one) ? null : one;
}

function seriesOf(parts: readonly Part[], of: (figures: TaskFigures) => Float64Array): Series[] {
  return parts.map(({ name, figures }) => ({ name, values: sortedValues(of(figures), figures) }))
    .filter(({ values }) => values.length > 0);
}

function rangeRows(
  parts: readonly Part[],
  { of, isMarked }: {
    readonly of: (figures: TaskFigures) => Float64Array;
    readonly isMarked: boolean;
  },
): RangeRow[] {
  return parts.map(({ name, figures, units }) => ({
    name,
    sorted: sortedValues(of(figures), figures),
    mark: isMarked ? units : null,
  }));
}

/** How figures are drawn. */
export interface DrawOptions {
  /** Width, px. Default: that of the page. */
  readonly width?: number;
}

/** The distributions of a report on `runs`: by profile of a single run, else by run. */
export function distributionFigures(
  runs: readonly SummedRun[],
  draw: DrawOptions = {},
): Figure[] {
  const isSingle = runs.length === 1;
  const [first] = runs;
  if (first === undefined) return [];
  const byProfile = partsOf(first, { isWhole: false });
  const curves = isSingle && byProfile.length <= PROFILE_CURVES
    ? byProfile
    : runs.flatMap((one) => partsOf(one, { isWhole: true }));
  const rows = isSingle
    ? byProfile
    : runs.flatMap((one) =>
      partsOf(one, { isWhole: false }).map((part) => ({
        ...part,
        name: `${part.name}, ${shownName(one.summary.name)}`,
      })).sort((a, b) => a.name < b.name ? -1 : 1)
    );
  const quantities = [
    { quantity: QUANTITIES.wait, of: ({ wait }: TaskFigures) => wait },
    { quantity: QUANTITIES.run, of: ({ run }: TaskFigures) => run },
    { quantity: QUANTITIES.slowdown, of: ({ slowdown }: TaskFigures) => slowdown },
  ];
  const spread = quantities.flatMap(({ quantity, of }) => {
    const series = seriesOf(curves, of);
    return series.length === 0 ? [] : [
      ecdfFigure(series, { ...quantity, ...draw }),
      histogramFigure(series, { ...quantity, ...draw }),
    ];
  });
  const pairs = runs.slice(1, 2).flatMap((second) => pairFigures(first, second));
  return [
    ...pairs,
    ...spread,
    ...usageFigures(rows, draw),
    ...runs.slice(0, 1).map((one) => progressOf(one, draw)),
  ];
}

function usageFigures(rows: readonly Part[], draw: DrawOptions): Figure[] {
  const used = rangeRows(rows, { of: ({ usedCores }) => usedCores, isMarked: true });
  const memory = rangeRows(rows, { of: ({ memoryKb }) => memoryKb, isMarked: false });
  const figures: Figure[] = [];
  if (used.some(({ sorted }) => sorted.length > 0)) {
    figures.push(rangeFigure(used, {
      ...draw,
      id: "used-and-reserved",
      title: "Used against reserved",
      meaning: "Cores that a task used on average over its run time",
      axis: "Cores in use",
      column: "cores in use",
      markMeaning: "vCPUs reserved",
      kind: "cores",
    }));
  }
  if (memory.some(({ sorted }) => sorted.length > 0)) {
    figures.push(rangeFigure(memory, {
      ...draw,
      id: "memory",
      title: "Peak memory of a task",
      meaning: "Largest resident memory of a task",
      axis: "Peak resident memory",
      column: "peak memory (KiB)",
      markMeaning: null,
      kind: "memory",
    }));
  }
  return figures;
}

function progressOf({ run }: SummedRun, draw: DrawOptions): Figure {
  const { tasks, head } = run;
  const figures = taskFigures(tasks);
  const ends = tasks.start.map((one, at) => one + (tasks.run[at] as number));
  const series =
    ([["submitted", tasks.enqueue], ["started", tasks.start], ["ended", ends]] as const)
      .map(([name, values]) => ({ name, values: sortedValues(values, figures) }))
      .filter(({ values }) => values.length > 0);
  return progressFigure(series, { ...draw, spanMs: Math.max(1, head.spanMs) });
}
