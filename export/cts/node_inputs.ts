/**
 * Everything of a node's run directory but the samples, with what is missing, torn or unreadable.
 *
 * @module
 */

import { basename, dirname, join } from "@std/path";
import { readRecordFile } from "../../trace/record_file.ts";
import {
  CLOCK_OFFSET,
  type ClockOffset,
  COLLECTOR_STATS,
  type CollectorStats,
  CPU_SHARE,
  DATA_LOSS,
  type DataLoss,
  NODE_META,
  type NodeMeta,
  RUN_META,
  type RunMeta,
} from "../../trace/records.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { DecodeError } from "../../trace/schema.ts";
import { type ReadEvents, readEvents, readResults, type Results } from "./attempt_records.ts";
import { readCounted } from "./counted_records.ts";
import type { LineCounts } from "./raw_samples.ts";
import { EVENT_FILE, namesIn } from "./run_folders.ts";

/** What is in a node's run directory besides samples. */
export interface NodeInputs {
  /** Its events. */
  readonly events: ReadEvents;
  /** The queue's decisions, of this directory and the one above. */
  readonly results: Results;
  /** The machine; null: not known. */
  readonly meta: NodeMeta | null;
  /** With which capacity its worker ran; null: not known. */
  readonly worker: RunMeta | null;
  /** When the queue was found to have lost data, by the scheduler and this node's worker. */
  readonly dataLosses: readonly DataLoss[];
  /** Offsets to the controller's clock. */
  readonly offsets: readonly ClockOffset[];
  /** The collector's account of itself. */
  readonly stats: readonly CollectorStats[];
  /** How often CPU limits were set, by what applied them. */
  readonly limitsSet: Readonly<Record<string, number>>;
  /** Lines of each file of records that was read, by path. */
  readonly files: Map<string, LineCounts>;
  /** Files that hold one record and could not be read as such, with the reason. */
  readonly unreadable: readonly string[];
  /** Names of the files that a complete run has and this one has not. */
  readonly missing: readonly string[];
  /** Sentinels that are still there. */
  readonly sentinels: readonly string[];
}

type Decoder<T> = (value: unknown, where: string) => T;

/** Read all of `runDir` but its samples. */
export async function readNodeInputs(runDir: RunDir): Promise<NodeInputs> {
  const names = await namesIn(runDir.path);
  const unreadable: string[] = [];
  async function one<T>(path: string, decode: Decoder<T>): Promise<T | null> {
    try {
      return await readRecordFile(path, decode);
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof DecodeError)) throw error;
      unreadable.push(error.message);
      return null;
    }
  }
  const meta = await one(runDir.nodeMeta, NODE_META.decode);
  const worker = await one(runDir.runMeta("worker"), RUN_META.decode);
  const eventPaths = names.filter((name) => EVENT_FILE.test(name))
    .map((name) => join(runDir.path, name));
  const events = await readEvents(eventPaths);
  const above = RunDir.at(dirname(runDir.path)).results;
  const { results, files } = await readResults([runDir.results, above]);
  for (const [path, counts] of events.files) files.set(path, counts);
  async function all<T>(path: string, decode: Decoder<T>): Promise<T[]> {
    const records: T[] = [];
    const counts = await readCounted(path, decode, (record) => records.push(record));
    if (counts !== null) files.set(path, counts);
    return records;
  }
  const dataLosses = [
    ...await all(runDir.dataLosses, DATA_LOSS.decode),
    ...await all(RunDir.at(dirname(runDir.path)).dataLosses, DATA_LOSS.decode),
  ];
  const offsets = await all(runDir.clock, CLOCK_OFFSET.decode);
  const stats = await all(runDir.collectorStats, COLLECTOR_STATS.decode);
  const limitsSet: Record<string, number> = {};
  const shares = await readCounted(runDir.shares, CPU_SHARE.decode, ({ control }) => {
    limitsSet[control] = (limitsSet[control] ?? 0) + 1;
  });
  if (shares !== null) files.set(runDir.shares, shares);
  // A service behind the HTTP adapter is measured by that: its run needs no collector.
  const isService = names.includes(basename(runDir.serviceCpu));
  const series = isService ? [] : [runDir.procMetrics, runDir.collectorStats];
  const wanted = [runDir.nodeMeta, ...series];
  const missing = wanted.map((path) => path.slice(runDir.path.length + 1))
    .filter((name) => !names.includes(name));
  if (eventPaths.length === 0 && !gotNothing(worker, { results, stats })) {
    missing.push("events.*.jsonl");
  }
  return {
    events,
    results,
    meta,
    worker,
    dataLosses,
    offsets,
    stats,
    limitsSet,
    files,
    unreadable,
    missing,
    sentinels: (await namesIn(runDir.pids)).filter((name) => /^\d+$/.test(name)),
  };
}

/**
 * True where there are no events because there was nothing to launch: a worker ran here and no task is
 * known to have come to it, or processes were observed that others had launched.
 */
function gotNothing(
  worker: RunMeta | null,
  { results, stats }: Pick<NodeInputs, "results" | "stats">,
): boolean {
  if (worker === null) {
    return results.size === 0 && stats.length > 0 &&
      stats.every(({ mode }) => mode !== "whitelist");
  }
  return ![...results.values()].flat().some(({ node }) => node === worker.node_id);
}
