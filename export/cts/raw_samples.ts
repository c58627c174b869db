/**
 * `proc_metrics.jsonl` as a stream of readings, in blocks: `fill` reads the next block, `next` steps
 * through the readings in it. Lines that are none are counted and skipped, never fatal.
 *
 * @module
 */

import { DecodeError } from "../../trace/schema.ts";
import { RawLineParser, type RawReading } from "./raw_line.ts";
import { openInputFile } from "../../trace/input_file.ts";

const NEWLINE = 10;

/** Bytes read at once: some thousand lines, so that the cost per read vanishes. */
const BLOCK_BYTES = 512 * 1024;

/**
 * Longest accepted line, bytes. A sample has 200; what is longer is another kind of file, and its line is
 * skipped without being kept.
 */
export const LINE_LIMIT_BYTES: number = 64 * 1024;

const LONG_LINE = `a line of at most ${LINE_LIMIT_BYTES} bytes is required`;

/** Bad lines whose place and reason are kept for the report: enough to see what is wrong. */
const KEPT_BAD_LINES = 5;

/** What was in a file of records besides records. */
export interface LineCounts {
  /** Lines, blank ones not counted. */
  lines: number;
  /** Last lines without a newline that are not a record: what a crash cut off. */
  torn: number;
  /** Lines that are not JSON. */
  malformed: number;
  /** Lines that are JSON but another record. */
  foreign: number;
  /** Place and reason of the first few bad lines. */
  readonly examples: string[];
}

/** Counts of a file in which nothing was read yet. */
export function noLines(): LineCounts {
  return { lines: 0, torn: 0, malformed: 0, foreign: 0, examples: [] };
}

/** The counts of several files as one. */
export function sumCounts(all: readonly LineCounts[]): LineCounts {
  const sum = noLines();
  for (const { lines, torn, malformed, foreign, examples } of all) {
    sum.lines += lines;
    sum.torn += torn;
    sum.malformed += malformed;
    sum.foreign += foreign;
    sum.examples.push(...examples);
  }
  return sum;
}

/** Count a line that is not a record, as `error` says. */
export function countBadLine(
  counts: LineCounts,
  { error, where, isTorn }: { error: Error; where: string; isTorn: boolean },
): void {
  if (isTorn) counts.torn++;
  else if (error instanceof DecodeError) counts.foreign++;
  else counts.malformed++;
  if (counts.examples.length < KEPT_BAD_LINES) {
    counts.examples.push(`${where}: ${error.message}`);
  }
}

/** A stream of readings. */
export interface SampleSource extends Disposable {
  /** The reading that {@linkcode next} stepped to. */
  readonly reading: RawReading;
  /** Lines read so far, good and bad. */
  readonly counts: LineCounts;
  /** Bytes read so far. */
  readonly bytesRead: number;
  /** Read the next block; false at the end. */
  fill(): Promise<boolean>;
  /** Step to the next reading of the block; false when there is none left in it. */
  next(): boolean;
}

/** Reads one file of raw samples. Dispose of it to close the file. */
export class RawSampleFile implements SampleSource {
  /** Lines read so far, good and bad. */
  readonly counts: LineCounts = noLines();
  /** Bytes read so far. */
  bytesRead = 0;
  /** First and last byte of the line that `next` stepped to, as it is in {@linkcode block}. */
  lineStart = 0;
  /** Index behind the last byte of that line. */
  lineEnd = 0;
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #parser = new RawLineParser();
  #block: Uint8Array<ArrayBuffer>;
  /** Bytes of the block that are filled, and how many of them are whole lines. */
  #filled = 0;
  #wholeEnd = 0;
  #at = 0;
  #line = 0;
  #isAtEnd = false;
  /** True while the rest of an over-long line is skipped. */
  #isSkipping = false;

  private constructor(
    path: string,
    { file, blockBytes }: { file: Deno.FsFile; blockBytes: number },
  ) {
    this.#path = path;
    this.#file = file;
    this.#block = new Uint8Array(blockBytes + LINE_LIMIT_BYTES);
  }

  /**
   * Open `path`; `blockBytes` are read at once, by default 512 KiB.
   *
   * @throws {Deno.errors.NotFound} when there is no such file.
   */
  static async open(path: string, blockBytes: number = BLOCK_BYTES): Promise<RawSampleFile> {
    const file = await openInputFile(path);
    return new RawSampleFile(path, { file, blockBytes });
  }

  /** The reading that `next` stepped to. */
  get reading(): RawReading {
    return this.#parser;
  }

  /** The bytes that {@linkcode lineStart} and {@linkcode lineEnd} point into; valid until `fill`. */
  get block(): Uint8Array<ArrayBuffer> {
    return this.#block;
  }

  /** Read the next block; false at the end. */
  async fill(): Promise<boolean> {
    if (this.#isAtEnd) return false;
    this.#block.copyWithin(0, this.#wholeEnd, this.#filled);
    this.#filled -= this.#wholeEnd;
    this.#at = this.#wholeEnd = 0;
    const space = this.#block.subarray(this.#filled);
    const count = await this.#file.read(space);
    if (count === null) {
      this.#isAtEnd = true;
      this.#wholeEnd = this.#filled;
    } else {
      this.bytesRead += count;
      this.#filled += count;
      this.#wholeEnd = this.#block.lastIndexOf(NEWLINE, this.#filled - 1) + 1;
      if (this.#wholeEnd === 0 && this.#filled > LINE_LIMIT_BYTES) this.#skipLongLine();
    }
    this.#parser.useBlock(this.#block);
    return true;
  }

  /** Step to the next reading of the block; false when there is none left in it. */
  next(): boolean {
    while (this.#at < this.#wholeEnd) {
      const start = this.#at;
      this.lineStart = start;
      this.#line++;
      if (!this.#isSkipping) {
        this.lineEnd = this.#parser.parseKnown(start, this.#wholeEnd);
        if (this.lineEnd >= 0 && this.lineEnd - start <= LINE_LIMIT_BYTES) {
          this.#at = this.lineEnd + 1;
          this.counts.lines++;
          return true;
        }
      }
      let end = this.#block.indexOf(NEWLINE, start);
      const isTorn = end < 0 || end >= this.#wholeEnd;
      if (isTorn) end = this.#wholeEnd;
      this.#at = end + 1;
      this.lineEnd = end;
      if (this.#isSkipping) {
        this.#isSkipping = false;
      } else if (end > start) {
        this.counts.lines++;
        try {
          if (end - start > LINE_LIMIT_BYTES) throw new SyntaxError(LONG_LINE);
          this.#parser.parse(start, end);
          return true;
        } catch (error) {
          if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
          countBadLine(this.counts, { error, where: `${this.#path}:${this.#line}`, isTorn });
        }
      }
    }
    return false;
  }

  /** Close the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  #skipLongLine(): void {
    if (!this.#isSkipping) {
      this.#isSkipping = true;
      this.counts.lines++;
      const where = `${this.#path}:${this.#line + 1}`;
      countBadLine(this.counts, { error: new SyntaxError(LONG_LINE), where, isTorn: false });
    }
    this.#filled = 0;
  }
}
