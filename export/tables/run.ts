/**
 * A parsed run as tables in memory: what is small of it is read at once, the rest streams.
 *
 * @module
 */

import { basename, dirname, join } from "@std/path";
import type { CtsNode } from "../../trace/cts.ts";
import type { BadLine } from "../../trace/json_lines.ts";
import { readRecordFile } from "../../trace/record_file.ts";
import {
  END_STATES,
  NODE_META,
  PLACEMENT_EVENT,
  RUN_META,
  TASK_RESULT,
  type TaskResult,
} from "../../trace/records.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { readCounted } from "../cts/counted_records.ts";
import { type LineCounts, noLines } from "../cts/raw_samples.ts";
import { EVENT_FILE, namesIn } from "../cts/run_folders.ts";
import {
  type CtsSource,
  ExportError,
  findSources,
  readNodes,
  readRun,
  type SourcedInvocation,
} from "../opendc/input.ts";
import {
  attemptRow,
  type EventFacts,
  factsOf,
  isRequest,
  readFacts,
  requestRow,
} from "./attempt_rows.ts";
import type { NodeRow } from "./node_tables.ts";
import { PlacementFold } from "./placement_rows.ts";
import { taskRows } from "./task_rows.ts";
import type { AttemptRow, RequestRow, TaskRow } from "./task_tables.ts";

/** One node's part of a run. */
export interface TableSource {
  /** Its parsed run. */
  readonly cts: CtsSource;
  /** The directory with its records. */
  readonly runDir: RunDir;
  /** NODE_ID. */
  readonly node: string;
}

/** A run that is open for reading as tables. */
export interface TableRun {
  /** Folder of the run. */
  readonly folder: string;
  /** RUN_ID of its metadata, else the name of the folder. */
  readonly runId: string;
  /** Its parts, by node. */
  readonly sources: readonly TableSource[];
  /** Every invocation as parse wrote it. */
  readonly invocations: readonly SourcedInvocation[];
  /** Rows of `attempts`. */
  readonly attempts: readonly AttemptRow[];
  /** Rows of `requests`. */
  readonly requests: readonly RequestRow[];
  /** Rows of `tasks`. */
  readonly tasks: readonly TaskRow[];
  /** Rows of `nodes`. */
  readonly nodes: readonly NodeRow[];
  /** Files with the scheduler's decisions. */
  readonly placementFiles: readonly string[];
  /** What the scheduler's record says about nodes. */
  readonly offered: PlacementFold["offered"];
  /** Lines of each file that was read, by path; reading a stream adds its own. */
  readonly files: Map<string, LineCounts>;
}

/**
 * Open the parsed run in `folder`: `logs/RUN_ID`, or one node's part of it.
 *
 * @throws {ExportError} when it is not parsed, or only in the older layout.
 */
export async function openTableRun(folder: string): Promise<TableRun> {
  const found = await findSources(folder);
  const older = found.find(({ layout }) => layout === "cctf");
  if (older !== undefined) {
    throw new ExportError(
      `Cannot make tables of "${older.folder}": a run in the CTS layout is required; parse it again`,
    );
  }
  const sources = await Promise.all(found.map(describeSource));
  const { nodes, invocations, badLines } = await readRun(found);
  const files = new Map<string, LineCounts>();
  const facts = await readAllFacts(sources, files);
  const above = [...new Set(sources.map(({ runDir }) => dirname(runDir.path)))].map(RunDir.at);
  const runDirs = [...sources.map(({ runDir }) => runDir), ...above];
  const results = await readResults(runDirs.map((one) => one.results), files);
  const placementFiles = await present(runDirs.map((one) => one.placementEvents));
  const fold = new PlacementFold();
  for (const path of placementFiles) {
    await readInto(path, { files, decode: PLACEMENT_EVENT.decode, take: (one) => fold.take(one) });
  }
  if (badLines.length > 0) files.set(join(folder, "CTS/invocations.jsonl"), countsOf(badLines));
  const work = splitInvocations(invocations, facts);
  return {
    folder,
    runId: await runIdOf(folder, sources),
    sources,
    invocations,
    ...work,
    tasks: taskRows({ attempts: work.attempts, results, placements: fold.tasks }),
    nodes: await Promise.all(
      [...nodes.values()].map((node) =>
        nodeRow(node, sources.find((source) => source.node === node.node_id) ?? null)
      ),
    ),
    placementFiles,
    offered: fold.offered,
    files,
  };
}

async function describeSource(cts: CtsSource): Promise<TableSource> {
  const path = dirname(cts.folder);
  const [node] = await readNodes(join(cts.folder, "nodes.json"));
  return { cts, runDir: RunDir.at(path), node: node?.node_id ?? basename(path) };
}

function splitInvocations(
  invocations: readonly SourcedInvocation[],
  spans: ReadonlyMap<string, EventFacts>,
): { attempts: AttemptRow[]; requests: RequestRow[] } {
  const attempts: AttemptRow[] = [];
  const requests: RequestRow[] = [];
  for (const invocation of invocations) {
    const facts = factsOf(invocation, spans);
    if (isRequest(facts)) requests.push(requestRow(invocation, facts));
    else attempts.push(attemptRow(invocation, facts));
  }
  return { attempts, requests };
}

async function readAllFacts(
  sources: readonly TableSource[],
  files: Map<string, LineCounts>,
): Promise<ReadonlyMap<string, EventFacts>> {
  const paths: string[] = [];
  for (const { runDir } of sources) {
    const names = (await namesIn(runDir.path)).filter((name) => EVENT_FILE.test(name));
    paths.push(...names.map((name) => join(runDir.path, name)));
  }
  const read = await readFacts(paths);
  for (const [path, counts] of read.files) files.set(path, counts);
  return read.spans;
}

/** The queue's last decision on each task. */
async function readResults(
  paths: readonly string[],
  files: Map<string, LineCounts>,
): Promise<ReadonlyMap<string, TaskResult>> {
  const results = new Map<string, TaskResult>();
  for (const path of await present(paths)) {
    await readInto(path, {
      files,
      decode: TASK_RESULT.decode,
      take: (result) => {
        if (!END_STATES.some((state) => state === result.state)) return;
        const known = results.get(result.task_id);
        if (known === undefined || known.ts_finish < result.ts_finish) {
          results.set(result.task_id, result);
        }
      },
    });
  }
  return results;
}

/** Hand every record of `path` to `take`, and keep the counts of its lines. */
async function readInto<T>(
  path: string,
  { files, decode, take }: {
    readonly files: Map<string, LineCounts>;
    readonly decode: (value: unknown, where: string) => T;
    readonly take: (record: T) => void;
  },
): Promise<void> {
  const counts = await readCounted(path, decode, take);
  if (counts !== null) files.set(path, counts);
}

/** Bad lines of invocations as counts; what is torn counts as such. */
function countsOf(badLines: readonly BadLine[]): LineCounts {
  const counts = noLines();
  for (const { line, reason, isTorn } of badLines) {
    if (isTorn) counts.torn++;
    else counts.malformed++;
    counts.examples.push(`line ${line}: ${reason}`);
  }
  return counts;
}

async function present(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of new Set(paths)) {
    if ((await namesIn(dirname(path))).includes(basename(path))) found.push(path);
  }
  return found;
}

async function runIdOf(folder: string, sources: readonly TableSource[]): Promise<string> {
  for (const { runDir } of sources) {
    const meta = await readRecordFile(runDir.nodeMeta, NODE_META.decode);
    if (meta !== null) return meta.run_id;
  }
  return basename(folder);
}

async function nodeRow(
  node: CtsNode,
  source: TableSource | null,
): Promise<NodeRow> {
  const meta = source && await readRecordFile(source.runDir.nodeMeta, NODE_META.decode);
  const worker = source && await readRecordFile(source.runDir.runMeta("worker"), RUN_META.decode);
  return {
    ...node,
    host_name: meta?.host_name ?? null,
    boot_id: meta?.boot_id ?? null,
    cpus: meta?.cpus ?? null,
    machine_cores: meta?.machine_cores ?? null,
    cpu_freq_source: meta?.cpu_freq_source ?? null,
    interface: meta?.interface ?? null,
    kernel: meta?.kernel ?? null,
    cgroup_version: meta?.cgroup_version ?? null,
    cpu_binding: worker?.cpu_binding ?? null,
    version: worker?.version ?? null,
    deno_version: worker?.deno_version ?? null,
  };
}
