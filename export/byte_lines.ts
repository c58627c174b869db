/**
 * Lines of numbers as bytes: the rows of a run are written without a string per row.
 *
 * @module
 */

import { messageOf } from "../trace/atomic_file.ts";
import { US_PER_MS } from "../trace/units.ts";

/** First size of the buffer, bytes; it grows to what one block of input makes. */
const BUFFER_BYTES = 1 << 20;

/** Room for two numbers of any size with a sign and a point, bytes. */
const NUMBER_BYTES = 64;

/** So few bytes are copied faster one by one than by a call of the engine. */
const COPIED_BYTES = 24;

const ZERO = 0x30;
const DOT = 0x2e;

/** Ten digits at once fit the integer arithmetic of the engine: 1e9 is below 2^31. */
const LOW_DIGITS = 1e9;

/** Collects lines in a buffer and appends them to a file. Dispose of it to close the file. */
export class ByteLines implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(BUFFER_BYTES);
  #length = 0;

  private constructor(path: string, file: Deno.FsFile) {
    this.#path = path;
    this.#file = file;
  }

  /** Create the file `path`, or empty it. */
  static async create(path: string): Promise<ByteLines> {
    const file = await Deno.open(path, { write: true, create: true, truncate: true });
    return new ByteLines(path, file);
  }

  /** Add `bytes`. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    if (bytes.length > COPIED_BYTES) this.#buffer.set(bytes, this.#length);
    else {for (let at = 0; at < bytes.length; at++) {
        this.#buffer[this.#length + at] = bytes[at] as number;
      }}
    this.#length += bytes.length;
  }

  /** Add the digits of a whole number of at least 0. */
  integer(value: number): void {
    this.#reserve(NUMBER_BYTES);
    this.#digits(value);
  }

  /** Add whole µs of at least 0 as ms, with as many decimals as there are. */
  milliseconds(us: number): void {
    this.#reserve(NUMBER_BYTES);
    const ms = Math.floor(us / US_PER_MS);
    this.#digits(ms);
    let rest = us - ms * US_PER_MS;
    if (rest === 0) return;
    const buffer = this.#buffer;
    buffer[this.#length++] = DOT;
    for (let unit = 100; rest > 0; unit /= 10) {
      const digit = Math.floor(rest / unit);
      buffer[this.#length++] = ZERO + digit;
      rest -= digit * unit;
    }
  }

  /**
   * Write what was added.
   *
   * @throws {Error} naming the file when it cannot be written.
   */
  async flush(): Promise<void> {
    try {
      for (let written = 0; written < this.#length;) {
        written += await this.#file.write(this.#buffer.subarray(written, this.#length));
      }
    } catch (error) {
      throw new Error(`Cannot write "${this.#path}": ${messageOf(error)}`, { cause: error });
    }
    this.#length = 0;
  }

  /** Wait until all is on the disk. */
  async sync(): Promise<void> {
    await this.flush();
    await this.#file.syncData();
  }

  /** Close the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  #digits(value: number): void {
    if (value >= LOW_DIGITS) {
      const high = Math.floor(value / LOW_DIGITS);
      this.#digits(high);
      this.#fixed(value - high * LOW_DIGITS, 9);
      return;
    }
    let count = 1;
    for (let bound = 10; value >= bound; bound *= 10) count++;
    this.#fixed(value, count);
  }

  /** The last `count` digits of an integer below 2^31. */
  #fixed(value: number, count: number): void {
    const buffer = this.#buffer;
    let rest = value | 0;
    for (let at = this.#length + count - 1; at >= this.#length; at--) {
      const tenth = (rest / 10) | 0;
      buffer[at] = ZERO + (rest - tenth * 10);
      rest = tenth;
    }
    this.#length += count;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#buffer.length, this.#length + count));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}
