/**
 * The scenarios of a sweep without their seeds, ranked: pure.
 *
 * @module
 */

import type { Metrics } from "./metrics.ts";
import { lexicographicOrder, paretoFront, type Point, weightedOrder } from "./pareto.ts";
import type { Objective } from "./spec.ts";
import { AXES, type Axis, type ScenarioResult } from "./sweep.ts";

/** A figure over seeds. */
export interface Spread {
  /** Its mean; null: not known. */
  readonly mean: number | null;
  /** Its least value. */
  readonly least: number | null;
  /** Its greatest value. */
  readonly most: number | null;
}

/** A row of the report. */
export interface Group {
  /** Its values by axis; null: the run itself. */
  readonly values: Readonly<Record<Axis, string>> | null;
  /** Seeds that ended. */
  readonly seeds: number;
  /** Seeds that failed. */
  readonly failed: number;
  /** Figures over the seeds. */
  readonly figures: Readonly<Record<keyof Metrics, Spread>>;
  /** True where no other row is better in every objective. */
  readonly isOnFront: boolean;
  /** Place in lexicographic order, from 1; null: the run itself, which cannot be chosen. */
  readonly place: number | null;
  /** Place by the mean of the scaled objectives. */
  readonly weightedPlace: number | null;
}

/** Names of the figures. */
export const FIGURES = [
  "tasks",
  "unfinished",
  "makespan_s",
  "wait_mean_s",
  "wait_p50_s",
  "wait_p95_s",
  "slowdown",
  "utilisation",
  "hosts",
  "energy_kj",
  "carbon_g",
  "carbon_g_per_task",
] as const satisfies readonly (keyof Metrics)[];

function spreadOf(values: readonly (number | null)[]): Spread {
  const known = values.filter((one) => one !== null);
  if (known.length === 0) return { mean: null, least: null, most: null };
  return {
    mean: known.reduce((sum, one) => sum + one, 0) / known.length,
    least: Math.min(...known),
    most: Math.max(...known),
  };
}

function figuresOf(metrics: readonly Metrics[]): Group["figures"] {
  return Object.fromEntries(
    FIGURES.map((name) => [name, spreadOf(metrics.map((one) => one[name]))]),
  ) as Record<keyof Metrics, Spread>;
}

/** One row per group of `results`, in order, and behind them the run itself. */
export function groupsOf(
  results: readonly ScenarioResult[],
  { measured, objectives }: {
    readonly measured: Metrics | null;
    readonly objectives: readonly Objective[];
  },
): Group[] {
  const byGroup = [...Map.groupBy(results, ({ group }) => group).values()];
  const rows = byGroup.map((own) => {
    const metrics = own.flatMap((one) => one.metrics ?? []);
    return { own, figures: figuresOf(metrics), seeds: metrics.length };
  });
  const points = rows.map(({ figures }): Point => objectives.map((name) => figures[name].mean));
  const front = paretoFront(points);
  const places = placesOf(lexicographicOrder(points));
  const weighted = placesOf(weightedOrder(points));
  const groups = rows.map(({ own, figures, seeds }, at): Group => ({
    values: own[0]?.values ?? null,
    seeds,
    failed: own.length - seeds,
    figures,
    isOnFront: front[at] ?? false,
    place: places[at] ?? null,
    weightedPlace: weighted[at] ?? null,
  }));
  if (measured === null) return groups;
  const figures = figuresOf([measured]);
  const run = { values: null, seeds: 1, failed: 0, figures, isOnFront: false };
  return [...groups, { ...run, place: null, weightedPlace: null }];
}

function placesOf(order: readonly number[]): number[] {
  const places: number[] = [];
  for (const [place, at] of order.entries()) places[at] = place + 1;
  return places;
}

/** Axes in which the groups differ. */
export function variedAxes(groups: readonly Group[]): Axis[] {
  return AXES.filter((axis) =>
    new Set(groups.flatMap(({ values }) => values?.[axis] ?? [])).size > 1
  );
}

/** What a group is called: its values where the groups differ. */
export function labelOf({ values }: Group, axes: readonly Axis[]): string {
  if (values === null) return "measured";
  return axes.map((axis) => values[axis]).join(", ") || "as-is";
}
