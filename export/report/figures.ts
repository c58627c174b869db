/**
 * The distributions of a report as pictures, each with the table that it is drawn from.
 *
 * @module
 */

import { countMark, type LogAxis, logAxis, memoryUnit, type Quantity } from "./axes.ts";
import { drawSvg, Plot } from "./plot.ts";
import { quantileOfSorted } from "./summary.ts";
import { countText, numberText } from "./words.ts";

/** Values of one kind: a profile, a run. */
export interface Series {
  readonly name: string;
  /** Known values, in any order. */
  readonly values: Float64Array;
}

/** A picture with its table. */
export interface Figure {
  /** Name within the page and of its files. */
  readonly id: string;
  readonly title: string;
  /** What it shows, with how many values it has. */
  readonly caption: string;
  readonly svg: string;
  /** Names of the table's columns, with units. */
  readonly columns: readonly string[];
  /** Its rows. */
  readonly rows: readonly (readonly (string | number)[])[];
  /** Names of the series, in the order of the colours; empty: it needs no legend. */
  readonly legend: readonly string[];
  /** True where series are areas, not lines. Default: lines. */
  readonly hasAreas?: boolean;
}

/** Colours of series, in order; beyond them they repeat with other strokes. */
export const COLOURS = 7;

/** Strokes of series, so that none is told by its colour alone. */
const DASHES = ["none", "6 3", "2 2", "8 3 2 3", "10 4", "1 3", "5 2 1 2"];

const WIDTH = 460;
const MARGINS = { marginLeft: 44, marginRight: 14 } as const;

/** Points of a curve at most. */
const POINTS = 300;

/** Stroke of the series at `place`: lengths of lines and gaps. */
export function strokeOf(place: number): string {
  return DASHES[place % DASHES.length] as string;
}

/** Colour of the series at `place`. */
function colourOf(place: number): string {
  return `var(--series-${place % COLOURS})`;
}

/** Marks of a logarithmic axis; by itself the library writes beside powers of ten only. */
function axisMarks({ ticks }: LogAxis, label: string): Plot.Markish[] {
  const texts = new Map(ticks);
  return [Plot.axisX(ticks.map(([value]) => value), {
    text: (value: number) => texts.get(value) ?? "",
    label,
    labelAnchor: "center",
    labelArrow: "none",
    labelOffset: 38,
  })];
}

/** Points of an empirical distribution: value, and part of all values up to it. */
function ecdfPoints(sorted: Float64Array): [number, number][] {
  const count = sorted.length;
  if (count <= POINTS) return Array.from(sorted, (one, at) => [one, (at + 1) / count]);
  return Array.from({ length: POINTS }, (_, at) => {
    const part = (at + 1) / POINTS;
    return [sorted[Math.ceil(part * count) - 1] as number, part];
  });
}

/** The share of values up to each, one curve per series. */
export function ecdfFigure(series: readonly Series[], quantity: Quantity): Figure {
  const sorted = series.map(({ name, values }) => ({ name, values: values.slice().sort() }));
  const axis = logAxis(sorted.map(({ values }) => values), quantity);
  const { domain } = axis;
  const lines = sorted.map(({ values }, at) =>
    Plot.line(
      [[domain[0], 0], ...ecdfPoints(values), [domain[1], 1]] as [number, number][],
      {
        x: ([value]) => Math.max(value, domain[0]),
        y: "1",
        curve: "step-after",
        stroke: colourOf(at),
        strokeWidth: 1.6,
        strokeDasharray: strokeOf(at),
      },
    )
  );
  const id = `${quantity.id}-ecdf`;
  const caption = `${quantity.meaning}: share of tasks up to each value, ${countsOf(series)}.`;
  return {
    id,
    title: `${quantity.title}, cumulative`,
    caption,
    svg: drawSvg({
      ...MARGINS,
      width: quantity.width ?? WIDTH,
      height: 220,
      marginBottom: 42,
      x: { type: "log", domain: [...domain], clamp: true, axis: null },
      y: {
        domain: [0, 1],
        ticks: [0, 0.25, 0.5, 0.75, 1],
        tickFormat: (one: number) => `${one * 100} %`,
        label: null,
      },
      marks: [
        Plot.ruleY([0.5], { stroke: "var(--rule)" }),
        ...lines,
        ...axisMarks(axis, quantity.axis),
      ],
    }, { id, title: `${quantity.title}, cumulative`, description: caption }),
    columns: ["", "count", ...QUANTILES.map(([name]) => `${name} of ${quantity.column}`)],
    rows: sorted.map(({ name, values }) => [
      name,
      values.length,
      ...QUANTILES.map(([, p]) => quantileOfSorted(values, p)),
    ]),
    legend: series.length > 1 ? series.map(({ name }) => name) : [],
  };
}

const QUANTILES: readonly (readonly [string, number])[] = [
  ["least", 0],
  ["p25", 0.25],
  ["median", 0.5],
  ["p75", 0.75],
  ["p95", 0.95],
  ["p99", 0.99],
  ["most", 1],
];

function countsOf(series: readonly Series[]): string {
  const sum = series.reduce((all, { values }) => all + values.length, 0);
  return `N = ${countText(sum)}`;
}

/** Bars of a histogram over a logarithmic axis. */
const BARS = 36;

/** How many values fall into each of equal steps of a logarithmic axis, all series together. */
export function histogramFigure(series: readonly Series[], quantity: Quantity): Figure {
  const axis = logAxis(series.map(({ values }) => values), quantity);
  const { domain } = axis;
  const [low, high] = [Math.log(domain[0]), Math.log(domain[1])];
  const edge = (bar: number) => Math.exp(low + (high - low) * bar / BARS);
  const counts = series.map(({ values }) => {
    const bars = new Float64Array(BARS);
    for (const one of values) {
      const place = Math.floor((Math.log(Math.max(one, domain[0])) - low) / (high - low) * BARS);
      const bar = Math.min(BARS - 1, Math.max(0, place));
      bars[bar] = (bars[bar] as number) + 1;
    }
    return bars;
  });
  const id = `${quantity.id}-histogram`;
  const caption = `${quantity.meaning}: tasks in ${BARS} equal steps of a logarithmic axis, ${
    countsOf(series)
  }.`;
  const bars = counts.flatMap((one, at) =>
    Array.from(one, (count, bar) => ({ from: edge(bar), to: edge(bar + 1), count, at }))
  ).filter(({ count }) => count > 0);
  return {
    id,
    title: `${quantity.title}, histogram`,
    caption,
    svg: drawSvg({
      ...MARGINS,
      width: quantity.width ?? WIDTH,
      height: 156,
      marginBottom: 42,
      x: { type: "log", domain: [...domain], clamp: true, axis: null },
      y: { label: null, ticks: 3, tickFormat: countMark },
      marks: [
        Plot.rectY(
          bars,
          Plot.stackY({
            x1: "from",
            x2: "to",
            y: "count",
            fill: ({ at }: { at: number }) => colourOf(at),
            z: "at",
            insetLeft: 0.5,
            insetRight: 0.5,
          }),
        ),
        Plot.ruleY([0], { stroke: "currentColor" }),
        ...axisMarks(axis, quantity.axis),
      ],
      color: { type: "identity" },
    }, { id, title: `${quantity.title}, histogram`, description: caption }),
    columns: [
      `from ${quantity.column}`,
      `to ${quantity.column}`,
      ...series.map(({ name }) => name),
    ],
    rows: Array.from({ length: BARS }, (_, bar) => [
      edge(bar),
      edge(bar + 1),
      ...counts.map((one) => one[bar] as number),
    ]),
    hasAreas: true,
    legend: series.length > 1 ? series.map(({ name }) => name) : [],
  };
}

/** How one kind of task is spread, beside a mark of what is to compare it with. */
export interface RangeRow {
  readonly name: string;
  /** Known values, sorted. */
  readonly sorted: Float64Array;
  /** What it is compared with: the reservation; null: nothing. */
  readonly mark: number | null;
}

/** What a figure of ranges shows. */
export interface RangeQuantity {
  readonly id: string;
  readonly title: string;
  readonly meaning: string;
  readonly axis: string;
  readonly column: string;
  /** What the mark is; null: there are none. */
  readonly markMeaning: string | null;
  readonly kind: "cores" | "memory";
  /** Width of the picture, px. Default: that of the page. */
  readonly width?: number;
}

/** Middle half, 5th to 95th percentile and median of each row, beside its mark. */
export function rangeFigure(rows: readonly RangeRow[], quantity: RangeQuantity): Figure {
  const most = rows.reduce((all, { sorted }) => Math.max(all, sorted[sorted.length - 1] ?? 0), 0);
  const unit = quantity.kind === "memory" ? memoryUnit(most) : { name: null, kb: 1 };
  const ranges = rows.filter(({ sorted }) => sorted.length > 0).map(({ name, sorted, mark }) => ({
    name,
    mark,
    count: sorted.length,
    p5: quantileOfSorted(sorted, 0.05),
    p25: quantileOfSorted(sorted, 0.25),
    p50: quantileOfSorted(sorted, 0.5),
    p75: quantileOfSorted(sorted, 0.75),
    p95: quantileOfSorted(sorted, 0.95),
  }));
  const marked = ranges.filter(({ mark }) => mark !== null);
  const caption =
    `${quantity.meaning}: thin line 5th to 95th percentile, thick line middle half, ` +
    `dot median${marked.length > 0 ? `, bar ${quantity.markMeaning}` : ""}; N = ${
      countText(ranges.reduce((sum, { count }) => sum + count, 0))
    }.`;
  const longest = ranges.reduce((most, { name }) => Math.max(most, name.length), 0);
  const line = { y: "name", stroke: "var(--series-0)" } as const;
  return {
    id: quantity.id,
    title: quantity.title,
    caption,
    svg: drawSvg({
      width: quantity.width ?? WIDTH,
      marginBottom: 42,
      height: 62 + 26 * Math.max(1, ranges.length),
      marginLeft: Math.min(190, 20 + 6.2 * longest),
      marginRight: 24,
      x: {
        zero: true,
        ticks: 5,
        nice: true,
        transform: (value: number) => value / unit.kb,
        tickFormat: numberText,
        label: unit.name === null ? quantity.axis : `${quantity.axis}, ${unit.name}`,
        labelAnchor: "center",
        labelArrow: "none",
        labelOffset: 36,
        grid: true,
      },
      y: { label: null, tickSize: 0, domain: ranges.map(({ name }) => name) },
      marks: [
        Plot.ruleY(ranges, { ...line, x1: "p5", x2: "p95", strokeWidth: 1.2 }),
        Plot.ruleY(ranges, { ...line, x1: "p25", x2: "p75", strokeWidth: 5 }),
        Plot.dot(ranges, {
          x: "p50",
          y: "name",
          r: 4,
          fill: "var(--paper)",
          stroke: "var(--series-0)",
          strokeWidth: 2,
        }),
        Plot.tickX(marked, { x: "mark", y: "name", stroke: "currentColor", strokeWidth: 2.5 }),
      ],
    }, { id: quantity.id, title: quantity.title, description: caption }),
    columns: [
      "",
      "count",
      ...["p5", "p25", "median", "p75", "p95"].map((one) => `${one} of ${quantity.column}`),
      ...(marked.length > 0 ? [quantity.markMeaning ?? ""] : []),
    ],
    rows: ranges.map(({ name, count, p5, p25, p50, p75, p95, mark }) => [
      name,
      count,
      p5,
      p25,
      p50,
      p75,
      p95,
      ...(marked.length > 0 ? [mark ?? ""] : []),
    ]),
    legend: [],
  };
}

/** Curves of a count over the time of a run: arrivals, starts, ends. */
export function progressFigure(
  series: readonly Series[],
  { spanMs, width = WIDTH }: { readonly spanMs: number; readonly width?: number },
): Figure {
  const sorted = series.map(({ name, values }) => ({ name, values: values.slice().sort() }));
  const id = "progress";
  const caption = "Tasks submitted, started and ended up to each moment. The horizontal distance " +
    "between two curves is how long a task waited or ran, the vertical one how many did so at once; " +
    `N = ${countText(sorted[0]?.values.length ?? 0)}.`;
  const minute = 60_000;
  const [unit, unitMs] = spanMs > 180 * minute
    ? ["hours", 60 * minute] as const
    : spanMs > 3 * minute
    ? ["minutes", minute] as const
    : ["seconds", 1000] as const;
  const title = "Arrivals, starts and ends";
  return {
    id,
    title,
    caption,
    svg: drawSvg({
      ...MARGINS,
      width,
      height: 250,
      marginBottom: 42,
      x: {
        domain: [0, spanMs / unitMs],
        label: `Time since the first event, ${unit}`,
        labelAnchor: "center",
        labelArrow: "none",
        labelOffset: 36,
        ticks: 6,
      },
      y: { label: null, ticks: 5, tickFormat: countMark, grid: true },
      marks: sorted.map(({ values }, at) =>
        Plot.line(
          [
            [values[0] ?? 0, 0],
            ...ecdfPoints(values).map(([ms, part]) => [ms, part * values.length]),
            [spanMs, values.length],
          ],
          {
            x: ([ms]: number[]) => (ms as number) / unitMs,
            y: "1",
            curve: "step-after",
            stroke: colourOf(at),
            strokeWidth: 1.6,
            strokeDasharray: strokeOf(at),
          },
        )
      ),
    }, { id, title, description: caption }),
    columns: ["", "count", ...QUANTILES.map(([name]) => `${name} of time (ms)`)],
    rows: sorted.filter(({ values }) => values.length > 0).map(({ name, values }) => [
      name,
      values.length,
      ...QUANTILES.map(([, p]) => quantileOfSorted(values, p)),
    ]),
    legend: sorted.map(({ name }) => name),
  };
}
