/** Export a run as a Perfetto trace. */

import { besideName, isThere, messageOf } from "../trace/atomic_file.ts";
import { ExportError } from "../export/opendc/input.ts";
import { perfettoTrace } from "../export/perfetto/trace.ts";
import { packTables, unpackTables } from "../export/report/columns.ts";
import { readRun } from "../export/report/read_run.ts";
import { type ReadRun, readRunAt } from "../export/report/run_columns.ts";
import type { Parsed } from "./command/parse.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { EXPORT_PERFETTO, perfettoPaths } from "./flags/export_perfetto.ts";

/** `deno task export-perfetto`. */
export async function main(
  { options, operands }: Parsed<typeof EXPORT_PERFETTO.flags>,
  io: Io,
): Promise<number> {
  const { run, output } = perfettoPaths(options, operands);
  const bytes = await writePieces(output, perfettoTrace(await open(run, io)));
  io.say(`Wrote ${output}: ${(bytes / 1e6).toFixed(1)} MB; open it at https://ui.perfetto.dev`);
  return 0;
}

async function open(folder: string, io: Io): Promise<ReadRun> {
  if (!await isThere(folder)) {
    throw new CommandError(`Cannot export "${folder}": a folder of a run is required, got none`);
  }
  try {
    const { head, tables } = await readRun(folder, { place: 0, signal: io.signal });
    return readRunAt(unpackTables(packTables({ runs: [head] }, tables)), 0);
  } catch (error) {
    if (!(error instanceof ExportError)) throw error;
    throw new CommandError(`Cannot export "${folder}": ${messageOf(error)}`, { cause: error });
  }
}

/** Write the pieces beside `path`, then give the file its name; returns its length. */
async function writePieces(path: string, pieces: Iterable<Uint8Array>): Promise<number> {
  const beside = besideName(path);
  let bytes = 0;
  try {
    using file = await Deno.open(beside, { write: true, createNew: true });
    for (const piece of pieces) {
      for (let written = 0; written < piece.length;) {
        written += await file.write(piece.subarray(written));
      }
      bytes += piece.length;
    }
    await Deno.rename(beside, path);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    await Deno.remove(beside).catch((failure: unknown) => {
      if (!(failure instanceof Deno.errors.NotFound)) throw failure;
    });
    throw new CommandError(`Cannot write "${path}": ${error.message}`, { cause: error });
  }
  return bytes;
}

if (import.meta.main) await runMain(EXPORT_PERFETTO, main);
