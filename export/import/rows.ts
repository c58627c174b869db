/**
 * Delimited text of any size, block by block.
 *
 * @module
 */

import { readLineBlocks } from "../line_blocks.ts";
import { ImportError, type ImportSink, type SourceFile } from "./contract.ts";

/** Values of one line, by column. */
export type Row = readonly string[];

/** How lines are divided. */
export interface RowFormat {
  /** Between values; null: any run of blanks. */
  readonly delimiter: string | null;
  /** Lines that begin with this are comments, handed to `onComment`. */
  readonly comment?: string;
  /** Called with each comment line. */
  readonly onComment?: (line: string) => void;
}

/** Call `onRow` with the values and the number of each line that is not empty and not a comment. */
export async function readRows(
  file: SourceFile,
  { format, sink, onRow }: {
    readonly format: RowFormat;
    readonly sink: ImportSink;
    readonly onRow: (row: Row, line: number) => void;
  },
): Promise<void> {
  const { delimiter, comment, onComment } = format;
  const decoder = new TextDecoder();
  let number = 0;
  for await (const { bytes } of readLineBlocks(file.path)) {
    const lines = decoder.decode(bytes).split("\n");
    // A block ends with a newline: what follows it is empty.
    if (lines.at(-1) === "") lines.pop();
    for (const raw of lines) {
      number++;
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
      if (line === "") continue;
      if (comment !== undefined && line.startsWith(comment)) onComment?.(line);
      else onRow(splitLine(line, delimiter), number);
    }
    await sink.ready();
  }
}

function splitLine(line: string, delimiter: string | null): Row {
  if (delimiter === null) return splitBlanks(line.trim());
  return line.includes('"') ? splitQuoted(line, delimiter) : line.split(delimiter);
}

/** Single blanks are the usual case, and a pattern takes three times as long. */
function splitBlanks(line: string): Row {
  const values = line.split(" ");
  return values.includes("") || line.includes("\t") ? line.split(/\s+/) : values;
}

/** Values of a line in which some are in double quotes, as RFC 4180 has it. */
function splitQuoted(line: string, delimiter: string): Row {
  const values: string[] = [];
  for (let at = 0; at <= line.length;) {
    if (line[at] !== '"') {
      const end = line.indexOf(delimiter, at);
      values.push(line.slice(at, end < 0 ? undefined : end));
      at = end < 0 ? line.length + 1 : end + delimiter.length;
      continue;
    }
    let value = "";
    let from = at + 1;
    for (;;) {
      const quote = line.indexOf('"', from);
      if (quote < 0) return [...values, value + line.slice(from)];
      value += line.slice(from, quote);
      from = quote + 1;
      if (line[from] !== '"') break;
      value += '"';
      from++;
    }
    values.push(value);
    const end = line.indexOf(delimiter, from);
    at = end < 0 ? line.length + 1 : end + delimiter.length;
  }
  return values;
}

/** Places of the columns that an importer uses, by its names for them. */
export class Columns<K extends string> {
  readonly #at: ReadonlyMap<K, number>;

  private constructor(at: ReadonlyMap<K, number>) {
    this.#at = at;
  }

  /**
   * The columns of `header`. `wanted` has the source's name for each; several names are tried in order.
   * Columns that nobody uses are told to `sink`.
   *
   * @throws {ImportError} when one of `required` is missing.
   */
  static of<K extends string>(
    header: Row,
    { wanted, required, sink, file }: {
      readonly wanted: Readonly<Record<K, string | readonly string[]>>;
      readonly required: readonly K[];
      readonly sink: ImportSink;
      readonly file: SourceFile;
    },
  ): Columns<K> {
    const names = header.map((name) => name.trim());
    const at = new Map<K, number>();
    for (const [key, choices] of Object.entries(wanted) as [K, string | readonly string[]][]) {
      const found = [choices].flat().map((name) => names.indexOf(name)).find((one) => one >= 0);
      if (found !== undefined) at.set(key, found);
    }
    const missing = required.filter((key) => !at.has(key)).map((key) => [wanted[key]].flat()[0]);
    if (missing.length > 0) {
      throw new ImportError(
        `Cannot import "${file.path}": columns ${missing.join(", ")} are required, got ${
          names.join(", ").slice(0, 200)
        }`,
      );
    }
    const used = new Set(at.values());
    sink.unused(names.filter((name, index) => name !== "" && !used.has(index)));
    return new Columns(at);
  }

  /** Value of a column in `row`; undefined where the source has no such column. */
  get(row: Row, key: K): string | undefined {
    const at = this.#at.get(key);
    return at === undefined ? undefined : row[at];
  }
}

/** Largest file that is read as one JSON value, bytes. */
const JSON_LIMIT_BYTES = 512 * 1024 * 1024;

/**
 * A file that is one JSON value.
 *
 * @throws {ImportError} when it is larger than 512 MiB or not JSON.
 */
export async function readJson(file: SourceFile): Promise<unknown> {
  const { size } = await Deno.stat(file.path);
  if (size > JSON_LIMIT_BYTES) {
    throw new ImportError(
      `Cannot import "${file.path}": a JSON file of at most ${JSON_LIMIT_BYTES} bytes is required, ` +
        `got ${size}`,
    );
  }
  try {
    return JSON.parse(await Deno.readTextFile(file.path));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ImportError(`Cannot import "${file.path}": JSON is required (${error.message})`, {
      cause: error,
    });
  }
}

/** `value` as an object whose fields may be anything; null when it is not one. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Record<string, unknown>
    : null;
}

/** The objects in the list `value`; an empty list when it is not a list. */
export function objectsIn(value: unknown): Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(asObject).filter((one) => one !== null) : [];
}

/** `value` as a finite number, also written as a string; null when it is neither. */
export function asNumber(value: unknown): number | null {
  if (typeof value === "string" && value.trim() !== "") return asNumber(Number(value));
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** `value` as text; null when it is not a string or is empty. */
export function asText(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** Value of a field by its name, `a.b` for a field of a nested object; undefined where it is missing. */
export type Get = (name: string) => string | undefined;

/** Call `onRecord` with each record of a CSV file with a header, or of JSON Lines. */
export async function readRecords(
  file: SourceFile,
  { sink, onRecord }: {
    readonly sink: ImportSink;
    readonly onRecord: (get: Get, line: number) => void;
  },
): Promise<void> {
  const isJson = /^\s*\{/.test(file.head);
  let names: Map<string, number> | null = null;
  await readRows(file, {
    format: { delimiter: isJson ? "\0" : "," },
    sink,
    onRow: (row, line) => {
      if (isJson) {
        const value = parseLine(row.join("\0"));
        if (value === null) sink.bad(`${file.name}:${line}`, "a JSON object is required");
        else onRecord((name) => nestedText(value, name), line);
      } else if (names === null) names = new Map(row.map((name, at) => [name.trim(), at]));
      else {
        const at = names;
        onRecord((name) => row[at.get(name) ?? -1], line);
      }
    },
  });
}

function parseLine(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return asObject(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}

function nestedText(value: Readonly<Record<string, unknown>>, name: string): string | undefined {
  let found: unknown = value;
  for (const part of name.split(".")) found = asObject(found)?.[part];
  return found === undefined || found === null ? undefined : String(found);
}
