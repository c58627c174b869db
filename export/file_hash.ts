/**
 * Size and hash of whole files.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { openInputFile } from "../trace/input_file.ts";

/** Size and hash of a file. */
export interface FileHash {
  /** Size. */
  readonly bytes: number;
  /** SHA-256 of the content, hexadecimal. */
  readonly sha256: string;
}

/** Size and hash of what passes by. */
export class RunningHash {
  readonly #hash = createHash("sha256");
  #bytes = 0;

  /** The next bytes. */
  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
  }

  /** Size and hash of all of them; to be asked for once. */
  digest(): FileHash {
    return { bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }
}

/** Size and hash of `path`, read as a stream. */
export async function hashFile(path: string): Promise<FileHash> {
  const hash = new RunningHash();
  using file = await openInputFile(path);
  for await (const chunk of file.readable) hash.update(chunk);
  return hash.digest();
}
