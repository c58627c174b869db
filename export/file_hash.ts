/**
 * Size and hash of whole files.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** Size and hash of a file. */
export interface FileHash {
  /** Size. */
  readonly bytes: number;
  /** SHA-256 of the content, hexadecimal. */
  readonly sha256: string;
}

/** Size and hash of `path`, read as a stream. */
export async function hashFile(path: string): Promise<FileHash> {
  const hash = createHash("sha256");
  let bytes = 0;
  using file = await Deno.open(path);
  for await (const chunk of file.readable) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}
