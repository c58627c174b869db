/**
 * The runs of a folder of logs: when, how large, how good.
 *
 * @module
 */

import { join } from "@std/path";
import { INVOCATION } from "../../trace/cts.ts";
import { readRecords } from "../../trace/json_lines.ts";
import { readRecordFile } from "../../trace/record_file.ts";
import { NODE_META } from "../../trace/records.ts";
import { isIdentifier, RunDir } from "../../trace/run_dir.ts";
import { findNodeDirs, namesIn } from "../cts/run_folders.ts";
import { isFile } from "../opendc/input.ts";
import { openTableRun } from "../tables/run.ts";
import { nameOf, readVerdict } from "./summary.ts";
import { type Paint, sizeText, tableLines, timeText } from "./text.ts";

/** A run in one line. */
export interface ListedRun {
  /** RUN_ID: the name of its folder. */
  readonly run_id: string;
  /** When its first node was described, epoch ms; null: not known. */
  readonly ts_begin: number | null;
  /** Nodes with records. */
  readonly nodes: number;
  /** Tasks and traced commands; null: a node is not parsed. */
  readonly tasks: number | null;
  /** PASS where no audit found anything; null: a node has no audit. */
  readonly verdict: "PASS" | "FINDINGS" | null;
  /** Size of all its files. */
  readonly bytes: number;
}

/** The runs in `logs`, newest first. */
export async function listRuns(logs: string): Promise<ListedRun[]> {
  const runs: ListedRun[] = [];
  for (const name of (await namesIn(logs)).filter(isIdentifier)) {
    const nodes = await findNodeDirs(join(logs, name));
    if (nodes.length > 0) runs.push(await listedRun(join(logs, name), { name, nodes }));
  }
  return runs.sort((a, b) => (b.ts_begin ?? 0) - (a.ts_begin ?? 0));
}

async function listedRun(
  folder: string,
  { name, nodes }: { readonly name: string; readonly nodes: readonly string[] },
): Promise<ListedRun> {
  const begins: number[] = [];
  const verdicts: (ListedRun["verdict"])[] = [];
  const tasks = new Set<string>();
  let isParsed = true;
  for (const node of nodes) {
    const runDir = RunDir.at(node);
    const meta = await readRecordFile(runDir.nodeMeta, NODE_META.decode);
    if (meta !== null) begins.push(meta.ts_ms);
    verdicts.push(await readVerdict(runDir.cts));
    const path = join(runDir.cts, "invocations.jsonl");
    if (!await isFile(path)) isParsed = false;
    else if (await isFile(runDir.events("http"))) await collectOpened(node, tasks);
    else await collectTasks(path, tasks);
  }
  const isJudged = verdicts.every((one) => one !== null);
  return {
    run_id: name,
    ts_begin: begins.length === 0 ? null : Math.min(...begins),
    nodes: nodes.length,
    tasks: isParsed ? tasks.size : null,
    verdict: !isJudged ? null : verdicts.includes("FINDINGS") ? "FINDINGS" : "PASS",
    bytes: await sizeOf(folder),
  };
}

async function collectTasks(path: string, tasks: Set<string>): Promise<void> {
  // The audit reports lines without a record.
  const onBadLine = () => {};
  for await (const one of readRecords(path, { decode: INVOCATION.decode, onBadLine })) {
    tasks.add(one.task_id ?? one.trace_id);
  }
}

/** The same where only the events tell requests from traced commands. */
async function collectOpened(folder: string, tasks: Set<string>): Promise<void> {
  for (const one of (await openTableRun(folder)).tasks) tasks.add(nameOf(one));
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) bytes += await sizeOf(path);
    else if (entry.isFile) bytes += (await Deno.stat(path)).size;
  }
  return bytes;
}

/** The lines that list `runs`. */
export function runLines(runs: readonly ListedRun[], paint: Paint): string[] {
  const [heading = "", ...lines] = tableLines([
    ["run", "begin", "verdict", "tasks", "nodes", "size"],
    ...runs.map((one) => [
      one.run_id,
      timeText(one.ts_begin),
      one.verdict ?? (one.tasks === null ? "not parsed" : "not audited"),
      one.tasks === null ? "-" : String(one.tasks),
      String(one.nodes),
      sizeText(one.bytes),
    ]),
  ], { texts: 3, textWidth: 28 });
  return [paint.faint(heading), ...lines];
}
