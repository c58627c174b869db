/** Write the report of a run. */

import { isThere, messageOf, writeFileAtomic, writeJsonAtomic } from "../trace/atomic_file.ts";
import { ExportError } from "../export/opendc/input.ts";
import { readRun, type RunParts } from "../export/report/read_run.ts";
import { makeReport } from "../export/report/report.ts";
import type { Parsed } from "./command/parse.ts";
import { CommandError, type Io, runMain, VERSION } from "./command/main.ts";
import { jsonTwin, REPORT, reportPaths } from "./flags/report.ts";

/** `deno task report`. */
export async function main(
  { options, operands }: Parsed<typeof REPORT.flags>,
  io: Io,
): Promise<number> {
  const { runs, output } = reportPaths(options, operands);
  const parts: RunParts[] = [];
  for (const [place, folder] of runs.entries()) {
    parts.push(await readPart(folder, { place, io }));
  }
  const { page, json } = await makeReport(parts, { version: VERSION });
  await writeFileAtomic(output, page.join(""));
  await writeJsonAtomic(jsonTwin(output), json);
  for (const { text } of json.runs) io.say(text);
  io.say(`Wrote ${output}: open it in a browser`);
  if (options.json) io.print(JSON.stringify(json));
  return 0;
}

async function readPart(
  folder: string,
  { place, io }: { readonly place: number; readonly io: Io },
): Promise<RunParts> {
  if (!await isThere(folder)) {
    throw new CommandError(`Cannot report on "${folder}": a folder of a run is required, got none`);
  }
  try {
    return await readRun(folder, { place, signal: io.signal });
  } catch (error) {
    if (!(error instanceof ExportError)) throw error;
    throw new CommandError(`Cannot report on "${folder}": ${messageOf(error)}`, { cause: error });
  }
}

if (import.meta.main) await runMain(REPORT, main);
