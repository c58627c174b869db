/** Write the report of a run. */

import { resolve } from "@std/path";
import { isThere, messageOf, writeFileAtomic, writeJsonAtomic } from "../trace/atomic_file.ts";
import { ExportError } from "../export/opendc/input.ts";
import { readRun, type RunParts } from "../export/report/read_run.ts";
import { readSimulated } from "../export/report/read_simulated.ts";
import type { TaskFacts } from "../export/report/run_columns.ts";
import { SimulationError } from "../export/compare/simulated.ts";
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
  const facts = new Map<string, TaskFacts>();
  for (const [place, folder] of runs.entries()) {
    const onFact = (key: string, fact: TaskFacts) => facts.set(key, fact);
    const keeping = options.simulated === null ? {} : { onFact };
    const read = () => readRun(folder, { place, signal: io.signal, ...keeping });
    parts.push(await readPart(folder, read));
  }
  const [first] = parts;
  if (options.simulated !== null && first !== undefined) {
    const simulated = resolve(options.simulated);
    const { nodes } = first.head;
    const measured = runs[0] ?? "";
    const read = () => readSimulated(simulated, { ...options, measured, nodes, facts, place: 1 });
    parts.push(await readPart(simulated, read));
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
  read: () => Promise<RunParts>,
): Promise<RunParts> {
  if (!await isThere(folder)) {
    throw new CommandError(`Cannot report on "${folder}": a folder of a run is required, got none`);
  }
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ExportError || error instanceof SimulationError)) throw error;
    throw new CommandError(`Cannot report on "${folder}": ${messageOf(error)}`, { cause: error });
  }
}

if (import.meta.main) await runMain(REPORT, main);
