/**
 * The report of a sweep: a table of all scenarios, the rows without their seeds as Markdown, a picture.
 *
 * @module
 */

import type { Column } from "../opendc/schema.ts";
import { type ColumnValues, writeParquet } from "../parquet.ts";
import { drawSvg, Plot } from "../report/plot.ts";
import { FIGURES, type Group, labelOf, variedAxes } from "./groups.ts";
import type { Objective } from "./spec.ts";
import { AXES, type ScenarioResult } from "./sweep.ts";

/** The table as CSV: one line per scenario. */
export function csvOf(results: readonly ScenarioResult[]): string {
  const header = ["id", ...AXES, "seed", "status", ...FIGURES, "reason"];
  const lines = results.map((one) => [
    one.id,
    ...AXES.map((axis) => one.values[axis]),
    one.seed,
    one.status,
    ...FIGURES.map((name) => one.metrics?.[name] ?? ""),
    one.reason ?? "",
  ]);
  return [header, ...lines].map((line) => line.map(cellOf).join(",")).join("\n") + "\n";
}

function cellOf(value: string | number): string {
  const text = String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Write the table as parquet. */
export async function writeTable(
  path: string,
  { results, createdBy }: {
    readonly results: readonly ScenarioResult[];
    readonly createdBy: string;
  },
): Promise<void> {
  const text = (name: string, values: readonly (string | null)[]) =>
    [columnOf(name, "BYTE_ARRAY"), values] as const;
  const columns: (readonly [Column, ColumnValues])[] = [
    text("id", results.map(({ id }) => id)),
    ...AXES.map((axis) => text(axis, results.map(({ values }) => values[axis]))),
    [columnOf("seed", "INT32"), Int32Array.from(results, ({ seed }) => seed)],
    text("status", results.map(({ status }) => status)),
    ...FIGURES.map((name) =>
      [
        columnOf(name, "DOUBLE"),
        Float64Array.from(results, ({ metrics }) => metrics?.[name] ?? NaN),
      ] as const
    ),
  ];
  await writeParquet(path, {
    columns: columns.map(([column]) => column),
    compression: "zstd",
    createdBy,
    batches: [{ length: results.length, values: columns.map(([, values]) => values) }],
  });
}

function columnOf(name: string, type: Column["type"]): Column {
  const annotation = type === "BYTE_ARRAY" ? "STRING" : null;
  return { name, type, annotation, isRequired: true, isWritten: true, unit: null, doc: "" };
}

/** Columns of the report's table. */
const SHOWN = [
  "makespan_s",
  "wait_mean_s",
  "wait_p95_s",
  "slowdown",
  "utilisation",
  "energy_kj",
  "carbon_g_per_task",
] as const;

/** The report as Markdown. */
export function markdownOf(
  groups: readonly Group[],
  { objectives, failures }: {
    readonly objectives: readonly Objective[];
    readonly failures: readonly ScenarioResult[];
  },
): string {
  const axes = variedAxes(groups);
  const ranked = groups.toSorted((a, b) => (a.place ?? Infinity) - (b.place ?? Infinity));
  const header = ["place", "weighted", "scenario", "seeds", ...SHOWN, "front"];
  const rows = ranked.map((group) => [
    group.place ?? "–",
    group.weightedPlace ?? "–",
    labelOf(group, axes),
    group.failed === 0 ? group.seeds : `${group.seeds}, ${group.failed} failed`,
    ...SHOWN.map((name) => spreadText(group.figures[name])),
    group.isOnFront ? "yes" : "",
  ]);
  const lines = [
    "# Sweep",
    "",
    `Objectives, all minimized: ${
      objectives.join(", ")
    }. \`place\` is the lexicographic order (in steps of ` +
    "1 %), `weighted` that of the mean of the scaled objectives. A row is " +
    "on the front when no other is better in one objective and worse in none.",
    "",
    `| ${header.join(" | ")} |`,
    `|${header.map(() => "---").join("|")}|`,
    ...rows.map((row) => `| ${row.join(" | ")} |`),
    "",
    "A figure is the mean over the seeds, with the least and the greatest in brackets. `measured` is the " +
    "run itself. `front.svg` shows the first and the last objective.",
  ];
  if (failures.length > 0) {
    lines.push("", "## Failed", "", ...failures.map(({ id, reason }) => `- \`${id}\`: ${reason}`));
  }
  return `${lines.join("\n")}\n`;
}

function spreadText(
  { mean, least, most }: { mean: number | null; least: number | null; most: number | null },
): string {
  if (mean === null || least === null || most === null) return "–";
  const round = (value: number) => String(Number(value.toPrecision(4)));
  return round(least) === round(most)
    ? round(mean)
    : `${round(mean)} (${round(least)} to ${round(most)})`;
}

/** The first objective against the last as a picture; null where no row has both. */
export function frontPicture(
  groups: readonly Group[],
  objectives: readonly Objective[],
): string | null {
  const [x = "makespan_s"] = objectives;
  const y = objectives.at(-1) ?? x;
  const axes = variedAxes(groups);
  const points = groups.flatMap((group) => {
    const atX = group.figures[x].mean;
    const atY = group.figures[y].mean;
    if (atX === null || atY === null) return [];
    const kind = group.values === null ? "measured" : group.isOnFront ? "front" : "other";
    return [{ x: atX, y: atY, kind, label: labelOf(group, axes) }];
  });
  if (points.length === 0) return null;
  const front = points.filter(({ kind }) => kind === "front").sort((a, b) => a.x - b.x);
  return drawSvg({
    width: 800,
    height: 520,
    marginLeft: 70,
    marginRight: 140,
    style: { background: "white", color: "black", fontFamily: "sans-serif", fontSize: "12px" },
    x: { label: x, grid: true, nice: true },
    y: { label: y, grid: true, nice: true },
    color: { domain: ["front", "other", "measured"], range: ["#d95f02", "#7570b3", "#1b9e77"] },
    marks: [
      Plot.lineY(front, { x: "x", y: "y", stroke: "#d95f02", strokeDasharray: "4 3" }),
      // Those on the front last: on top of their near equals.
      Plot.dot(points.toSorted((a, b) => Number(a.kind === "front") - Number(b.kind === "front")), {
        x: "x",
        y: "y",
        fill: "kind",
        r: 4,
      }),
      Plot.text(apart(points), { x: "x", y: "y", text: "label", dx: 7, textAnchor: "start" }),
    ],
  }, {
    id: "front",
    title: `${x} against ${y}`,
    description: `${points.length} scenarios; ${front.length} of them are on the Pareto front.`,
  });
}

/** Share of an axis within which two points have one label. */
const LABEL_SHARE = 0.03;

interface Labelled {
  readonly x: number;
  readonly y: number;
  readonly label: string;
}

/** One label for points that are too near to each other for two. */
function apart(points: readonly Labelled[]): Labelled[] {
  const range = (values: readonly number[]) => Math.max(...values) - Math.min(...values) || 1;
  const width = range(points.map(({ x }) => x)) * LABEL_SHARE;
  const height = range(points.map(({ y }) => y)) * LABEL_SHARE;
  const labels: { readonly at: Labelled; count: number }[] = [];
  for (const at of points) {
    const near = labels.find((one) =>
      Math.abs(one.at.x - at.x) < width && Math.abs(one.at.y - at.y) < height
    );
    if (near === undefined) labels.push({ at, count: 0 });
    else near.count++;
  }
  return labels.map(({ at, count }) =>
    count === 0 ? at : { ...at, label: `${at.label} +${count}` }
  );
}
