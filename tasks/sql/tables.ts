/** The tables of a run where a query finds them: made when they are missing or older than the run. */

import { join } from "@std/path";
import { exportTables } from "../../export/tables/export.ts";
import { findSources } from "../../export/opendc/input.ts";
import { readRunId, TABLES_JSON } from "../../export/tables/folder.ts";
import { type Io, VERSION } from "../command/main.ts";
import { openProgress } from "../command/progress.ts";
import type { RunTablesPlace } from "./database.ts";

/** The tables of the run in `folder`, in its own folder `tables`; `folder` itself where it is tables. */
export async function ensureTables(folder: string, io: Io): Promise<RunTablesPlace> {
  if (await modifiedMs(join(folder, TABLES_JSON)) !== null) {
    return { runId: await readRunId(folder), folder };
  }
  const tables = join(folder, "tables");
  if (!await isFresh(folder, tables)) {
    io.say(`Making the tables of ${folder}`);
    using progress = openProgress(io, "Tables");
    await exportTables({
      input: folder,
      output: tables,
      version: VERSION,
      report: ({ fraction, what }) => progress.update(fraction, what),
      signal: io.signal,
    });
  }
  return { runId: await readRunId(tables), folder: tables };
}

/** True where the tables are newer than every file of the parsed run, and of this version. */
async function isFresh(folder: string, tables: string): Promise<boolean> {
  const madeMs = await modifiedMs(join(tables, TABLES_JSON));
  if (madeMs === null) return false;
  for (const { folder: parsed } of await findSources(folder)) {
    for (const name of ["invocations.jsonl", "proc_metrics.jsonl", "nodes.json"]) {
      const changedMs = await modifiedMs(join(parsed, name));
      if (changedMs !== null && changedMs >= madeMs) return false;
    }
  }
  return true;
}

async function modifiedMs(path: string): Promise<number | null> {
  try {
    return (await Deno.stat(path)).mtime?.getTime() ?? null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
