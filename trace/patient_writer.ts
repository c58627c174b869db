/**
 * JSON Lines on a disk that may be full: lines that it does not take are kept in memory, in order, and
 * written when there is room again.
 *
 * @module
 */

import { messageOf } from "./atomic_file.ts";
import { JsonLinesWriter } from "./json_lines.ts";
import { isDiskFull } from "./linux/errno.ts";
import { startTimer, type Timer } from "./timer.ts";

/** What takes lines. */
export type LineSink = Pick<JsonLinesWriter, "append" | "appendBytes">;

/** Interval of the retries while the disk is full, ms. */
const RETRY_MS = 1000;

/**
 * Most that is kept, bytes: an hour of readings of 250 processes. Beyond it new lines are lost, and the
 * writer says so: a program that fills the memory as well would lose them all.
 */
const LIMIT_BYTES = 64 * 1024 * 1024;

/** How a writer waits. */
export interface PatientOptions {
  /** Told once when the disk is full, and once when all is written. */
  readonly report: (line: string) => void;
  /** Most that is kept, bytes. Default: 64 MiB. */
  readonly limitBytes?: number;
}

/** Appends to one file, now or later. Dispose of it to close the file. */
export class PatientWriter implements LineSink, Disposable {
  readonly #writer: JsonLinesWriter;
  readonly #options: PatientOptions;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #lostBytes = 0;
  #timer: Timer | null = null;
  #failure: Error | null = null;

  private constructor(writer: JsonLinesWriter, options: PatientOptions) {
    this.#writer = writer;
    this.#options = options;
  }

  /** Open `path` for appending; its folder must exist. */
  static open(path: string, options: PatientOptions): PatientWriter {
    return new PatientWriter(JsonLinesWriter.open(path), options);
  }

  /**
   * Append `records`, a line each.
   *
   * @throws {Error} naming the file when it fails for another reason than a full disk.
   */
  append(records: readonly object[]): void {
    if (records.length === 0) return;
    const text = records.map((one) => JSON.stringify(one) + "\n").join("");
    this.appendBytes(new TextEncoder().encode(text));
  }

  /** The same of `bytes`, which are whole lines; the caller may change them afterwards. */
  appendBytes(bytes: Uint8Array): void {
    if (this.#failure !== null) throw this.#failure;
    if (bytes.length === 0) return;
    const problem = this.#waiting.length > 0 ? null : this.#tryWrite(bytes);
    if (this.#waiting.length === 0 && problem === null) return;
    if (this.#waitingBytes + bytes.length > (this.#options.limitBytes ?? LIMIT_BYTES)) {
      this.#lostBytes += bytes.length;
    } else {
      this.#waiting.push(bytes.slice());
      this.#waitingBytes += bytes.length;
    }
    if (problem === null) return;
    this.#options.report(`waiting for room on the disk: ${problem}`);
    this.#retryLater();
  }

  /**
   * Try once more and close the file.
   *
   * @throws {Error} when lines are lost.
   */
  [Symbol.dispose](): void {
    this.#timer?.clear();
    if (this.#failure === null) this.#writeWaiting();
    this.#writer[Symbol.dispose]();
    const lostBytes = this.#waitingBytes + this.#lostBytes;
    if (lostBytes > 0) {
      throw new Error(
        `Cannot append to "${this.#writer.path}": ${lostBytes} bytes of lines are lost`,
      );
    }
  }

  /** Null when it is written; the problem when the disk is full. */
  #tryWrite(bytes: Uint8Array): string | null {
    try {
      this.#writer.appendBytes(bytes);
      return null;
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      return messageOf(error);
    }
  }

  #writeWaiting(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#tryWrite(next) !== null) return;
      this.#waiting.shift();
      this.#waitingBytes -= next.length;
    }
  }

  #retryLater(): void {
    this.#timer = startTimer(RETRY_MS, () => {
      try {
        this.#writeWaiting();
      } catch (error) {
        // Told by the next append, which somebody waits for.
        this.#failure = error instanceof Error ? error : new Error(String(error), { cause: error });
        return;
      }
      if (this.#waiting.length > 0) return this.#retryLater();
      const lost = this.#lostBytes === 0 ? "" : `, but ${this.#lostBytes} bytes of lines are lost`;
      this.#options.report(
        `there is room on the disk again: "${this.#writer.path}" is written${lost}`,
      );
    });
  }
}
