/**
 * A run over time as pictures for papers: what its nodes offered, reserved and used, and its tasks.
 *
 * @module
 */

import type { SummedRun } from "./comparison.ts";
import { COLOURS, type Figure, strokeOf } from "./figures.ts";
import { packRows } from "./lanes.ts";
import { loadOf, resampled } from "./load.ts";
import { drawSvg, Plot } from "./plot.ts";
import { countText, numberText, shownName } from "./words.ts";

/** Points of a curve. */
const POINTS = 300;

/** Tasks up to which each has a bar; more would be thinner than a printer's dot. */
const BARS = 2000;

/** Bars are at most this high, px, and all of them together this. */
const ROW_PX = { most: 14, all: 420 } as const;

const MARGINS = { marginLeft: 52, marginRight: 12, marginBottom: 42 } as const;

interface TimeUnit {
  readonly name: string;
  readonly ms: number;
}

function unitOf(spanMs: number): TimeUnit {
  const minute = 60_000;
  if (spanMs > 180 * minute) return { name: "hours", ms: 60 * minute };
  return spanMs > 3 * minute ? { name: "minutes", ms: minute } : { name: "seconds", ms: 1000 };
}

function timeAxis(spanMs: number, { name, ms }: TimeUnit): Plot.ScaleOptions {
  return {
    domain: [0, spanMs / ms],
    ticks: 6,
    label: `Time since the first event, ${name}`,
    labelAnchor: "center",
    labelArrow: "none",
    labelOffset: 36,
  };
}

/** The pictures of one run over time, `width` px wide. */
export function timeFigures(summed: SummedRun, { width }: { readonly width: number }): Figure[] {
  if (summed.run.head.spanMs <= 0) return [];
  return [utilisationFigure(summed, width), ...ganttFigure(summed, width)];
}

function utilisationFigure({ run, summary }: SummedRun, width: number): Figure {
  const { head, tasks } = run;
  const part = { from: 0, to: head.spanMs, count: POINTS };
  const total = new Float64Array(head.bins);
  run.usedCores.forEach((one, at) =>
    total[at % head.bins] = (total[at % head.bins] as number) + one
  );
  const used = head.bins === 0 ? [] : [{
    name: "used (cores)",
    values: resampled(total, { length: head.binMs, ...part }),
  }];
  const curves = [
    {
      name: "offered",
      values: new Float64Array(POINTS).fill(summary.offered_vcpus ?? NaN),
    },
    {
      name: "reserved",
      values: loadOf({ begin: tasks.begin, end: tasks.end, weight: tasks.units }, part),
    },
    ...used,
  ].filter(({ values }) => !Number.isNaN(values[0] as number));
  const unit = unitOf(head.spanMs);
  const timeOf = (at: number) => (at + 0.5) * head.spanMs / POINTS;
  const id = "utilisation";
  const title = "Utilisation over time";
  const caption =
    `vCPUs that the nodes offered, that tasks reserved, and cores in use, means over ` +
    `${numberText(head.spanMs / POINTS / 1000)} s; N = ${countText(summary.tasks)} tasks.`;
  const lines = curves.map(({ values }, at) =>
    Plot.line(values, {
      x: (_: number, place: number) => timeOf(place) / unit.ms,
      y: (value: number) => value,
      stroke: `var(--series-${at % COLOURS})`,
      strokeDasharray: strokeOf(at),
      strokeWidth: 1.5,
    })
  );
  return {
    id,
    title,
    caption,
    svg: drawSvg({
      ...MARGINS,
      width,
      height: 210,
      x: timeAxis(head.spanMs, unit),
      y: { label: null, zero: true, grid: true, ticks: 5 },
      marks: lines,
    }, { id, title, description: caption }),
    columns: ["time (ms)", ...curves.map(({ name }) => name)],
    rows: Array.from({ length: POINTS }, (_, at) => [
      timeOf(at),
      ...curves.map(({ values }) => values[at] as number),
    ]),
    legend: curves.map(({ name }) => name),
  };
}

function ganttFigure({ run, summary }: SummedRun, width: number): Figure[] {
  const { head, tasks } = run;
  if (tasks.count > BARS) return [];
  const { codes, names } = tasks.codes("node");
  const packed = packRows({ begin: tasks.begin, end: tasks.end }, {
    group: codes,
    groups: names.length,
  });
  if (packed.rows === 0) return [];
  const profiles = summary.profiles.map(({ name }) => name);
  const unit = unitOf(head.spanMs);
  const bars = Array.from({ length: packed.rows }, (_, row) => {
    const places = Array.from(packed.item.subarray(packed.first[row], packed.first[row + 1]));
    return places.map((task) => ({
      row,
      task,
      from: (tasks.begin[task] as number) / unit.ms,
      to: (tasks.end[task] as number) / unit.ms,
      colour: `var(--series-${
        Math.max(0, profiles.indexOf(tasks.nameOf("profile", task) ?? "")) % COLOURS
      })`,
    }));
  }).flat();
  const groups = names.flatMap((name, at) => {
    const [first = 0, behind = 0] = [packed.groupFirst[at], packed.groupFirst[at + 1]];
    return first === behind ? [] : [{ middle: (first + behind) / 2, first, name: shownName(name) }];
  });
  const title = "Tasks on their nodes";
  const caption =
    "Tasks from their assignment to their end, by node, in lanes where they overlap; " +
    `N = ${countText(bars.length)}.`;
  const rowPx = Math.min(ROW_PX.most, ROW_PX.all / packed.rows);
  return [{
    id: "gantt",
    title,
    caption,
    svg: drawSvg({
      ...MARGINS,
      width,
      height: 60 + packed.rows * rowPx,
      x: timeAxis(head.spanMs, unit),
      y: { domain: [packed.rows, 0], axis: null },
      marks: [
        Plot.rect(bars, {
          x1: "from",
          x2: "to",
          y1: "row",
          y2: ({ row }: { row: number }) => row + 1,
          fill: "colour",
          insetTop: 0.5,
          insetBottom: 0.5,
          insetRight: 0.4,
        }),
        Plot.ruleY(groups.slice(1), { y: "first", stroke: "var(--rule)" }),
        Plot.axisY(groups.map(({ middle }) => middle), {
          text: (middle: number) => groups.find((one) => one.middle === middle)?.name ?? "",
          tickSize: 0,
          label: null,
        }),
      ],
      color: { type: "identity" },
    }, { id: "gantt", title, description: caption }),
    columns: ["task", "node", "profile", "begin (ms)", "end (ms)"],
    rows: bars.map(({ task }) => [
      shownName(tasks.ids[task] as string),
      tasks.nameOf("node", task) ?? "",
      tasks.nameOf("profile", task) ?? "",
      tasks.begin[task] as number,
      tasks.end[task] as number,
    ]),
    legend: profiles.length > 1 && profiles.length <= COLOURS ? profiles.map(shownName) : [],
    hasAreas: true,
  }];
}
