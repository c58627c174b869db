/**
 * One check of "simulated against measured": what was compared, by which figure, against which bound, and
 * whether there was enough to compare. Pure.
 *
 * @module
 */

import type { Interval } from "./bootstrap.ts";

/** Units of the figures. */
export type FigureUnit = "ms" | "ratio" | "p" | "r" | "tasks" | "MHz" | "W";

/** One check: what was compared, by which figure, against which bound. */
export interface Comparison {
  /** Stable name. */
  readonly id: string;
  /** What is compared, in words. */
  readonly what: string;
  /** The measured figure; null where there is none of its own. */
  readonly measured: number | null;
  /** The simulated figure; null where there is none of its own. */
  readonly simulated: number | null;
  /** Unit of both. */
  readonly unit: FigureUnit;
  /** What is held against the bound; null where it does not exist. */
  readonly value: number | null;
  /** Paired bootstrap interval of the value, 95 %; null where it has none. */
  readonly interval: Interval | null;
  /** The bound. */
  readonly threshold: number;
  /** Unit of value and bound. */
  readonly valueUnit: FigureUnit;
  /** Which side of the bound passes. */
  readonly passes: "at most" | "at least";
  /** How it ended; not applicable: too little to compare, and the note says what is required. */
  readonly status: "pass" | "fail" | "not applicable";
  /** What else there is to know. */
  readonly note: string | null;
}

/** What a check gives; the rest has a default. */
export type Given =
  & Pick<Comparison, "id" | "what" | "value" | "threshold">
  & Partial<Omit<Comparison, "status">>
  & {
    /** Why the figure means nothing here; null: it does. */
    readonly tooLittle?: string | null;
  };

/** The check with its verdict. */
export function comparisonOf({ tooLittle = null, ...given }: Given): Comparison {
  const { value, threshold, passes = "at most" } = given;
  const isGood = value !== null && (passes === "at most" ? value <= threshold : value >= threshold);
  const isApplicable = value !== null && tooLittle === null;
  return {
    measured: null,
    simulated: null,
    unit: "ms",
    interval: null,
    valueUnit: "ratio",
    passes,
    ...given,
    note: tooLittle ?? given.note ?? null,
    status: !isApplicable ? "not applicable" : isGood ? "pass" : "fail",
  };
}

/** Why `count` of something is too little for a figure; null where it suffices. */
export function tooFew(
  count: number,
  { least, of }: { readonly least: number; readonly of: string },
): string | null {
  return count >= least ? null : `${least} ${of} are required, got ${count}`;
}
