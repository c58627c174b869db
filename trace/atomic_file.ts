/**
 * Whole files, written beside and renamed: under its final name a file is always complete.
 *
 * @module
 */

import { dirname } from "@std/path";

/** The name beside `path` under which this process writes before it renames. */
export function besideName(path: string): string {
  return `${path}.tmp-${Deno.pid}`;
}

/** How {@linkcode writeFileAtomic} makes the file. */
export interface WriteOptions {
  /** Permission bits, before the umask; 0o600 for a secret. Default: 0o666. */
  readonly mode?: number;
}

/**
 * Write `text` to `path` so that a reader sees the old content or the new one, never a part; the
 * folder is made when it is missing. On failure nothing is left beside.
 *
 * @throws {Error} the write's own error, with the path named.
 */
export async function writeFileAtomic(
  path: string,
  text: string,
  { mode = 0o666 }: WriteOptions = {},
): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  const beside = besideName(path);
  try {
    using file = await Deno.open(beside, { write: true, create: true, truncate: true, mode });
    const bytes = new TextEncoder().encode(text);
    for (let written = 0; written < bytes.length;) {
      written += await file.write(bytes.subarray(written));
    }
    await file.syncData();
    await Deno.rename(beside, path);
  } catch (error) {
    await removeIfThere(beside);
    throw new Error(`Cannot write "${path}": ${messageOf(error)}`, { cause: error });
  }
}

/** `value` as indented JSON under `path`, written as {@linkcode writeFileAtomic} does. */
export async function writeJsonAtomic(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** Remove `path`; true when it was there. */
export async function removeIfThere(path: string): Promise<boolean> {
  try {
    await Deno.remove(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** True when there is a file or folder at `path`. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
