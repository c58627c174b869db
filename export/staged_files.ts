/**
 * Files of one folder that appear together: all are written beside and renamed at the end, so that a
 * parse that fails leaves the last good one as it was.
 *
 * @module
 */

import { join } from "@std/path";
import { besideName, removeIfThere } from "../trace/atomic_file.ts";

/** Files to be put in place together. Dispose of it to remove what was not. */
export class StagedFiles implements AsyncDisposable {
  readonly #folder: string;
  readonly #names = new Set<string>();
  readonly #folders = new Set<string>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Stage files for `folder`, which is made when it is missing. */
  static async in(folder: string): Promise<StagedFiles> {
    await Deno.mkdir(folder, { recursive: true });
    return new StagedFiles(folder);
  }

  /** The path at which to write the file that will be called `name`. */
  stage(name: string): string {
    this.#names.add(name);
    return besideName(join(this.#folder, name));
  }

  /** The path of a folder `name` for what is needed meanwhile; it is made, and removed in the end. */
  async folder(name: string): Promise<string> {
    const path = besideName(join(this.#folder, name));
    this.#folders.add(path);
    await Deno.mkdir(path, { recursive: true });
    return path;
  }

  /** Put every staged file in its place. */
  async commit(): Promise<void> {
    for (const name of this.#names) {
      const path = join(this.#folder, name);
      await Deno.rename(besideName(path), path);
      this.#names.delete(name);
    }
  }

  /** Remove what was not put in place. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of this.#folders) await Deno.remove(path, { recursive: true });
    for (const name of this.#names) await removeIfThere(besideName(join(this.#folder, name)));
  }
}
