/**
 * When tasks are handed to the queue, decided beforehand: pulses, and open-loop arrivals that do not
 * wait for the system under test.
 *
 * @module
 */

import { quote } from "../../trace/schema.ts";
import type { PythonRandom } from "./python_random.ts";

/** How arrivals are spaced. */
export type Arrivals =
  /** A Poisson process: exponential gaps with this mean rate, per second. */
  | { readonly kind: "poisson"; readonly ratePerS: number }
  /** One every so many seconds, the first at once. */
  | { readonly kind: "every"; readonly intervalS: number }
  /** Offsets from a file. */
  | { readonly kind: "file"; readonly path: string };

/**
 * Arrivals as a flag gives them: `poisson:RATE`, `every:SECONDS` or `file:CSV`.
 *
 * @throws {RangeError} on anything else.
 */
export function parseArrivals(text: string): Arrivals {
  const colon = text.indexOf(":");
  const kind = text.slice(0, Math.max(colon, 0));
  const argument = text.slice(colon + 1);
  const amount = argument.trim() === "" ? NaN : Number(argument);
  if (kind === "poisson" && Number.isFinite(amount) && amount > 0) {
    return { kind, ratePerS: amount };
  }
  if (kind === "every" && Number.isFinite(amount) && amount >= 0) {
    return { kind, intervalS: amount };
  }
  if (kind === "file" && argument !== "") return { kind, path: argument };
  throw new RangeError(
    `Cannot use arrivals: poisson:RATE (per second), every:SECONDS or file:CSV is required, got ${
      quote(text)
    }`,
  );
}

/** Offsets of `count` arrivals of a Poisson process from its start, ms. */
export function poissonOffsets(
  count: number,
  { ratePerS, random }: { readonly ratePerS: number; readonly random: PythonRandom },
): number[] {
  let offsetMs = 0;
  return Array.from({ length: count }, () => {
    // As random.expovariate: random() is below 1, so the logarithm is finite.
    offsetMs += -Math.log(1 - random.random()) / ratePerS * 1000;
    return offsetMs;
  });
}

/** Offsets of `count` arrivals that are `intervalS` apart, ms. */
export function regularOffsets(count: number, intervalS: number): number[] {
  return Array.from({ length: count }, (_, index) => index * intervalS * 1000);
}

/** How pulses are spaced. */
export interface PulseOptions {
  /** Tasks of one pulse. */
  readonly size: number;
  /** From the start of one pulse to the start of the next, s; a longer pulse moves the next one. */
  readonly intervalS: number;
  /** Between two tasks of a pulse, s. */
  readonly staggerS: number;
}

/** Offsets of `count` tasks that come in pulses, ms. */
export function pulseOffsets(
  count: number,
  { size, intervalS, staggerS }: PulseOptions,
): number[] {
  const periodS = Math.max(intervalS, size * staggerS);
  return Array.from({ length: count }, (_, index) => {
    const inPulse = index % size;
    return ((index - inPulse) / size * periodS + inPulse * staggerS) * 1000;
  });
}

/**
 * Offsets in a CSV file, ms: one arrival a line, seconds from the start in the first column. A first
 * line that does not begin with a number is a header; blank lines and those that begin with # are
 * skipped.
 *
 * @param where Name of the file, for the error.
 * @throws {SyntaxError} naming the line that is not a number of at least the one before it.
 */
export function parseArrivalFile(text: string, where: string): number[] {
  const offsets: number[] = [];
  let isFirst = true;
  for (const [index, line] of text.split("\n").entries()) {
    const cell = (line.split(",", 1)[0] ?? "").trim();
    if (cell === "" || cell.startsWith("#")) continue;
    const offsetMs = Number(cell) * 1000;
    const isHeader = isFirst && Number.isNaN(offsetMs);
    isFirst = false;
    if (isHeader) continue;
    const before = offsets.at(-1) ?? 0;
    if (!(Number.isFinite(offsetMs) && offsetMs >= before)) {
      throw new SyntaxError(
        `Cannot read arrivals at ${where}:${index + 1}: seconds of at least ${
          before / 1000
        } are required, got ${quote(cell)}`,
      );
    }
    offsets.push(offsetMs);
  }
  return offsets;
}
