/**
 * Which folders under `logs/` hold the records of a node.
 *
 * @module
 */

import { join } from "@std/path";
import { isIdentifier } from "../../trace/run_dir.ts";

/** Names of the adapters' event files. */
export const EVENT_FILE: RegExp = /^events\..+\.jsonl$/;

/** Names of the other files that make a folder a node's run directory. */
const RECORD_FILES = ["proc_metrics.jsonl", "node_meta.json"];

/** Folders in a run directory that hold what was made of the records: no node's own. */
const DERIVED_FOLDERS: readonly string[] = ["CTS", "cctf", "tables"];

function isRecordFile(name: string): boolean {
  return EVENT_FILE.test(name) || RECORD_FILES.includes(name);
}

/** The run directories of nodes in `folder`: itself, and those right beneath it, in order of names. */
export async function findNodeDirs(folder: string): Promise<string[]> {
  const names = (await namesIn(folder))
    .filter((name) => !name.startsWith(".") && !DERIVED_FOLDERS.includes(name));
  const candidates = [folder, ...names.map((name) => join(folder, name))];
  const found: string[] = [];
  for (const candidate of candidates) {
    if ((await namesIn(candidate)).some(isRecordFile)) found.push(candidate);
  }
  return found;
}

/** The run in `logs` whose records were written last; null: there is none. */
export async function newestRunId(logs: string): Promise<string | null> {
  let newest: string | null = null;
  let newestMs = -Infinity;
  for (const name of await namesIn(logs)) {
    if (!isIdentifier(name)) continue;
    for (const folder of await findNodeDirs(join(logs, name))) {
      for (const record of (await namesIn(folder)).filter(isRecordFile)) {
        const writtenMs = (await Deno.stat(join(folder, record))).mtime?.getTime() ?? 0;
        if (writtenMs > newestMs) [newest, newestMs] = [name, writtenMs];
      }
    }
  }
  return newest;
}

/** Names in `folder`, sorted; none where there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
  } catch (error) {
    const isNone = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (isNone) return [];
    throw error;
  }
}
