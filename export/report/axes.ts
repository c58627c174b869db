/**
 * What is drawn of tasks, and the axes on which it is. Pure.
 *
 * @module
 */

import { countText } from "./words.ts";

/** How a quantity is shown. */
export interface Quantity {
  readonly id: string;
  readonly title: string;
  /** Name and unit in tables: `wait (ms)`. */
  readonly column: string;
  /** Name on the axis. */
  readonly axis: string;
  /** What the caption says of it. */
  readonly meaning: string;
  readonly kind: "duration" | "ratio";
  /** Least value that is told apart; smaller ones are drawn there. */
  readonly floor: number;
  /** Width of its pictures, px. Default: that of the page. */
  readonly width?: number;
}

/** Quantities whose distributions are shown. */
export const QUANTITIES = {
  wait: {
    id: "waits",
    title: "Waits",
    column: "wait (ms)",
    axis: "Wait, from submission to start",
    meaning: "Time from entering the queue to the start",
    kind: "duration",
    floor: 1,
  },
  run: {
    id: "run-times",
    title: "Run times",
    column: "run time (ms)",
    axis: "Run time",
    meaning: "Time from start to end",
    kind: "duration",
    floor: 1,
  },
  slowdown: {
    id: "slowdown",
    title: "Slowdown",
    column: "slowdown",
    axis: "Slowdown: (wait + run time) / run time",
    meaning: "How many times longer a task took than it would have without waiting",
    kind: "ratio",
    floor: 1,
  },
} as const satisfies Record<string, Quantity>;

const DURATION_TICKS: readonly (readonly [ms: number, text: string])[] = [
  [1, "1 ms"],
  [10, "10 ms"],
  [100, "0.1 s"],
  [1000, "1 s"],
  [10_000, "10 s"],
  [60_000, "1 min"],
  [600_000, "10 min"],
  [3_600_000, "1 h"],
  [36_000_000, "10 h"],
  [360_000_000, "100 h"],
];

const RATIO_TICKS: readonly (readonly [ratio: number, text: string])[] = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  1000,
  1e4,
  1e5,
  1e6,
].map((one) => [one, countText(one)]);

/** An axis from one value to another, with its marks. */
export interface LogAxis {
  readonly domain: readonly [number, number];
  /** Marks, and what is written at each. */
  readonly ticks: readonly (readonly [value: number, text: string])[];
}

/** The logarithmic axis that all values of `all` fit on. */
export function logAxis(all: readonly Float64Array[], quantity: Quantity): LogAxis {
  let most = quantity.floor * 10;
  let least = Infinity;
  for (const values of all) {
    for (const one of values) {
      if (one > most) most = one;
      if (one < least) least = one;
    }
  }
  const from = Math.max(quantity.floor, Math.min(least, most / 10));
  const domain = [from * 0.95, most * 1.05] as const;
  const ticks = quantity.kind === "duration" ? DURATION_TICKS : RATIO_TICKS;
  return { domain, ticks: ticks.filter(([one]) => one >= domain[0] && one <= domain[1]) };
}

/** What is written at a mark of an axis of counts: nothing between two whole numbers. */
export function countMark(value: number): string {
  return Number.isInteger(value) ? countText(value) : "";
}

/** Memory in one unit, as large as the values are. */
export function memoryUnit(mostKb: number): { readonly name: string; readonly kb: number } {
  if (mostKb >= 2 * 1024 ** 2) return { name: "GiB", kb: 1024 ** 2 };
  return mostKb >= 2048 ? { name: "MiB", kb: 1024 } : { name: "KiB", kb: 1 };
}
