/**
 * Samples in the order of time, whatever order their lines have: sorted in pieces on the disk, and
 * several sorted files as one stream.
 *
 * @module
 */

import { join } from "@std/path";
import type { RawReading } from "./raw_line.ts";
import {
  LINE_LIMIT_BYTES,
  type LineCounts,
  RawSampleFile,
  type SampleSource,
  sumCounts,
} from "./raw_samples.ts";
import type { RecordTime } from "./run_clock.ts";

/** Bytes of lines sorted in memory at once. A file of 2 GB makes 128 pieces of it. */
const PIECE_BYTES = 16 * 1024 * 1024;

/** Bytes read at once of each of many files. */
const MERGE_BLOCK_BYTES = 64 * 1024;

const NEWLINE = 10;

/** Puts a reading in its order; by it readings are sorted, ascending. */
export type OrderOf = (reading: RecordTime) => number;

/** How {@linkcode sortSamples} works. */
export interface SortOptions {
  /** Puts a reading in its order. */
  readonly orderOf: OrderOf;
  /** Folder for the sorted pieces; the caller removes it. */
  readonly folder: string;
  /** Bytes of lines sorted at once. Default: 16 MiB. */
  readonly pieceBytes?: number;
}

/**
 * Sort the samples of `path` into files of whole lines, each sorted in itself.
 *
 * @returns the files, and what else was in `path`.
 */
export async function sortSamples(
  path: string,
  { orderOf, folder, pieceBytes = PIECE_BYTES }: SortOptions,
): Promise<{ pieces: string[]; counts: LineCounts }> {
  using source = await RawSampleFile.open(path);
  const piece = new Piece(pieceBytes);
  const pieces: string[] = [];
  async function write(): Promise<void> {
    if (piece.length === 0) return;
    const name = join(folder, `piece-${pieces.length}.jsonl`);
    await Deno.writeFile(name, piece.take());
    pieces.push(name);
  }
  while (await source.fill()) {
    while (source.next()) {
      piece.add(source.block.subarray(source.lineStart, source.lineEnd), orderOf(source.reading));
      if (piece.length >= pieceBytes) await write();
    }
  }
  await write();
  return { pieces, counts: source.counts };
}

/** Lines in memory with their order; the memory serves for one piece after the other. */
class Piece {
  /** Bytes of the lines, a newline after each. */
  length = 0;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #sorted: Uint8Array<ArrayBuffer>;
  #starts: number[] = [];
  #orders: number[] = [];

  /** Room for `pieceBytes`, and for the line that goes beyond. */
  constructor(pieceBytes: number) {
    this.#bytes = new Uint8Array(pieceBytes + LINE_LIMIT_BYTES);
    this.#sorted = new Uint8Array(pieceBytes + LINE_LIMIT_BYTES);
  }

  add(line: Uint8Array, order: number): void {
    this.#starts.push(this.length);
    this.#orders.push(order);
    this.#bytes.set(line, this.length);
    this.length += line.length;
    this.#bytes[this.length++] = NEWLINE;
  }

  /** The lines in their order, valid until the next is added; none are left here. */
  take(): Uint8Array<ArrayBuffer> {
    const starts = [...this.#starts, this.length];
    const orders = this.#orders;
    const indices = Uint32Array.from(orders.keys())
      .sort((a, b) => (orders[a] as number) - (orders[b] as number) || a - b);
    let at = 0;
    for (const index of indices) {
      const line = this.#bytes.subarray(starts[index], starts[index + 1]);
      this.#sorted.set(line, at);
      at += line.length;
    }
    this.length = 0;
    this.#starts = [];
    this.#orders = [];
    return this.#sorted.subarray(0, at);
  }
}

/** Several sorted files as one sorted stream. Dispose of it to close them. */
export class MergedSamples implements SampleSource {
  readonly #files: readonly RawSampleFile[];
  readonly #orderOf: OrderOf;
  /** Order of the reading that each file is at; NaN: its block is used up; Infinity: it ended. */
  readonly #orders: number[];
  #current = -1;

  private constructor(files: readonly RawSampleFile[], orderOf: OrderOf) {
    this.#files = files;
    this.#orderOf = orderOf;
    this.#orders = files.map(() => NaN);
  }

  /** Open `paths`, each of them sorted. */
  static async open(paths: readonly string[], orderOf: OrderOf): Promise<MergedSamples> {
    const files: RawSampleFile[] = [];
    for (const path of paths) files.push(await RawSampleFile.open(path, MERGE_BLOCK_BYTES));
    return new MergedSamples(files, orderOf);
  }

  /** The reading that {@linkcode next} stepped to. */
  get reading(): RawReading {
    return this.#file.reading;
  }

  /** The bytes of its line, newline not included; valid until `fill`. */
  get line(): Uint8Array {
    const { block, lineStart, lineEnd } = this.#file;
    return block.subarray(lineStart, lineEnd);
  }

  /** Lines read so far, of all files. */
  get counts(): LineCounts {
    return sumCounts(this.#files.map(({ counts }) => counts));
  }

  /** Bytes read so far, of all files. */
  get bytesRead(): number {
    return this.#files.reduce((sum, { bytesRead }) => sum + bytesRead, 0);
  }

  /** Read on where a file's block is used up; false at the end of all. */
  async fill(): Promise<boolean> {
    for (const [index, file] of this.#files.entries()) {
      while (Number.isNaN(this.#orders[index])) {
        if (file.next()) this.#orders[index] = this.#orderOf(file.reading);
        else if (!await file.fill()) this.#orders[index] = Infinity;
      }
    }
    this.#current = -1;
    return this.#orders.some((order) => order !== Infinity);
  }

  /** Step to the next reading; false when a file must be read on first, or all have ended. */
  next(): boolean {
    if (this.#current >= 0 && !this.#advance()) return false;
    let first = -1;
    let least = Infinity;
    for (let index = 0; index < this.#orders.length; index++) {
      const order = this.#orders[index] as number;
      if (order < least) [first, least] = [index, order];
    }
    this.#current = first;
    return first >= 0;
  }

  /** Close the files. */
  [Symbol.dispose](): void {
    for (const file of this.#files) file[Symbol.dispose]();
  }

  get #file(): RawSampleFile {
    return this.#files[this.#current] as RawSampleFile;
  }

  /** Step on in the current file; false when its block is used up. */
  #advance(): boolean {
    const isMore = this.#file.next();
    this.#orders[this.#current] = isMore ? this.#orderOf(this.#file.reading) : NaN;
    if (!isMore) this.#current = -1;
    return isMore;
  }
}
