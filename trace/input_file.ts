/**
 * Opens the files of a run, which another machine or user may have written: regular files alone. A FIFO
 * would block, a device would never end, and the runtime's error for a folder does not name it.
 *
 * @module
 */

/** Largest file that is read as one text: 200,000 tasks of a manifest take a third of it. */
const TEXT_LIMIT_BYTES = 256 * 1024 * 1024;

/** A path that is no regular file, or a file that is too large. */
export class InputFileError extends Error {
  /** Name of the class. */
  override readonly name = "InputFileError";
}

/**
 * Open `path` for reading.
 *
 * @throws {Deno.errors.NotFound} when there is no such file.
 * @throws {InputFileError} when it is no regular file.
 */
export async function openInputFile(path: string): Promise<Deno.FsFile> {
  requireFile(path, await Deno.stat(path));
  return await Deno.open(path, { read: true });
}

/**
 * The text of `path`.
 *
 * @throws {Deno.errors.NotFound} when there is no such file.
 * @throws {InputFileError} when it is no regular file, or larger than 256 MiB.
 */
export async function readInputText(path: string): Promise<string> {
  requireText(path, await Deno.stat(path));
  return await Deno.readTextFile(path);
}

/** {@linkcode readInputText} at once. */
export function readInputTextSync(path: string): string {
  requireText(path, Deno.statSync(path));
  return Deno.readTextFileSync(path);
}

function requireText(path: string, info: Deno.FileInfo): void {
  requireFile(path, info);
  if (info.size <= TEXT_LIMIT_BYTES) return;
  throw new InputFileError(
    `Cannot read "${path}": a file of at most ${TEXT_LIMIT_BYTES} bytes is required, got ${info.size}`,
  );
}

function requireFile(path: string, info: Deno.FileInfo): void {
  if (info.isFile) return;
  throw new InputFileError(`Cannot read "${path}": a file is required, got ${kindOf(info)}`);
}

function kindOf(info: Deno.FileInfo): string {
  if (info.isDirectory) return "a folder";
  if (info.isFifo) return "a FIFO";
  if (info.isSocket) return "a socket";
  return "a device";
}
