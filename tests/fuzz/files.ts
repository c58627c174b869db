/** Folders of files of which a round changes some. */

import { dirname, join, relative } from "@std/path";
import { tempFolder } from "../support/temp_folder.ts";
import type { Mutator } from "./mutate.ts";

/** The files below `folder`, by their path relative to it. */
export async function readTree(folder: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  async function read(path: string): Promise<void> {
    for await (const { name, isDirectory, isFile } of Deno.readDir(path)) {
      const place = join(path, name);
      if (isDirectory) await read(place);
      if (isFile) files.set(relative(folder, place), await Deno.readFile(place));
    }
  }
  await read(folder);
  return files;
}

/** Write `files` into a folder of its own, one to three of those that match `names` changed. */
export async function writeChanged(
  files: ReadonlyMap<string, Uint8Array>,
  { mutator, names = /./ }: { readonly mutator: Mutator; readonly names?: RegExp },
): Promise<{ readonly path: string } & AsyncDisposable> {
  const folder = await tempFolder();
  const candidates = [...files.keys()].filter((name) => names.test(name)).sort();
  const chosen = new Set<string>();
  for (let left = 1 + mutator.below(3); left > 0; left--) chosen.add(mutator.oneOf(candidates));
  for (const [name, bytes] of files) {
    const path = join(folder.path, name);
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeFile(path, chosen.has(name) ? mutator.bytes(bytes) : bytes);
  }
  return folder;
}
