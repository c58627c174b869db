/** Remove the files of one run. */

import { join } from "@std/path";
import { RunDir } from "../trace/run_dir.ts";
import type { Parsed } from "./command/parse.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { findRoles, isAlive } from "./command/process.ts";
import { requireRunId } from "./flags/groups/run.ts";
import { CLEAN } from "./flags/clean.ts";

/** `deno task clean`. */
export async function main({ options }: Parsed<typeof CLEAN.flags>, io: Io): Promise<number> {
  const runId = requireRunId(options);
  const { path } = RunDir.of(options.logs, runId);
  const extent = await measure(path);
  if (extent === null) {
    io.say(`Nothing to remove: there is no ${path}`);
    return 0;
  }
  const alive = (await findRoles(options.logs)).map(({ identity }) => identity)
    .find((identity) => identity.run_id === runId && isAlive(identity));
  if (alive !== undefined) {
    throw new CommandError(
      `${alive.role} (pid ${alive.pid}) of run ${runId} still lives; run: deno task stop --run-id ${runId}`,
    );
  }
  await Deno.remove(path, { recursive: true });
  io.say(
    `Removed ${path}: ${extent.fileCount} files, ${
      (extent.bytes / 1e6).toFixed(1)
    } MB; outputs and exports stay`,
  );
  return 0;
}

interface Extent {
  readonly fileCount: number;
  readonly bytes: number;
}

/** Files below `path` and their size; null when there is nothing. Links are counted, not followed. */
async function measure(path: string): Promise<Extent | null> {
  let info: Deno.FileInfo;
  try {
    info = await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  if (!info.isDirectory) return { fileCount: 1, bytes: info.size };
  let fileCount = 0;
  let bytes = 0;
  for await (const { name } of Deno.readDir(path)) {
    const below = await measure(join(path, name));
    fileCount += below?.fileCount ?? 0;
    bytes += below?.bytes ?? 0;
  }
  return { fileCount, bytes };
}

if (import.meta.main) await runMain(CLEAN, main);
