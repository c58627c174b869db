/// <reference lib="dom" />
/**
 * Curves over the time of the timeline: tasks, vCPUs, memory.
 *
 * @module
 */

import uPlot from "uplot";
import { loadOf, resampled } from "../load.ts";
import type { ReadRun } from "../run_columns.ts";
import { durationText, memoryText, numberText, timeTicks } from "../words.ts";
import { styleValue } from "./colouring.ts";
import { gutterOf } from "./gantt.ts";
import type { View } from "./view.ts";

/** A curve. */
interface Curve {
  readonly label: string;
  readonly colour: string;
  readonly dash?: number[];
  readonly isFilled?: boolean;
  readonly valuesOf: (run: ReadRun, bins: Part) => Float64Array;
}

interface Part {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly node: number | null;
}

interface Panel {
  readonly title: string;
  readonly text: (value: number | null) => string;
  /** True where marks are multiples of powers of two, as sizes of memory are. */
  readonly isBinary?: boolean;
  readonly curves: readonly Curve[];
}

/** Steps of an axis of memory, KiB. */
const BINARY_STEPS = Array.from({ length: 44 }, (_, power) => 2 ** power);

/** Distance of two points of a curve, CSS pixels. */
const STEP_PX = 2;

function counted(run: ReadRun, { node }: Part): { isCounted?: (item: number) => boolean } {
  if (node === null) return {};
  const { codes } = run.tasks.codes("node");
  return { isCounted: (item) => codes[item] === node };
}

/** Place of a group of rows among the nodes of the run's head; their orders differ. */
function headNode(run: ReadRun, node: number): number {
  const name = run.tasks.codes("node").names[node];
  return run.head.nodes.findIndex(({ id }) => id === name);
}

function nodeSeries(run: ReadRun, values: Float64Array, { node, ...part }: Part): Float64Array {
  const { bins, binMs, nodes } = run.head;
  const sum = new Float64Array(part.count);
  if (bins === 0) return sum.fill(NaN);
  const places = node === null ? nodes.map((_, at) => at) : [headNode(run, node)];
  const total = new Float64Array(bins);
  for (const place of places) {
    for (let bin = 0; bin < bins; bin++) {
      total[bin] = (total[bin] as number) + (values[place * bins + bin] ?? 0);
    }
  }
  return resampled(total, { length: binMs, ...part });
}

function offered(run: ReadRun, { node, count }: Part): Float64Array {
  const { nodes } = run.head;
  const chosen = node === null ? nodes : nodes.slice(headNode(run, node)).slice(0, 1);
  const sum = chosen.reduce((all, { capacityUnits }) => all + (capacityUnits ?? NaN), 0);
  return new Float64Array(count).fill(chosen.length === 0 ? NaN : sum);
}

function waiting(run: ReadRun, part: Part): Float64Array {
  const { enqueue, begin } = run.tasks;
  const attempts = run.tasks.numbers("attempts");
  const isCounted = (item: number) => !Number.isNaN(attempts[item] as number);
  return loadOf({ begin: enqueue, end: begin, isCounted }, part);
}

const PANELS: readonly Panel[] = [
  {
    title: "Tasks",
    text: numberText,
    curves: [
      { label: "waiting (all nodes)", colour: "--series-1", dash: [5, 3], valuesOf: waiting },
      {
        label: "running",
        colour: "--series-0",
        valuesOf: (run, part) =>
          loadOf({ begin: run.tasks.start, end: run.tasks.end, ...counted(run, part) }, part),
      },
    ],
  },
  {
    title: "vCPUs",
    text: numberText,
    curves: [
      { label: "offered", colour: "--muted", dash: [2, 3], valuesOf: offered },
      {
        label: "reserved",
        colour: "--series-1",
        dash: [6, 3],
        valuesOf: (run, part) =>
          loadOf({
            begin: run.tasks.begin,
            end: run.tasks.end,
            weight: run.tasks.units,
            ...counted(run, part),
          }, part),
      },
      {
        label: "used (cores)",
        colour: "--series-0",
        isFilled: true,
        valuesOf: (run, part) => nodeSeries(run, run.usedCores, part),
      },
    ],
  },
  {
    title: "Memory of the tasks",
    text: memoryText,
    isBinary: true,
    curves: [{
      label: "resident",
      colour: "--series-2",
      isFilled: true,
      valuesOf: (run, part) => nodeSeries(run, run.memoryKb, part),
    }],
  },
];

/** What the panels tell their owner. */
export interface SeriesOwner {
  /** A part of the time was chosen with the pointer, ms since the run's zero. */
  readonly onChosen: (from: number, to: number) => void;
}

/** The panels below the timeline. */
export class SeriesPanels {
  readonly #host: HTMLElement;
  readonly #owner: SeriesOwner;
  #plots: uPlot[] = [];
  #width = 0;

  constructor(host: HTMLElement, owner: SeriesOwner) {
    this.#host = host;
    this.#owner = owner;
  }

  /** Draw `view` of `run`; `isRestyled`: colours may have changed. */
  paint(run: ReadRun, { view, isRestyled = false }: { view: View; isRestyled?: boolean }): void {
    const width = Math.max(200, this.#host.clientWidth);
    if (width !== this.#width || isRestyled) this.#build(width);
    const plotWidth = width - gutterOf(width);
    const count = Math.max(2, Math.floor(plotWidth / STEP_PX));
    const part = { from: view.from, to: view.to, count, node: view.node };
    const step = (view.to - view.from) / count;
    const xs = Array.from({ length: count }, (_, at) => view.from + (at + 0.5) * step);
    PANELS.forEach(({ curves }, at) => {
      const ys = curves.map(({ valuesOf }) =>
        Array.from(valuesOf(run, part), (one) => Number.isNaN(one) ? null : one)
      );
      const plot = this.#plots[at] as uPlot;
      plot.batch(() => {
        plot.setData([xs, ...ys], false);
        plot.setScale("x", { min: view.from, max: view.to });
      });
    });
  }

  /** The curves as they are drawn: their names, and rows of time and values. */
  data(run: ReadRun, view: View): { columns: string[]; rows: (number | null)[][] } {
    const count = Math.max(2, Math.floor((this.#width - gutterOf(this.#width)) / STEP_PX));
    const part = { from: view.from, to: view.to, count, node: view.node };
    const curves = PANELS.flatMap(({ title, curves }) =>
      curves.map(({ label, valuesOf }) => ({
        name: title.startsWith("Memory") ? "memory_kib" : `${title} ${label}`,
        values: valuesOf(run, part),
      }))
    );
    const step = (view.to - view.from) / count;
    return {
      columns: ["time_ms", ...curves.map(({ name }) => name.toLowerCase().replace(/\W+/g, "_"))],
      rows: Array.from({ length: count }, (_, at) => [
        view.from + (at + 0.5) * step,
        ...curves.map(({ values }) => {
          const value = values[at] as number;
          return Number.isNaN(value) ? null : value;
        }),
      ]),
    };
  }

  #build(width: number): void {
    this.#width = width;
    for (const plot of this.#plots) plot.destroy();
    this.#host.replaceChildren();
    this.#plots = PANELS.map((panel) => {
      const title = document.createElement("p");
      title.className = "band-title";
      title.textContent = panel.title;
      const legend = document.createElement("ul");
      legend.className = "legend";
      const values = panel.curves.map((curve) => {
        const item = document.createElement("li");
        item.append(strokeSample(curve), `${curve.label} `);
        const value = document.createElement("b");
        item.append(value);
        legend.append(item);
        return value;
      });
      const box = document.createElement("div");
      box.setAttribute("role", "img");
      const names = panel.curves.map(({ label }) => label).join(", ");
      box.setAttribute(
        "aria-label",
        `${panel.title} over time: ${names}. The table below has the values.`,
      );
      this.#host.append(title, legend, box);
      return new uPlot(this.#options(panel, { width, values }), [
        [0, 1],
        ...panel.curves.map(() => [0, 0]),
      ], box);
    });
  }

  #options(
    { curves, text, isBinary = false }: Panel,
    { width, values }: { readonly width: number; readonly values: readonly HTMLElement[] },
  ): uPlot.Options {
    const font = `12px ${getComputedStyle(document.body).fontFamily}`;
    const axis = {
      stroke: styleValue("--muted"),
      font,
      grid: { stroke: styleValue("--rule"), width: 1 },
      ticks: { show: false },
    };
    return {
      width,
      height: 116,
      padding: [6, 0, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: false },
        y: { range: (_, __, max) => [0, Math.max(max ?? 0, 1e-9) * 1.08] },
      },
      cursor: {
        sync: { key: "run" },
        y: false,
        drag: { x: true, y: false, setScale: false },
        points: { size: 6 },
      },
      axes: axesOf({ text, isBinary, width, axis }),
      series: [
        {},
        ...curves.map(({ colour, dash, isFilled }): uPlot.Series => {
          const stroke = styleValue(colour);
          return {
            stroke,
            width: 1.6,
            ...(dash === undefined ? {} : { dash }),
            ...(isFilled ? { fill: `${stroke}33` } : {}),
            points: { show: false },
          };
        }),
      ],
      hooks: {
        setCursor: [(plot) => {
          values.forEach((element, at) => {
            const index = plot.cursor.idx;
            const value = index === null || index === undefined
              ? undefined
              : plot.data[at + 1]?.[index];
            element.textContent = value === null || value === undefined ? "" : text(value);
          });
        }],
        setSelect: [(plot) => {
          const { left, width: chosen } = plot.select;
          if (chosen < 4) return;
          this.#owner.onChosen(plot.posToVal(left, "x"), plot.posToVal(left + chosen, "x"));
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        }],
      },
    };
  }
}

interface AxesOptions {
  readonly text: Panel["text"];
  readonly isBinary: boolean;
  /** Width of the plot, pixels. */
  readonly width: number;
  /** What both axes share. */
  readonly axis: uPlot.Axis;
}

/** Time below, and the panel's quantity at the left. */
function axesOf({ text, isBinary, width, axis }: AxesOptions): uPlot.Axis[] {
  return [
    {
      ...axis,
      size: 22,
      splits: (plot) => {
        const { min = 0, max = 1 } = plot.scales.x ?? {};
        const count = (width - gutterOf(width)) / 90;
        return timeTicks({ from: min as number, to: max as number, count }).map(({ ms }) => ms);
      },
      values: (plot) => {
        const { min = 0, max = 1 } = plot.scales.x ?? {};
        const count = (width - gutterOf(width)) / 90;
        return timeTicks({ from: min as number, to: max as number, count }).map((one) => one.text);
      },
    },
    {
      ...axis,
      size: gutterOf(width),
      space: 28,
      ...(isBinary ? { incrs: BINARY_STEPS } : {}),
      values: (_, splits) => splits.map((one) => one === 0 ? "0" : text(one)),
    },
  ];
}

function strokeSample({ colour, dash = [] }: Curve): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 26 12");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", "M0 6H26");
  line.setAttribute("stroke", `var(${colour})`);
  line.setAttribute("stroke-width", "2.4");
  if (dash.length > 0) line.setAttribute("stroke-dasharray", dash.join(" "));
  svg.append(line);
  return svg;
}

/** A small curve of one task over its run time, with a line for what it reserved. */
export function taskCurve(
  host: HTMLElement,
  { values, runMs, limit, text, colour, isBinary = false }: {
    readonly values: Float64Array;
    readonly runMs: number;
    /** What it reserved; null: nothing to compare with. */
    readonly limit: number | null;
    readonly text: (value: number | null) => string;
    readonly colour: string;
    readonly isBinary?: boolean;
  },
): void {
  const count = values.length;
  const xs = Array.from(values, (_, at) => (at + 0.5) * runMs / count);
  const ys = Array.from(values, (one) => Number.isNaN(one) ? null : one);
  const stroke = styleValue(colour);
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const axis = {
    stroke: styleValue("--muted"),
    font,
    grid: { stroke: styleValue("--rule"), width: 1 },
    ticks: { show: false },
  };
  const most = ys.reduce((all: number, one) => Math.max(all, one ?? 0), limit ?? 0);
  new uPlot(
    {
      width: Math.min(520, Math.max(200, host.clientWidth)),
      height: 110,
      padding: [6, 8, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: [0, runMs] },
        y: { range: [0, Math.max(most, 1e-9) * 1.1] },
      },
      axes: [
        { ...axis, size: 22, values: (_, splits) => splits.map((one) => runText(one, runMs)) },
        {
          ...axis,
          size: 72,
          space: 28,
          ...(isBinary ? { incrs: BINARY_STEPS } : {}),
          values: (_, splits) => splits.map((one) => one === 0 ? "0" : text(one)),
        },
      ],
      series: [
        {},
        {
          stroke,
          width: 1.6,
          fill: `${stroke}33`,
          points: { show: false },
          paths: uPlot.paths.stepped?.({ align: 1 }) ?? null,
        } as uPlot.Series,
        { stroke: styleValue("--ink"), width: 1.4, dash: [6, 3], points: { show: false } },
      ],
    },
    [xs, ys, xs.map(() => limit)],
    host,
  );
}

/** Time since the start of a task, in the unit of its run time. */
function runText(ms: number, runMs: number): string {
  if (ms === 0) return "0";
  return runMs < 1000 || runMs >= 120_000 ? durationText(ms) : `${numberText(ms / 1000)} s`;
}
