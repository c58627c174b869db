/**
 * Files in a place that a task may write to: by now it may be a link, a FIFO or a device.
 *
 * @module
 */

import fs from "node:fs";

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = fs.constants;

/** A regular file, open. Dispose of it to close it. */
export class RegularFile implements Disposable {
  readonly #descriptor: number;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /**
   * Open the file at `path` itself: no link is followed, and a FIFO does not hold the caller up.
   *
   * @throws {Error} with an errno when it cannot be opened, and ENOENT when it is not a regular file.
   */
  static open(path: string, access: "read" | "write" = "read"): RegularFile {
    const mode = access === "read" ? O_RDONLY : O_RDWR;
    const file = new RegularFile(fs.openSync(path, mode | O_NOFOLLOW | O_NONBLOCK));
    if (fs.fstatSync(file.#descriptor).isFile()) return file;
    file[Symbol.dispose]();
    throw new Deno.errors.NotFound(`ENOENT: no regular file at "${path}"`);
  }

  /** Its size, bytes. */
  get bytes(): number {
    return fs.fstatSync(this.#descriptor).size;
  }

  /** Read from `offset` on; what there is, at most `bytes`. */
  read(offset: number, bytes: number): Uint8Array<ArrayBuffer> {
    const buffer = new Uint8Array(bytes);
    let filled = 0;
    for (let count = 1; count > 0 && filled < bytes; filled += count) {
      count = fs.readSync(this.#descriptor, buffer, filled, bytes - filled, offset + filled);
    }
    return buffer.subarray(0, filled);
  }

  /** Write all of `bytes` at `offset`. */
  write(offset: number, bytes: Uint8Array): void {
    for (let written = 0; written < bytes.length;) {
      const rest = bytes.length - written;
      written += fs.writeSync(this.#descriptor, bytes, written, rest, offset + written);
    }
  }

  /** Cut it off at `bytes`. */
  truncate(bytes: number): void {
    fs.ftruncateSync(this.#descriptor, bytes);
  }

  /** Its number, for a call of the C library. */
  get descriptor(): number {
    return this.#descriptor;
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#descriptor);
  }
}
