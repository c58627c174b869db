/**
 * Files of one folder that appear together: all are prepared beside and renamed at the end, so that
 * work that fails leaves the last good ones as they were.
 *
 * @module
 */

import { join } from "@std/path";
import { removeIfThere } from "../trace/atomic_file.ts";

/** Folder inside the target under which files are prepared. */
const STAGE_NAME = ".in-progress";

/** Held meanwhile, so that a second writer is refused, and what a killed one left can be removed. */
const LOCK_NAME = ".writing.lock";

/** A folder into which another process writes right now. */
export class FolderBusyError extends Error {
  /** Name of the class. */
  override readonly name = "FolderBusyError";
}

/** Files to be put in place together. Dispose of it to remove what was not. */
export class StagedFiles implements AsyncDisposable {
  readonly #folder: string;
  readonly #lock: Deno.FsFile;
  readonly #names = new Set<string>();

  private constructor(folder: string, lock: Deno.FsFile) {
    this.#folder = folder;
    this.#lock = lock;
  }

  /**
   * Stage files for `folder`, which is made when it is missing.
   *
   * @throws {FolderBusyError} when another process writes there.
   */
  static async in(folder: string): Promise<StagedFiles> {
    await Deno.mkdir(folder, { recursive: true });
    const lock = await Deno.open(join(folder, LOCK_NAME), { write: true, create: true });
    if (!await lock.tryLock(true)) {
      lock.close();
      throw new FolderBusyError(`Cannot write into "${folder}": another process is writing there`);
    }
    const staged = new StagedFiles(folder, lock);
    await staged.#removeStage();
    await Deno.mkdir(staged.#stage);
    return staged;
  }

  /** The path at which to write the file that will be called `name`. */
  stage(name: string): string {
    this.#names.add(name);
    return join(this.#stage, name);
  }

  /** The path of a folder `name` for what is needed meanwhile; it is made, and removed in the end. */
  async folder(name: string): Promise<string> {
    const path = join(this.#stage, name);
    await Deno.mkdir(path);
    return path;
  }

  /** Put every staged file in its place. */
  async commit(): Promise<void> {
    for (const name of this.#names) {
      await Deno.rename(join(this.#stage, name), join(this.#folder, name));
    }
    this.#names.clear();
  }

  /** Remove what was not put in place. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#removeStage();
    await removeIfThere(join(this.#folder, LOCK_NAME));
    this.#lock.close();
  }

  get #stage(): string {
    return join(this.#folder, STAGE_NAME);
  }

  async #removeStage(): Promise<void> {
    try {
      await Deno.remove(this.#stage, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
