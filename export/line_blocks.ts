/**
 * A file of lines as blocks of bytes, each of whole lines.
 *
 * @module
 */

import { openInputFile } from "../trace/input_file.ts";

/** Bytes read at once: large enough that the cost per call vanishes, and held once. */
const BLOCK_BYTES = 1 << 20;

/** Longest accepted line, bytes: a file of another kind is not to be read into one block. */
const LINE_LIMIT_BYTES = 16 << 20;

/** Newline. */
export const NEWLINE = 10;

/** Some whole lines of a file. */
export interface LineBlock {
  /** The lines, each with its newline; valid until the next block is asked for. */
  readonly bytes: Uint8Array;
  /** True when the last line has no newline: a write that a crash cut off. */
  readonly isTorn: boolean;
}

/**
 * The lines of `path`; the blocks in a row are the whole file.
 *
 * @throws {Deno.errors.NotFound} when there is no such file.
 * @throws {SyntaxError} on a line longer than 16 MiB.
 */
export async function* readLineBlocks(path: string): AsyncGenerator<LineBlock> {
  using file = await openInputFile(path);
  let buffer = new Uint8Array(BLOCK_BYTES);
  let filled = 0;
  for (;;) {
    const count = await file.read(buffer.subarray(filled));
    if (count === null) break;
    filled += count;
    const end = buffer.subarray(0, filled).lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      yield { bytes: buffer.subarray(0, end), isTorn: false };
      buffer.copyWithin(0, end, filled);
      filled -= end;
    } else if (filled === buffer.length) {
      if (filled >= LINE_LIMIT_BYTES) {
        throw new SyntaxError(
          `Cannot read "${path}": a line of at most ${LINE_LIMIT_BYTES} bytes is required`,
        );
      }
      const larger = new Uint8Array(2 * filled);
      larger.set(buffer);
      buffer = larger;
    }
  }
  if (filled > 0) yield { bytes: buffer.subarray(0, filled), isTorn: true };
}
