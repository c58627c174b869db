/**
 * Carbon intensities of the grid as OpenDC's carbon trace.
 *
 * Source: CarbonSchemas and CarbonModel of OpenDC, v2.4f to master: an intensity counts from its
 * timestamp to the next one, the last one without end; a time before the first one is an error there.
 *
 * @module
 */

import { ExportError } from "./input.ts";
import { readTrace, writeTrace } from "./trace_files.ts";

/** Columns of OpenDC's carbon trace. */
const CARBON_COLUMNS = [
  { name: "timestamp", type: "INT64", annotation: "TIMESTAMP_MILLIS_UTC" },
  { name: "carbon_intensity", type: "DOUBLE" },
] as const;

/** Carbon intensities over time. */
export interface CarbonTrace {
  /** The file that they were read from. */
  readonly path: string;
  /** From when each counts, epoch ms, ascending. */
  readonly timesMs: readonly number[];
  /** The intensities, g CO2/kWh. */
  readonly intensities: readonly number[];
}

/**
 * Read the carbon trace at `path`: parquet or CSV with the columns timestamp and carbon_intensity.
 *
 * @throws {ExportError} when it is empty, not ascending or not finite, saying where.
 */
export async function readCarbon(path: string): Promise<CarbonTrace> {
  const [timesMs = [], intensities = []] = await readTrace(
    path,
    CARBON_COLUMNS.map(({ name }) => name),
  );
  const problem = problemOf(timesMs, intensities);
  if (problem !== null) throw new ExportError(`Cannot use "${path}": ${problem}`);
  return { path, timesMs, intensities };
}

/** What is wrong with a trace; rows are counted from 1, without the header. */
function problemOf(timesMs: readonly number[], intensities: readonly number[]): string | null {
  if (timesMs.length === 0) return "one row or more is required, got none";
  for (const [at, ms] of timesMs.entries()) {
    const where = `in row ${at + 1}`;
    if (!Number.isFinite(ms)) return `a timestamp is required ${where}, got none`;
    const before = timesMs[at - 1] ?? -Infinity;
    if (ms <= before) {
      return `a timestamp after ${dateOf(before)} is required ${where}, got ${dateOf(ms)}`;
    }
    const intensity = intensities[at] as number;
    if (!(intensity >= 0 && intensity < Infinity)) {
      return `a carbon_intensity of 0 g/kWh or more is required ${where}, got ${intensity}`;
    }
  }
  return null;
}

/**
 * Require that `trace` covers a run, its last intensity counting as long as the one before.
 *
 * @throws {ExportError} saying from when to when intensities are required, and which there are.
 */
export function requireCover(
  { path, timesMs }: CarbonTrace,
  { fromMs, toMs }: {
    /** First submission, epoch ms. */
    readonly fromMs: number;
    /** Last end, epoch ms. */
    readonly toMs: number;
  },
): void {
  const first = timesMs[0] as number;
  const last = timesMs.at(-1) as number;
  const end = last + (last - (timesMs.at(-2) ?? last));
  if (first <= fromMs && toMs <= end) return;
  throw new ExportError(
    `Cannot use "${path}": carbon intensities from ${dateOf(fromMs)} to ${dateOf(toMs)} are ` +
      `required, which is the run, got ${dateOf(first)} to ${dateOf(end)}`,
  );
}

function dateOf(ms: number): string {
  // Dates of ECMAScript end at 8.64e15 ms.
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms`;
}

/** `trace` as it is where it reaches over `firstMs`, else moved so that it begins there. */
export function movedTo(trace: CarbonTrace, firstMs: number): CarbonTrace {
  const first = trace.timesMs[0] as number;
  if (first <= firstMs && firstMs <= (trace.timesMs.at(-1) as number)) return trace;
  return { ...trace, timesMs: trace.timesMs.map((ms) => ms - first + firstMs) };
}

/** Write `trace` to `path`, its times multiplied by `timeFactor` from `firstMs` on. */
export async function writeCarbon(
  path: string,
  { trace, firstMs, timeFactor, createdBy }: {
    /** What is written. */
    readonly trace: CarbonTrace;
    /** First submission of the workload, epoch ms. */
    readonly firstMs: number;
    /** What its times are multiplied by. */
    readonly timeFactor: number;
    /** Program, for the footer. */
    readonly createdBy: string;
  },
): Promise<void> {
  await writeTrace(path, {
    columns: CARBON_COLUMNS,
    values: [
      BigInt64Array.from(
        trace.timesMs,
        (ms) => BigInt(Math.round(firstMs + (ms - firstMs) * timeFactor)),
      ),
      Float64Array.from(trace.intensities),
    ],
    createdBy,
  });
}
