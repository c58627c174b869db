/**
 * Tables as bytes: what a report carries in its page. Columns are integers of variable length, codes of
 * a dictionary, or text that shares its beginning with the row before; gzip does the rest.
 *
 * @module
 */

/** A column to write. */
export type Column =
  | {
    readonly kind: "number";
    /** NaN: unknown. */
    readonly values: ArrayLike<number>;
    /** Steps per unit that are kept: 1000 keeps µs of ms. */
    readonly scale: number;
  }
  | {
    readonly kind: "code";
    /** Place of each value in `names`. */
    readonly codes: ArrayLike<number>;
    readonly names: readonly string[];
  }
  | { readonly kind: "text"; readonly values: readonly string[] };

/** A table to write: columns of one length by name. */
export interface Table {
  readonly name: string;
  readonly columns: Readonly<Record<string, Column>>;
}

interface ColumnHead {
  readonly name: string;
  readonly kind: Column["kind"];
  readonly rows: number;
  readonly offset: number;
  readonly length: number;
  readonly scale?: number;
  /** True when each value is written as the difference from the one before. */
  readonly isDelta?: boolean;
  readonly names?: readonly string[];
  /** Bytes of the lengths, in front of a text column's letters. */
  readonly lengths?: number;
}

interface PackHead {
  readonly head: unknown;
  readonly tables: readonly { readonly name: string; readonly columns: readonly ColumnHead[] }[];
}

/** Bytes of the length in front of the head. */
const LENGTH_BYTES = 4;

/** Growing bytes. */
class ByteSink {
  bytes = new Uint8Array(1 << 16);
  length = 0;

  #reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** A whole number from 0 to 2^53, 7 bits a byte, the lowest first. */
  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 128) {
      // Not rest & 127: numbers beyond 31 bits are common (µs of an hour).
      this.bytes[this.length++] = 128 + rest % 128;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.length++] = rest;
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }
}

/** Odd for numbers from 0, even for negative ones; never 0, which stands for an unknown value. */
function folded(value: number): number {
  return value < 0 ? -2 * value : 2 * value + 1;
}

function unfolded(value: number): number {
  return value % 2 === 1 ? (value - 1) / 2 : -value / 2;
}

/** Bytes that a folded number takes, roughly: which form of a column is the smaller one. */
function weightOf(value: number): number {
  return Math.log2(Math.abs(value) + 1);
}

function isDeltaSmaller(values: ArrayLike<number>): boolean {
  let plain = 0;
  let delta = 0;
  let before = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as number;
    if (Number.isNaN(value)) continue;
    plain += weightOf(value);
    delta += weightOf(value - before);
    before = value;
  }
  return delta < plain;
}

function writeNumbers(
  sink: ByteSink,
  { values, scale }: { readonly values: ArrayLike<number>; readonly scale: number },
): { readonly isDelta: boolean } {
  const isDelta = isDeltaSmaller(values);
  let before = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as number;
    if (Number.isNaN(value)) {
      sink.varint(0);
      continue;
    }
    const steps = Math.round(value * scale);
    sink.varint(folded(isDelta ? steps - before : steps));
    before = steps;
  }
  return { isDelta };
}

/** Letters that two texts have in common at their beginning; never half of a surrogate pair. */
function sharedLength(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let shared = 0;
  while (shared < most && a.charCodeAt(shared) === b.charCodeAt(shared)) shared++;
  const last = shared === 0 ? 0 : a.charCodeAt(shared - 1);
  return last >= 0xd800 && last < 0xdc00 ? shared - 1 : shared;
}

function writeText(sink: ByteSink, values: readonly string[]): { readonly lengths: number } {
  const lengths = new ByteSink();
  const letters: string[] = [];
  let before = "";
  for (const value of values) {
    const shared = sharedLength(before, value);
    lengths.varint(shared);
    lengths.varint(value.length - shared);
    letters.push(value.slice(shared));
    before = value;
  }
  sink.append(lengths.bytes.subarray(0, lengths.length));
  sink.append(new TextEncoder().encode(letters.join("")));
  return { lengths: lengths.length };
}

function writeColumn(sink: ByteSink, column: Column): Partial<ColumnHead> & { rows: number } {
  if (column.kind === "number") {
    return {
      rows: column.values.length,
      scale: column.scale,
      ...writeNumbers(sink, column),
    };
  }
  if (column.kind === "code") {
    for (let at = 0; at < column.codes.length; at++) sink.varint(column.codes[at] as number);
    return { rows: column.codes.length, names: column.names };
  }
  return { rows: column.values.length, ...writeText(sink, column.values) };
}

/** `tables` and a small `head` of plain JSON as bytes. */
export function packTables(head: unknown, tables: readonly Table[]): Uint8Array<ArrayBuffer> {
  const sink = new ByteSink();
  const heads = tables.map(({ name, columns }) => ({
    name,
    columns: Object.entries(columns).map(([column, content]): ColumnHead => {
      const offset = sink.length;
      const about = writeColumn(sink, content);
      return { name: column, kind: content.kind, offset, length: sink.length - offset, ...about };
    }),
  }));
  const headBytes = new TextEncoder().encode(
    JSON.stringify({ head, tables: heads } satisfies PackHead),
  );
  const packed = new Uint8Array(LENGTH_BYTES + headBytes.length + sink.length);
  new DataView(packed.buffer).setUint32(0, headBytes.length);
  packed.set(headBytes, LENGTH_BYTES);
  packed.set(sink.bytes.subarray(0, sink.length), LENGTH_BYTES + headBytes.length);
  return packed;
}

/** A column of codes that was read. */
export interface Codes {
  readonly codes: Uint32Array;
  readonly names: readonly string[];
}

/** A table that was read; a column is decoded when it is asked for the first time. */
export class PackedTable {
  readonly #columns: ReadonlyMap<string, ColumnHead>;
  readonly #bytes: Uint8Array;
  readonly #decoded = new Map<string, Float64Array | Codes | readonly string[]>();

  constructor(columns: readonly ColumnHead[], bytes: Uint8Array) {
    this.#columns = new Map(columns.map((one) => [one.name, one]));
    this.#bytes = bytes;
  }

  /** Number of rows. */
  get rows(): number {
    return this.#columns.values().next().value?.rows ?? 0;
  }

  /** Column of numbers; NaN: unknown. */
  numbers(name: string): Float64Array {
    return this.#read(name, "number", readNumbers);
  }

  /** Column of dictionary codes. */
  codes(name: string): Codes {
    return this.#read(name, "code", readCodes);
  }

  /** Column of text. */
  text(name: string): readonly string[] {
    return this.#read(name, "text", readText);
  }

  #read<T extends Float64Array | Codes | readonly string[]>(
    name: string,
    kind: Column["kind"],
    decode: (bytes: Uint8Array, column: ColumnHead) => T,
  ): T {
    const done = this.#decoded.get(name);
    if (done !== undefined) return done as T;
    const column = this.#columns.get(name);
    if (column?.kind !== kind) {
      throw new TypeError(
        `Cannot read column "${name}": a ${kind} column is required, got ${column?.kind ?? "none"}`,
      );
    }
    const decoded = decode(
      this.#bytes.subarray(column.offset, column.offset + column.length),
      column,
    );
    this.#decoded.set(name, decoded);
    return decoded;
  }
}

/** Reads whole numbers one after another. */
function varints(bytes: Uint8Array): () => number {
  let at = 0;
  return () => {
    let byte = bytes[at++] as number;
    let value = byte & 127;
    let weight = 128;
    while (byte >= 128) {
      byte = bytes[at++] as number;
      value += (byte & 127) * weight;
      weight *= 128;
    }
    return value;
  };
}

function readNumbers(bytes: Uint8Array, { rows, scale = 1, isDelta }: ColumnHead): Float64Array {
  const values = new Float64Array(rows);
  const next = varints(bytes);
  let before = 0;
  for (let at = 0; at < rows; at++) {
    const code = next();
    if (code === 0) {
      values[at] = NaN;
      continue;
    }
    const steps = unfolded(code) + (isDelta ? before : 0);
    values[at] = steps / scale;
    before = steps;
  }
  return values;
}

function readCodes(bytes: Uint8Array, { rows, names = [] }: ColumnHead): Codes {
  const next = varints(bytes);
  const codes = new Uint32Array(rows);
  for (let at = 0; at < rows; at++) codes[at] = next();
  return { codes, names };
}

function readText(bytes: Uint8Array, { rows, lengths = 0 }: ColumnHead): readonly string[] {
  const next = varints(bytes.subarray(0, lengths));
  const letters = new TextDecoder().decode(bytes.subarray(lengths));
  const values: string[] = [];
  let before = "";
  let at = 0;
  for (let row = 0; row < rows; row++) {
    const shared = next();
    const own = next();
    before = before.slice(0, shared) + letters.slice(at, at + own);
    at += own;
    values.push(before);
  }
  return values;
}

/** Tables that were read, by name. */
export interface Unpacked {
  readonly head: unknown;
  readonly tables: ReadonlyMap<string, PackedTable>;
}

/** The tables in `packed`, as {@linkcode packTables} made them. */
export function unpackTables(packed: Uint8Array<ArrayBuffer>): Unpacked {
  const length = new DataView(packed.buffer, packed.byteOffset).getUint32(0);
  const text = new TextDecoder().decode(packed.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
  const { head, tables } = JSON.parse(text) as PackHead;
  const body = packed.subarray(LENGTH_BYTES + length);
  return {
    head,
    tables: new Map(tables.map(({ name, columns }) => [name, new PackedTable(columns, body)])),
  };
}

/** `bytes` through gzip or back. */
export async function streamed(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  const piped = new Blob([bytes]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(piped).arrayBuffer());
}
