/**
 * Failure traces on the time base of a workload whose times are multiplied.
 *
 * @module
 */

import { ExportError } from "../opendc/input.ts";
import { readTrace, writeTrace } from "../opendc/trace_files.ts";

/** Columns of OpenDC's failure trace. */
const FAILURE_COLUMNS = [
  { name: "failure_interval", type: "INT64" },
  { name: "failure_duration", type: "INT64" },
  { name: "failure_intensity", type: "DOUBLE" },
] as const;

/** How a trace is written. */
export interface TraceOptions {
  /** The trace. */
  readonly from: string;
  /** What times are multiplied by. */
  readonly timeFactor: number;
  /** Program, for the footer. */
  readonly createdBy: string;
}

/** Write the failure trace `from` to `path`, its times multiplied. */
export async function writeFailures(path: string, options: TraceOptions): Promise<void> {
  const [intervals = [], durations = [], intensities = []] = await readTrace(
    options.from,
    FAILURE_COLUMNS.map(({ name }) => name),
  );
  const wrong = intensities.find((one) => !(one > 0 && one <= 1));
  if (wrong !== undefined) {
    throw new ExportError(
      `Cannot use "${options.from}": a failure_intensity above 0 and at most 1 is required, got ${wrong}`,
    );
  }
  const scaled = (values: readonly number[]) =>
    BigInt64Array.from(values, (one) => BigInt(Math.round(one * options.timeFactor)));
  await writeTrace(path, {
    columns: FAILURE_COLUMNS,
    values: [scaled(intervals), scaled(durations), Float64Array.from(intensities)],
    createdBy: options.createdBy,
  });
}
