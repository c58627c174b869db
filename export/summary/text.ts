/**
 * Words, numbers, bars and tables of the summaries, for a terminal of 80 columns. Pure.
 *
 * @module
 */

import { kbToMib } from "../../trace/units.ts";

/** Columns of a screen. */
export const SCREEN_COLUMNS = 80;

/** How text is emphasised. */
export interface Paint {
  /** Good news. */
  readonly good: (text: string) => string;
  /** Bad news. */
  readonly bad: (text: string) => string;
  /** Headings. */
  readonly strong: (text: string) => string;
  /** What matters less. */
  readonly faint: (text: string) => string;
}

function asIs(text: string): string {
  return text;
}

/** No emphasis: for files and pipes. */
export const PLAIN: Paint = { good: asIs, bad: asIs, strong: asIs, faint: asIs };

function sgr(code: number): (text: string) => string {
  return (text) => `\x1b[${code}m${text}\x1b[0m`;
}

/** Colours of ECMA-48 terminals. */
export const COLOURED: Paint = { good: sgr(32), bad: sgr(31), strong: sgr(1), faint: sgr(2) };

/** A length of time with its unit; `-` where it is not known. */
export function durationText(ms: number | null): string {
  if (ms === null) return "-";
  if (Math.abs(ms) < 1) return `${ms.toFixed(2)} ms`;
  if (Math.abs(ms) < 1000) return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
  const seconds = ms / 1000;
  return `${seconds.toFixed(Math.abs(seconds) < 100 ? 2 : seconds < 10_000 ? 1 : 0)} s`;
}

/** A number without a unit; `-` where it is not known. */
export function numberText(value: number | null): string {
  if (value === null) return "-";
  return value.toFixed(Math.abs(value) < 100 ? 2 : Math.abs(value) < 10_000 ? 1 : 0);
}

/** A share in percent; `-` where it is not known. */
export function percentText(ratio: number | null): string {
  return ratio === null ? "-" : `${(100 * ratio).toFixed(ratio < 0.0995 ? 1 : 0)} %`;
}

/** Memory in MiB; `-` where it is not known. */
export function memoryText(kb: number | null): string {
  return kb === null ? "-" : `${kbToMib(kb).toFixed(0)} MiB`;
}

/** A size in bytes with a decimal prefix. */
export function sizeText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = bytes;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${size.toFixed(unit === 0 || size >= 10 ? 0 : 1)} ${units[unit]}`;
}

/** A time as ISO 8601 to the second; `-` where it is not known. */
export function timeText(ms: number | null): string {
  return ms === null ? "-" : `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** A bar that is filled to `ratio`, at most whole. */
export function bar(ratio: number | null, width: number): string {
  if (ratio === null) return " ".repeat(width);
  const filled = Math.round(Math.min(1, Math.max(0, ratio)) * width);
  return "█".repeat(filled) + "·".repeat(width - filled);
}

/** `text` in at most `width` columns; what is cut off is marked. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** The end of `text` in at most `width` columns: names of tasks differ there. */
export function cutStart(text: string, width: number): string {
  return text.length <= width ? text : `…${text.slice(1 - width)}`;
}

/** How a table is laid out. */
export interface TableLayout {
  /** Columns that are aligned to the left; the others are numbers, to the right. */
  readonly texts: number;
  /** Widest cell of a text column. */
  readonly textWidth?: number;
}

/** Rows of cells as lines, the first row being the heading; two blanks between columns. */
export function tableLines(
  rows: readonly (readonly string[])[],
  { texts, textWidth = 32 }: TableLayout,
): string[] {
  const cells = rows.map((row) =>
    row.map((cell, column) => column < texts ? cut(cell, textWidth) : cell)
  );
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0))
  );
  return cells.map((row) =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column < texts ? cell.padEnd(width) : cell.padStart(width);
    }).join("  ").trimEnd()
  );
}

/** `text` in lines of a screen, those after the first indented by two. */
export function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const candidate = line === "" ? word : `${line} ${word}`;
    if (candidate.length > SCREEN_COLUMNS && line !== "") {
      lines.push(line);
      line = `  ${word}`;
    } else line = candidate;
  }
  return [...lines, line];
}
