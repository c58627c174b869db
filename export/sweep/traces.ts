/**
 * Failure and carbon traces on the time base of a workload whose times are multiplied.
 *
 * @module
 */

import { ExportError } from "../opendc/input.ts";
import type { Column } from "../opendc/schema.ts";
import { writeParquet } from "../parquet.ts";
import { ParquetFile, ParquetReadError } from "../parquet_reader.ts";

/** Columns of OpenDC's failure trace. */
const FAILURE_COLUMNS = [
  { name: "failure_interval", type: "INT64" },
  { name: "failure_duration", type: "INT64" },
  { name: "failure_intensity", type: "DOUBLE" },
] as const;

/** Columns of OpenDC's carbon trace. */
const CARBON_COLUMNS = [
  { name: "timestamp", type: "INT64", annotation: "TIMESTAMP_MILLIS_UTC" },
  { name: "carbon_intensity", type: "DOUBLE" },
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
  await write(path, {
    columns: FAILURE_COLUMNS,
    values: [scaled(intervals), scaled(durations), Float64Array.from(intensities)],
    createdBy: options.createdBy,
  });
}

/**
 * Write the carbon trace `from` to `path`, its times multiplied from `firstMs` on. A trace that does not
 * reach over `firstMs` is shifted to begin there.
 */
export async function writeCarbon(
  path: string,
  options: TraceOptions & {
    /** First submission, epoch ms. */
    readonly firstMs: number;
  },
): Promise<void> {
  const [times = [], intensities = []] = await readTrace(
    options.from,
    CARBON_COLUMNS.map(({ name }) => name),
  );
  const unsorted = times.findIndex((one, at) => at > 0 && one <= (times[at - 1] as number));
  const wrong = intensities.find((one) => !(one >= 0 && one < Infinity));
  if (times.length === 0 || unsorted > 0 || wrong !== undefined) {
    throw new ExportError(
      `Cannot use "${options.from}": ${
        times.length === 0
          ? "one row or more is required"
          : wrong === undefined
          ? `ascending timestamps are required, row ${unsorted} is not after the one before`
          : `a carbon_intensity of 0 g/kWh or more is required, got ${wrong}`
      }`,
    );
  }
  const { firstMs, timeFactor } = options;
  const first = times[0] as number;
  const covers = first <= firstMs && (times.at(-1) as number) >= firstMs;
  const originMs = covers ? firstMs : first;
  await write(path, {
    columns: CARBON_COLUMNS,
    values: [
      BigInt64Array.from(times, (ms) => BigInt(Math.round(firstMs + (ms - originMs) * timeFactor))),
      Float64Array.from(intensities),
    ],
    createdBy: options.createdBy,
  });
}

async function write(
  path: string,
  { columns, values, createdBy }: {
    readonly columns: readonly (Pick<Column, "name" | "type"> & Partial<Column>)[];
    readonly values: readonly (BigInt64Array | Float64Array)[];
    readonly createdBy: string;
  },
): Promise<void> {
  const declared = columns.map((one): Column => ({
    annotation: null,
    isRequired: true,
    isWritten: true,
    unit: null,
    doc: "",
    ...one,
  }));
  const batches = [{ length: values[0]?.length ?? 0, values }];
  await writeParquet(path, { columns: declared, compression: "snappy", createdBy, batches });
}

/** The columns of a trace as numbers: parquet, or CSV with a header. */
async function readTrace(path: string, names: readonly string[]): Promise<number[][]> {
  return path.endsWith(".csv") ? await readCsv(path, names) : await readParquet(path, names);
}

async function readParquet(path: string, names: readonly string[]): Promise<number[][]> {
  try {
    using file = await ParquetFile.open(path);
    requireNames(path, { names, found: file.columns.map(({ name }) => name) });
    const columns = names.map(() => [] as number[]);
    for (const group of file.groups.keys()) {
      for (const [at, name] of names.entries()) {
        for (const one of await file.readNumbers(name, group)) columns[at]?.push(one);
      }
    }
    return columns;
  } catch (error) {
    if (!(error instanceof ParquetReadError)) throw error;
    throw new ExportError(error.message, { cause: error });
  }
}

async function readCsv(path: string, names: readonly string[]): Promise<number[][]> {
  const [header = "", ...lines] = (await Deno.readTextFile(path)).trim().split(/\r?\n/);
  const found = header.split(",").map((one) => one.trim());
  requireNames(path, { names, found });
  return names.map((name) => {
    const at = found.indexOf(name);
    return lines.map((line, row) => {
      const text = line.split(",")[at]?.trim() ?? "";
      // A time is epoch ms, or a date as ISO 8601 has it.
      const value = text === ""
        ? NaN
        : Number.isNaN(Number(text))
        ? Date.parse(text)
        : Number(text);
      if (Number.isFinite(value)) return value;
      throw new ExportError(
        `Cannot read "${path}":${row + 2}: a number is required for ${name}, got "${text}"`,
      );
    });
  });
}

function requireNames(
  path: string,
  { names, found }: { readonly names: readonly string[]; readonly found: readonly string[] },
): void {
  const missing = names.filter((name) => !found.includes(name));
  if (missing.length === 0) return;
  throw new ExportError(
    `Cannot read "${path}": columns ${names.join(", ")} are required, got ${found.join(", ")}`,
  );
}
