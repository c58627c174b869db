/**
 * Reading below a mount of proc(5). The mount point is a parameter: a fixture tree, a bind mount in a
 * container and the real /proc are read alike. Parsing is separate, one file per kernel file.
 *
 * @module
 */

import { join } from "@std/path";
import { errnoOf, isNoSuchProcess } from "../../trace/linux/errno.ts";
import { Problems } from "./problems.ts";
import { ProcessDeniedError, ProcessGoneError } from "./errors.ts";

/** A mount of proc(5). */
export class Procfs {
  /** Where it is mounted. */
  readonly mount: string;
  /** What its files do not say. */
  readonly problems: Problems;

  /** @param onProblem Told once of each file that cannot be used. */
  constructor(mount?: string, onProblem?: (problem: string) => void) {
    this.mount = mount ?? "/proc";
    this.problems = new Problems(onProblem);
  }

  /** The path of `name` below the mount. */
  path(name: string): string {
    return join(this.mount, name);
  }

  /** What `parse` makes of a file that every kernel has; null, and a problem, where it is not so here. */
  parse<T>(name: string, parse: (text: string) => T): T | null {
    return this.problems.try(name, () => parse(Deno.readTextFileSync(this.path(name))));
  }

  /** The same of a file that a kernel, a fixture or a grant may lack: then null alone. */
  parseIfThere<T>(name: string, parse: (text: string) => T): T | null {
    const text = this.readIfThere(name);
    return text === null ? null : this.problems.try(name, () => parse(text));
  }

  /** Content of a file that a kernel, a fixture or a grant may lack; null then. */
  readIfThere(name: string): string | null {
    return readTextIfThere(this.path(name));
  }

  /** Open a small file that is read repeatedly; null where it is missing. */
  keep(name: string): KeptFile | null {
    try {
      return new KeptFile(Deno.openSync(this.path(name)));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  /**
   * Content of `/proc/<pid>/<file>`.
   *
   * @throws {ProcessGoneError} when the process is not there.
   * @throws {ProcessDeniedError} when it may not be read.
   */
  readProcess(pid: number, file: string): string {
    const path = `${this.mount}/${pid}/${file}`;
    return accessProcess(path, () => Deno.readTextFileSync(path));
  }

  /** Every process id in the mount, in the kernel's order. */
  pids(): number[] {
    const pids: number[] = [];
    for (const { name } of Deno.readDirSync(this.mount)) {
      const pid = Number(name);
      if (Number.isSafeInteger(pid) && pid > 0) pids.push(pid);
    }
    return pids;
  }
}

/** Holds the file that is being read: the longest of those that are kept open fits with room to spare. */
const keptBytes = new Uint8Array(4096);
const decoder = new TextDecoder();

/** A small file that stays open: the kernel makes its content again for each read from the beginning. */
export class KeptFile implements Disposable {
  readonly #file: Deno.FsFile;

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /** Its content now, the first 4 KiB of it. */
  read(): string {
    this.#file.seekSync(0, Deno.SeekMode.Start);
    const length = this.#file.readSync(keptBytes) ?? 0;
    return decoder.decode(keptBytes.subarray(0, length));
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Content of `path`, or null where it is missing, empty of permission or not readable. */
export function readTextIfThere(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || errnoOf(error) !== null) return null;
    throw error;
  }
}

/**
 * The result of `access`, which opens or reads `path`, a file of a process.
 *
 * @throws {ProcessGoneError} when the process is not there.
 * @throws {ProcessDeniedError} when it may not be read.
 */
export function accessProcess<T>(path: string, access: () => T): T {
  try {
    return access();
  } catch (error) {
    if (isNoSuchProcess(error)) {
      throw new ProcessGoneError(`Cannot read "${path}": the process has ended`, { cause: error });
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new ProcessDeniedError(`Cannot read "${path}": permission denied`, { cause: error });
    }
    throw error;
  }
}
