/**
 * JSON Lines: one JSON value a line, UTF-8, appended in batches and read as a stream.
 *
 * A crash in the middle of a write can leave one line torn. A writer that opens such a file closes the
 * torn line, so that the next record is alone; a reader reports it and continues.
 *
 * @module
 */

import { messageOf } from "./atomic_file.ts";
import { openInputFile } from "./input_file.ts";

const NEWLINE = 10;

/** Bytes read at once: large enough that the cost per call vanishes, small beside any heap. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Longest accepted line, in UTF-16 units. The largest honest record is a task with its stderr tail (a
 * few kB); without a bound a file of another kind would be read into one string.
 */
const LINE_LIMIT = 16 * 1024 * 1024;

/** Appends records to one file; each batch is one write. Dispose of it to close the file. */
export class JsonLinesWriter implements Disposable {
  /** The file. */
  readonly path: string;
  readonly #file: Deno.FsFile;
  readonly #encoder = new TextEncoder();

  private constructor(path: string, file: Deno.FsFile) {
    this.path = path;
    this.#file = file;
  }

  /**
   * Open `path` for appending; its folder must exist. A torn last line of an earlier writer is closed
   * by a newline.
   */
  static open(path: string): JsonLinesWriter {
    const file = Deno.openSync(path, { read: true, append: true, create: true });
    const writer = new JsonLinesWriter(path, file);
    const size = file.seekSync(0, Deno.SeekMode.End);
    if (size > 0) {
      file.seekSync(size - 1, Deno.SeekMode.Start);
      const last = new Uint8Array(1);
      if (file.readSync(last) === 1 && last[0] !== NEWLINE) writer.appendText("\n");
    }
    return writer;
  }

  /** Append `records`, a line each, in one write. */
  append(records: readonly object[]): void {
    let text = "";
    for (const one of records) text += JSON.stringify(one) + "\n";
    this.appendText(text);
  }

  /**
   * Append `text`, which is whole lines already, in one write.
   *
   * @throws {Error} naming the file when the write fails (a full disk); what a failed write left
   * behind is cut off again.
   */
  appendText(text: string): void {
    if (text !== "") this.#write(this.#encoder.encode(text));
  }

  /**
   * Append `bytes`, which is whole lines already, in UTF-8, in one write.
   *
   * @throws {Error} as {@linkcode appendText} does.
   */
  appendBytes(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#write(bytes);
  }

  /** Bytes in the file. */
  get bytes(): number {
    return this.#file.statSync().size;
  }

  /** Remove all lines. */
  clear(): void {
    this.#file.truncateSync(0);
  }

  /** Let `use` have the open file: to lock it, say. */
  use(use: (file: Deno.FsFile) => void): void {
    use(this.#file);
  }

  /** Wait until what was appended is on the disk. */
  syncData(): void {
    this.#file.syncDataSync();
  }

  /** Close the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  #write(bytes: Uint8Array): void {
    let written = 0;
    try {
      while (written < bytes.length) written += this.#file.writeSync(bytes.subarray(written));
    } catch (error) {
      this.#cutOff(written);
      throw new Error(`Cannot append to "${this.path}": ${messageOf(error)}`, { cause: error });
    }
  }

  /** Take back what a failed write left at the end. */
  #cutOff(bytes: number): void {
    if (bytes === 0) return;
    try {
      this.#file.truncateSync(this.#file.statSync().size - bytes);
    } catch (error) {
      // The failed write is the error to tell; a line that stays torn is what the reader reports.
      if (!(error instanceof Error)) throw error;
    }
  }
}

/** One line that is not a record: where it is and what is wrong with it. */
export interface BadLine {
  /** Line number, from 1. */
  readonly line: number;
  /** What is wrong, in words. */
  readonly reason: string;
  /** True for a last line without its newline: a write that a crash cut off. */
  readonly isTorn: boolean;
}

/** A batch of whole lines, as {@linkcode readLines} yields them. */
export interface LineBatch {
  /** Number of the first line of this batch, from 1. */
  readonly firstLine: number;
  /** The lines, without their newlines. */
  readonly lines: readonly string[];
  /** True when the last of these lines had no newline at the end of the file. */
  readonly isTorn: boolean;
}

/** How lines are read. */
export interface LinesOptions {
  /** True where a user named the file, who may mean a pipe. Default false: a regular file is required. */
  readonly isPipeTaken?: boolean;
}

/**
 * The lines of `path` in batches, one per chunk read.
 *
 * @throws {Deno.errors.NotFound} when there is no such file.
 * @throws {SyntaxError} on a line longer than 16 Mi characters.
 */
export async function* readLines(
  path: string,
  { isPipeTaken = false }: LinesOptions = {},
): AsyncGenerator<LineBatch> {
  using file = isPipeTaken ? await Deno.open(path) : await openInputFile(path);
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(CHUNK_BYTES);
  let rest = "";
  let firstLine = 1;
  for (;;) {
    const count = await file.read(buffer);
    rest += count === null
      ? decoder.decode()
      : decoder.decode(buffer.subarray(0, count), { stream: true });
    const isTorn = count === null && rest !== "";
    const end = isTorn ? rest.length : rest.lastIndexOf("\n");
    if (end >= 0) {
      const lines = rest.slice(0, end).split("\n");
      rest = rest.slice(end + 1);
      yield { firstLine, lines, isTorn };
      firstLine += lines.length;
    }
    if (count === null) return;
    if (rest.length > LINE_LIMIT) {
      throw new SyntaxError(
        `Cannot read "${path}" line ${firstLine}: a line of at most ${LINE_LIMIT} characters is required`,
      );
    }
  }
}

/** How {@linkcode readRecords} decodes and reports. */
export interface ReadOptions<T> extends LinesOptions {
  /** Makes a record of a parsed line; throws when it is not one. */
  readonly decode: (value: unknown, where: string) => T;
  /** Called for each line that is not a record; reading continues. */
  readonly onBadLine: (bad: BadLine) => void;
}

/**
 * The records of `path`, in order. Blank lines are skipped; a line that is not a record is
 * reported, never fatal.
 *
 * @throws {Deno.errors.NotFound} when there is no such file.
 */
export async function* readRecords<T>(path: string, options: ReadOptions<T>): AsyncGenerator<T> {
  for await (const { firstLine, lines, isTorn } of readLines(path, options)) {
    for (const [index, text] of lines.entries()) {
      if (text === "") continue;
      const line = firstLine + index;
      let value: T;
      try {
        value = options.decode(JSON.parse(text), `${path}:${line}`);
      } catch (error) {
        if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
        const torn = isTorn && index === lines.length - 1;
        options.onBadLine({ line, reason: error.message, isTorn: torn });
        continue;
      }
      yield value;
    }
  }
}
