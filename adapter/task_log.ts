/**
 * The log of an attempt, into which its processes write by themselves: kept within a limit while they run,
 * with its head and its tail, and no process in between.
 *
 * @module
 */

import { errnoOf } from "../trace/linux/errno.ts";
import type { FileRights } from "./file_rights.ts";
import { RegularFile } from "./regular_file.ts";
import type { StartCalls } from "./start/start_calls.ts";

/**
 * Interval at which the size is checked, ms: short at the start, then twice as long each time, to one a
 * second; short again for a log that grows fast. Worst outcome: until the next check, the disk holds what
 * a task prints in a second beyond the limit.
 */
const FIRST_CHECK_MS = 50;
const LONGEST_PAUSE_MS = 1000;

/** Part of the limit that the tail may have: the last lines say most. */
const TAIL_SHARE = 3 / 4;

/** Blocks of any file system are at most this long: holes start and end at a multiple of it, bytes. */
const BLOCK_BYTES = 4096;

/** How a log is kept. */
export interface TaskLogOptions {
  /** Bytes that are kept; null: all. */
  readonly limitBytes: number | null;
  /** Whose file it is. */
  readonly rights: FileRights;
  /** Makes holes; null where FFI is unavailable: then a log is cut at its end only. */
  readonly libc: StartCalls | null;
}

/** Follows one log until its end. Dispose of it to end the watch. */
export class TaskLog implements Disposable {
  readonly #path: string;
  readonly #options: TaskLogOptions;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #seenBytes = 0;

  constructor(path: string, options: TaskLogOptions) {
    this.#path = path;
    this.#options = options;
    if (options.limitBytes !== null) this.#checkAfter(FIRST_CHECK_MS, options.limitBytes);
  }

  /**
   * Cut the middle out of a log that is too long, where a line says so. Its processes must be gone.
   *
   * @returns Bytes that are not kept; null when the log cannot be read.
   */
  close(): number | null {
    this[Symbol.dispose]();
    const { limitBytes } = this.#options;
    return limitBytes === null ? 0 : this.#open((file) => cut(file, limitBytes));
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #checkAfter(pauseMs: number, limitBytes: number): void {
    this.#timer = setTimeout(() => {
      const grownBytes = this.#check(limitBytes);
      const isFast = grownBytes > limitBytes / 4;
      this.#checkAfter(
        isFast ? FIRST_CHECK_MS : Math.min(2 * pauseMs, LONGEST_PAUSE_MS),
        limitBytes,
      );
    }, pauseMs);
  }

  /** Give the disk back what the log has too much; how far it has grown. */
  #check(limitBytes: number): number {
    const bytes = this.#open((file) => {
      const headBytes = roundUp(limitBytes * (1 - TAIL_SHARE));
      const holeBytes = roundDown(file.bytes - limitBytes * TAIL_SHARE) - headBytes;
      if (holeBytes > 0) {
        this.#options.libc?.punchHole(file.descriptor, { offset: headBytes, bytes: holeBytes });
      }
      return file.bytes;
    }) ?? this.#seenBytes;
    const grownBytes = bytes - this.#seenBytes;
    this.#seenBytes = bytes;
    return grownBytes;
  }

  /** Null when the log cannot be opened: its user removed it, or put something else there. */
  #open<T>(use: (file: RegularFile) => T): T | null {
    return this.#options.rights.asUser(() => {
      try {
        using file = RegularFile.open(this.#path, "write");
        return use(file);
      } catch (error) {
        if (errnoOf(error) === null) throw error;
        return null;
      }
    });
  }
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

function roundDown(bytes: number): number {
  return Math.floor(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

/** Keep head and tail of a log; how many bytes are gone. */
function cut(file: RegularFile, limitBytes: number): number {
  const { bytes } = file;
  if (bytes <= limitBytes) return 0;
  const headBytes = Math.floor(limitBytes * (1 - TAIL_SHARE));
  const tailBytes = Math.floor(limitBytes * TAIL_SHARE);
  const tail = file.read(bytes - tailBytes, tailBytes);
  const lostBytes = bytes - headBytes - tail.length;
  const mark = new TextEncoder().encode(`\n[tracekit: ${lostBytes} bytes are not kept]\n`);
  file.write(headBytes, mark);
  file.write(headBytes + mark.length, tail);
  file.truncate(headBytes + mark.length + tail.length);
  return lostBytes;
}
