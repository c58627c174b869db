/**
 * Reads and writes traces that are beside a workload: carbon intensities and failures.
 *
 * @module
 */

import { readInputText } from "../../trace/input_file.ts";
import { writeParquet } from "../parquet.ts";
import { ParquetFile, ParquetReadError } from "../parquet_reader.ts";
import { ExportError } from "./input.ts";
import type { Column } from "./schema.ts";

/** A column of a trace: required, without a remark. */
export type TraceColumn = Pick<Column, "name" | "type"> & Partial<Column>;

/** What a timestamp of each unit of parquet is divided by for ms. */
const UNITS_PER_MS: Readonly<Record<string, number>> = { MILLIS: 1, MICROS: 1e3, NANOS: 1e6 };

/** Write `values` by column to `path`. */
export async function writeTrace(
  path: string,
  { columns, values, createdBy }: {
    readonly columns: readonly TraceColumn[];
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

/**
 * The columns of a trace as numbers, timestamps in epoch ms: parquet, or CSV with a header.
 *
 * @throws {ExportError} when a column is missing or a value is not a number, saying where.
 */
export async function readTrace(path: string, names: readonly string[]): Promise<number[][]> {
  return path.endsWith(".csv") ? await readCsv(path, names) : await readParquet(path, names);
}

async function readParquet(path: string, names: readonly string[]): Promise<number[][]> {
  try {
    using file = await ParquetFile.open(path);
    requireNames(path, { names, found: file.columns.map(({ name }) => name) });
    const columns = names.map(() => [] as number[]);
    for (const [at, name] of names.entries()) {
      const unit = file.columns.find((column) => column.name === name)?.timestampUnit ?? "MILLIS";
      for (const group of file.groups.keys()) {
        const values = await file.readNumbers(name, group);
        for (const one of values) columns[at]?.push(one / (UNITS_PER_MS[unit] ?? 1));
      }
    }
    return columns;
  } catch (error) {
    if (!(error instanceof ParquetReadError)) throw error;
    throw new ExportError(error.message, { cause: error });
  }
}

async function readCsv(path: string, names: readonly string[]): Promise<number[][]> {
  const [header = "", ...lines] = (await readInputText(path)).trim().split(/\r?\n/);
  const found = header.split(",").map((one) => one.trim());
  requireNames(path, { names, found });
  return names.map((name) => {
    const at = found.indexOf(name);
    return lines.map((line, row) => {
      const text = line.split(",")[at]?.trim() ?? "";
      const value = numberOf(text);
      if (Number.isFinite(value)) return value;
      throw new ExportError(
        `Cannot read "${path}":${
          row + 2
        }: a number or a date of ISO 8601 is required for ${name}, got "${text}"`,
      );
    });
  });
}

/** A number, or a date as ISO 8601 has it in epoch ms: UTC where it names no zone; else NaN. */
function numberOf(text: string): number {
  if (text === "") return NaN;
  if (!Number.isNaN(Number(text))) return Number(text);
  return Date.parse(/\d:\d/.test(text) && !/(Z|[+-]\d\d:?\d\d)$/i.test(text) ? `${text}Z` : text);
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
