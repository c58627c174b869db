/** Put the parts of a run together, and parse the result. */

import { basename } from "@std/path";
import { type MergedFolder, type MergePlan, mergeRun, planMerge } from "../export/merge.ts";
import { parseNode, type ParseSummary } from "../export/parse.ts";
import type { Parsed } from "./command/parse.ts";
import { type Io, runMain } from "./command/main.ts";
import { openProgress } from "./command/progress.ts";
import { MERGE, mergeFolders } from "./flags/merge.ts";
import { describeParse } from "./reports/parse.ts";

/** `deno task merge`. */
export async function main(
  { options, operands }: Parsed<typeof MERGE.flags>,
  io: Io,
): Promise<number> {
  const { inputs, output } = mergeFolders(options, operands);
  const plan = await planMerge(inputs, output);
  for (const [node, chunks] of plan.nodes) io.say(`Merging ${node} from ${chunks.length} folders`);
  const folders = await mergeWatched(plan, io);
  for (const line of folders.flatMap(describeMerge)) io.say(line);
  const summaries: ParseSummary[] = [];
  for (const { folder } of folders.filter((one) => one.folder !== output)) {
    using progress = openProgress(io, `Parse ${basename(folder)}`);
    const summary = await parseNode(folder, {
      align: options.align,
      onProgress: ({ doneBytes, totalBytes, samples }) =>
        progress.update(doneBytes / totalBytes, `${samples} samples`),
      signal: io.signal,
    });
    for (const line of describeParse(summary)) io.say(line);
    summaries.push(summary);
  }
  if (options.json) io.print(JSON.stringify({ run_dir: output, nodes: summaries }));
  const hasFindings = summaries.some(({ audit }) => audit.verdict === "FINDINGS");
  return options.strict && hasFindings ? 1 : 0;
}

async function mergeWatched(plan: MergePlan, io: Io): Promise<MergedFolder[]> {
  using progress = openProgress(io, "Merge");
  return await mergeRun(plan, {
    onProgress: ({ doneBytes, totalBytes }) => progress.update(doneBytes / totalBytes, "samples"),
    signal: io.signal,
  });
}

/** What was noteworthy about a merged folder, line by line. */
function describeMerge({ folder, files }: MergedFolder): string[] {
  return files.flatMap(({ name, counts, duplicates, isSorted }) => {
    const { torn, malformed, foreign } = counts;
    const parts = [
      duplicates > 0 ? `${duplicates} of ${counts.lines} lines were there already` : null,
      torn > 0 ? `${torn} were torn` : null,
      malformed + foreign > 0 ? `${malformed + foreign} are not records` : null,
      isSorted ? "its lines were sorted" : null,
    ].filter((part) => part !== null);
    return parts.length === 0 ? [] : [`  ${basename(folder)}/${name}: ${parts.join(", ")}`];
  });
}

if (import.meta.main) await runMain(MERGE, main);
