/** Parse and audit the records of a run. */

import { basename, join, resolve } from "@std/path";
import { messageOf } from "../trace/atomic_file.ts";
import { parseNodeId, parseRunId } from "../trace/run_dir.ts";
import { parseNode, type ParseSummary } from "../export/parse.ts";
import { screenLines } from "../export/summary/screen.ts";
import { summarizeRun } from "../export/summary/summary.ts";
import { openTableRun } from "../export/tables/run.ts";
import { findNodeDirs, newestRunId } from "../export/cts/run_folders.ts";
import { asUsage } from "./command/usage_error.ts";
import type { Parsed } from "./command/parse.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { openProgress } from "./command/progress.ts";
import { paintOf } from "./summary/open.ts";
import { describeParse } from "./reports/parse.ts";
import { PARSE, type ParseFlags } from "./flags/parse.ts";

/** `deno task parse`. */
export async function main(
  { options }: Parsed<typeof PARSE.flags>,
  io: Io,
): Promise<number> {
  const run = join(resolve(options.logs), await chooseRun(options, io));
  const summaries: ParseSummary[] = [];
  for (const folder of await chooseNodes(run, options)) {
    const summary = await parseOne(folder, { options, io });
    for (const line of describeParse(summary)) io.say(line);
    summaries.push(summary);
  }
  if (options.json) io.print(JSON.stringify(summaries));
  else if (options.layout === "cts") await showRun(run, { summaries, io });
  const hasFindings = summaries.some(({ audit }) => audit.verdict === "FINDINGS");
  return options.strict && hasFindings ? 1 : 0;
}

/** The run on one screen; of a node that was parsed alone, its part. */
async function showRun(
  run: string,
  { summaries, io }: { summaries: readonly ParseSummary[]; io: Io },
): Promise<void> {
  const folders = await findNodeDirs(run);
  const folder = folders.length === summaries.length ? run : summaries[0]?.runDir ?? run;
  const summary = await summarizeRun(await openTableRun(folder));
  io.say("");
  screenLines(summary, paintOf(Deno.stderr)).forEach(io.say);
}

async function parseOne(
  folder: string,
  { options, io }: { options: ParseFlags; io: Io },
): Promise<ParseSummary> {
  using progress = openProgress(io, `Parse ${basename(folder)}`);
  try {
    return await parseNode(folder, {
      ...(options["node-id"] === null ? {} : { nodeId: options["node-id"] }),
      ...(options.stage === null ? {} : { stage: options.stage }),
      layout: options.layout,
      align: options.align,
      onProgress: ({ doneBytes, totalBytes, samples }) =>
        progress.update(doneBytes / totalBytes, `${samples} samples`),
      signal: io.signal,
    });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new CommandError(`Cannot parse "${folder}": ${messageOf(error)}`, { cause: error });
  }
}

async function chooseRun(options: ParseFlags, io: Io): Promise<string> {
  const given = options["run-id"];
  if (given !== null) return asUsage(() => parseRunId(given));
  const newest = await newestRunId(options.logs);
  if (newest === null) {
    throw new CommandError(
      `Cannot parse: no run is in "${options.logs}"; give RUN_ID and LOGS_DIR`,
    );
  }
  io.say(`No RUN_ID was given: parsing the newest run, ${newest}`);
  return newest;
}

/** The run directories to parse: all of the run, or the one of the node that was asked for. */
async function chooseNodes(run: string, options: ParseFlags): Promise<string[]> {
  const found = await findNodeDirs(run);
  const nodeId = options["node-id"];
  const wanted = nodeId === null ? null : join(run, asUsage(() => parseNodeId(nodeId)));
  if (wanted !== null && found.includes(wanted)) return [wanted];
  // A run that is in its folder itself is of one node, whatever that is called.
  const chosen = wanted === null ? found : found.filter((folder) => folder === run);
  if (chosen.length > 0) return chosen;
  const what = found.length === 0 ? "records of a run are" : `records of node "${nodeId}" are`;
  throw new CommandError(
    `Cannot parse "${run}": ${what} required (proc_metrics.jsonl, events.*.jsonl), got none`,
  );
}

if (import.meta.main) await runMain(PARSE, main);
