/** Results of queries as text: a table, CSV or JSON. Pure. */

import type { Cell, QueryResult } from "./database.ts";
import { counted } from "../../trace/counted.ts";

/** The formats. */
export const OUTPUT_FORMATS = ["table", "csv", "json"] as const;
/** A format. */
export type OutputFormat = typeof OUTPUT_FORMATS[number];

/** Widest column of a table; what is longer is cut off and marked. */
const CELL_WIDTH = 48;

/** The lines that show `result`. */
export function resultLines(result: QueryResult, format: OutputFormat): string[] {
  switch (format) {
    case "csv":
      return [result.columns, ...result.rows].map((row) => row.map(csvCell).join(","));
    case "json":
      return [JSON.stringify(result.rows.map((row) => objectOf(result.columns, row)))];
    case "table":
      return table(result);
  }
}

function objectOf(columns: readonly string[], row: readonly Cell[]): Record<string, Cell> {
  return Object.fromEntries(columns.map((name, at) => [name, row[at] ?? null]));
}

function csvCell(value: Cell): string {
  if (value === null) return "";
  const text = String(value);
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function table({ columns, numeric, rows }: QueryResult): string[] {
  const cells = rows.map((row) => row.map(tableCell));
  const widths = columns.map((name, at) =>
    cells.reduce((width, row) => Math.max(width, row[at]?.length ?? 0), name.length)
  );
  const line = (row: readonly string[]) =>
    row.map((cell, at) =>
      numeric[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)
    ).join("  ").trimEnd();
  return [
    line(columns),
    widths.map((width) => "─".repeat(width)).join("  "),
    ...cells.map(line),
    `(${counted(rows.length, "row")})`,
  ];
}

function tableCell(value: Cell): string {
  if (value === null) return "-";
  if (typeof value === "number") return numberText(value);
  const text = String(value).replaceAll(/\s+/g, " ");
  return text.length > CELL_WIDTH ? `${text.slice(0, CELL_WIDTH - 1)}…` : text;
}

/** Six significant digits are enough for the eye; CSV and JSON have all. */
function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}
