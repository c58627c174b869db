/**
 * Checks the pages of a parquet column before they are decoded: the decoder fills an array with as many
 * values as a run says, so that a flipped bit makes it work for minutes and take gigabytes. Of the format
 * (parquet.thrift, Encodings.md) it knows what that takes: page headers, and the lengths of runs. Pure.
 *
 * @module
 */

/** Turns the bytes of a page into `size` bytes. */
export type Decompress = (bytes: Uint8Array, size: number) => Uint8Array;

/** What is known of a column's values in one row group. */
export interface ColumnShape {
  /** Rows of the group. */
  readonly rows: number;
  /** True where values may be missing. */
  readonly isOptional: boolean;
  /** Of the column's codec. */
  readonly decompress: Decompress;
}

/** Numbers of the enumerations in parquet.thrift. */
const DATA_PAGE = 0;
const DICTIONARY_PAGE = 2;
const DATA_PAGE_V2 = 3;
const PLAIN_DICTIONARY = 2;
const RLE_DICTIONARY = 8;

/** Largest page that is decompressed, bytes: writers make them of 1 MiB. */
const PAGE_LIMIT_BYTES = 256 * 1024 * 1024;

/**
 * Check all pages in `chunk`, the bytes of a flat column in one row group.
 *
 * @throws {RangeError} where a page claims more than its group has.
 */
export function checkPages(chunk: Uint8Array, shape: ColumnShape): void {
  const bytes = new Bytes(chunk);
  for (let left = shape.rows; left > 0;) {
    const header = readStruct(bytes);
    const size = within("bytes of a page", header[3], bytes.left);
    const body = bytes.take(size);
    const type = header[1];
    if (type === DICTIONARY_PAGE) continue;
    if (type !== DATA_PAGE && type !== DATA_PAGE_V2) throw broken(`a page of type ${type}`);
    const page = header[type === DATA_PAGE ? 5 : 8];
    if (typeof page !== "object") throw broken("a page without its header");
    const count = within("values of a page", page[1], left);
    const wholeSize = within("bytes of a page", header[2], PAGE_LIMIT_BYTES);
    const content = type === DATA_PAGE
      ? new Bytes(shape.decompress(body, wholeSize))
      : contentOfV2(body, { page, wholeSize, shape, count });
    const present = type === DATA_PAGE && shape.isOptional
      ? countPresent(content.part(content.uint32()), count)
      : count - within("missing values", type === DATA_PAGE ? 0 : page[2] ?? 0, count);
    const encoding = page[type === DATA_PAGE ? 2 : 4];
    if (encoding === PLAIN_DICTIONARY || encoding === RLE_DICTIONARY) {
      checkIndexes(content, present);
    }
    left -= count;
    if (count === 0) throw broken("a page without values");
  }
}

/** The values of a page of the second version, whose levels come before what is compressed. */
function contentOfV2(
  body: Uint8Array,
  { page, wholeSize, shape, count }: {
    readonly page: Struct;
    readonly wholeSize: number;
    readonly shape: ColumnShape;
    readonly count: number;
  },
): Bytes {
  const repetitions = within("bytes of levels", page[6] ?? 0, body.length);
  const definitions = within("bytes of levels", page[5] ?? 0, body.length - repetitions);
  const levels = repetitions + definitions;
  if (shape.isOptional) {
    countPresent(new Bytes(body.subarray(repetitions, levels)), count);
  }
  const values = body.subarray(levels);
  const isCompressed = page[7] !== 0;
  return new Bytes(isCompressed ? shape.decompress(values, wholeSize - levels) : values);
}

function checkIndexes(content: Bytes, count: number): void {
  if (count === 0) return;
  const width = within("bits of an index", content.byte(), 32);
  if (width > 0) checkRuns(content, { width, count, onRun: () => {} });
}

/** How many of `count` values are there, by their definition levels of one bit. */
function countPresent(levels: Bytes, count: number): number {
  let present = 0;
  checkRuns(levels, {
    width: 1,
    count,
    onRun: ({ bytes, isPacked, values }) => {
      if (!isPacked) present += (bytes[0] ?? 0) === 1 ? values : 0;
      else for (let at = 0; at < values; at++) present += (bytes[at >> 3] ?? 0) >> (at & 7) & 1;
    },
  });
  return present;
}

/** One run of values. */
interface Run {
  /** The packed values, or the one that is repeated. */
  readonly bytes: Uint8Array;
  readonly isPacked: boolean;
  /** How many values of the page it has. */
  readonly values: number;
}

/**
 * Runs of the hybrid of run lengths and bit packing: together they have `count` values, and no repetition
 * goes beyond. Some writers fill a last packed run up, which its bytes bound.
 */
function checkRuns(
  bytes: Bytes,
  { width, count, onRun }: {
    readonly width: number;
    readonly count: number;
    readonly onRun: (run: Run) => void;
  },
): void {
  for (let left = count; left > 0;) {
    const header = bytes.varint();
    const isPacked = header % 2 === 1;
    const length = Math.floor(header / 2) * (isPacked ? 8 : 1);
    if (length === 0) throw broken("a run without values");
    const values = isPacked ? Math.min(length, left) : within("values of a run", length, left);
    const size = isPacked ? Math.min(length / 8 * width, bytes.left) : Math.ceil(width / 8);
    onRun({ bytes: bytes.take(size), isPacked, values });
    left -= values;
  }
}

/** A struct of Thrift's compact protocol: numbers and structs by their field; others are skipped. */
interface Struct {
  readonly [field: number]: number | Struct | undefined;
}

function readStruct(bytes: Bytes, depth = 0): Struct {
  if (depth > 8) throw broken("a header nested too deeply");
  const struct: Record<number, number | Struct> = {};
  for (let field = 0;;) {
    const byte = bytes.byte();
    const type = byte & 0x0f;
    if (type === 0) return struct;
    field = byte >> 4 === 0 ? bytes.zigzag() : field + (byte >> 4);
    const value = readValue(bytes, { type, depth });
    if (value !== null) struct[field] = value;
  }
}

function readValue(
  bytes: Bytes,
  { type, depth }: { readonly type: number; readonly depth: number },
): number | Struct | null {
  switch (type) {
    case 1: // true
      return 1;
    case 2: // false
      return 0;
    case 3: // i8
      return bytes.byte();
    case 4: // i16
    case 5: // i32
    case 6: // i64
      return bytes.zigzag();
    case 7: // double
      bytes.skip(8);
      return null;
    case 8: // binary
      bytes.skip(bytes.varint());
      return null;
    case 12: // struct
      return readStruct(bytes, depth + 1);
    default:
      throw broken(`a field of type ${type}`);
  }
}

/** Bytes that are read one after the other. */
class Bytes {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw broken("a page that ends early");
    return byte;
  }

  uint32(): number {
    return this.byte() + this.byte() * 2 ** 8 + this.byte() * 2 ** 16 + this.byte() * 2 ** 24;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1;; factor *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      if (factor > 2 ** 49) throw broken("a number without end");
    }
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  skip(count: number): void {
    this.#at += within("bytes", count, this.left);
  }

  take(count: number): Uint8Array {
    this.skip(count);
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  part(count: number): Bytes {
    return new Bytes(this.take(count));
  }
}

function within(what: string, value: number | Struct | undefined, limit: number): number {
  if (typeof value === "number" && value >= 0 && value <= limit) return value;
  throw broken(`${value} ${what}, at most ${limit} are possible`);
}

function broken(what: string): RangeError {
  return new RangeError(`its pages are broken: ${what}`);
}
