/** What starting and stopping a collector share. */

import { join, relative } from "@std/path";
import type { RoleIdentity } from "../../trace/records.ts";
import type { RunDir } from "../../trace/run_dir.ts";

/** Where a collector in the background says what it has to say. */
export function collectorLog(runDir: RunDir): string {
  return join(runDir.path, "collector.log");
}

/** The last line of `path` that is not empty; empty when there is none. */
export async function lastLine(path: string): Promise<string> {
  try {
    return (await Deno.readTextFile(path)).trimEnd().split("\n").at(-1) ?? "";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** `path` as a person writes it in this folder. */
export function shown(path: string): string {
  const short = relative(Deno.cwd(), path);
  return short.startsWith("..") ? path : short;
}

/** A collector as messages name it. */
export function describe({ run_id, node_id, pid }: RoleIdentity): string {
  return `collector of run ${run_id} on ${node_id} (pid ${pid})`;
}
