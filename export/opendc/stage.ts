/**
 * Files of an export, written beside the last good one and renamed when all are there.
 *
 * @module
 */

import { dirname, isAbsolute, join, normalize } from "@std/path";
import { removeIfThere, writeFileAtomic } from "../../trace/atomic_file.ts";
import { ExportError } from "./input.ts";

/** Folder inside the output under which an export is prepared. */
const STAGE_NAME = ".export-in-progress";

/** Held while an export is prepared, so that a second one into the same folder is refused. */
const LOCK_NAME = ".export.lock";

/** An export in preparation. Dispose of it: what was not committed is removed. */
export class Stage implements AsyncDisposable {
  /** The folder in which files are prepared. */
  readonly folder: string;
  readonly #output: string;
  readonly #lock: Deno.FsFile;
  readonly #names: string[] = [];

  private constructor(output: string, lock: Deno.FsFile) {
    this.#output = output;
    this.folder = join(output, STAGE_NAME);
    this.#lock = lock;
  }

  /**
   * Begin an export into `output`; what a killed one left behind is removed.
   *
   * @throws {ExportError} when another export into this folder is under way.
   */
  static async open(output: string): Promise<Stage> {
    await Deno.mkdir(output, { recursive: true });
    const lock = await Deno.open(join(output, LOCK_NAME), { write: true, create: true });
    if (!await lock.tryLock(true)) {
      lock.close();
      throw new ExportError(`Cannot export to "${output}": another export is writing there`);
    }
    const stage = new Stage(output, lock);
    await removeTree(stage.folder);
    await Deno.mkdir(stage.folder);
    return stage;
  }

  /** Names of the files so far, in the order in which they were written. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** Where to write the file that will be `name` in the output; its folder is made. */
  async path(name: string): Promise<string> {
    this.#names.push(name);
    const path = join(this.folder, name);
    await Deno.mkdir(dirname(path), { recursive: true });
    return path;
  }

  /** Write `text` as the file `name`. */
  async writeText(name: string, text: string): Promise<void> {
    await writeFileAtomic(await this.path(name), text);
  }

  /** Write `value` as the indented JSON file `name`. */
  async writeJson(name: string, value: unknown): Promise<void> {
    await this.writeText(name, `${JSON.stringify(value, null, 2)}\n`);
  }

  /**
   * Give every file its final name, in the order in which they were written, and remove those of the
   * last export that this one does not have.
   */
  async commit(previous: readonly string[]): Promise<void> {
    for (const name of this.#names) {
      const final = join(this.#output, name);
      await Deno.mkdir(dirname(final), { recursive: true });
      await Deno.rename(join(this.folder, name), final);
    }
    const stale = previous.filter((name) => isBeneath(name) && !this.#names.includes(name));
    for (const name of stale) await removeIfThere(join(this.#output, name));
    for (const folder of new Set(stale.map(dirname))) await removeEmpty(this.#output, folder);
  }

  /** Remove what was not committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await removeTree(this.folder);
    await removeIfThere(join(this.#output, LOCK_NAME));
    this.#lock.close();
  }
}

/** True for a path that stays in the folder it is relative to: a manifest could name any other. */
function isBeneath(name: string): boolean {
  const path = normalize(name);
  return !isAbsolute(path) && path !== ".." && !path.startsWith("../");
}

async function removeTree(folder: string): Promise<void> {
  try {
    await Deno.remove(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Remove `folder` of `output` and those above it as far as they are empty. */
async function removeEmpty(output: string, folder: string): Promise<void> {
  if (folder === ".") return;
  const path = join(output, folder);
  const entries = await Array.fromAsync(Deno.readDir(path));
  if (entries.length > 0) return;
  await Deno.remove(path);
  await removeEmpty(output, dirname(folder));
}
