/**
 * Exports a parsed run to a folder that OpenDC takes as it is.
 *
 * @module
 */

import { join, relative } from "@std/path";
import { experimentOf, policyNotes } from "./experiment.ts";
import { hashFile, RunningHash } from "../file_hash.ts";
import { type InputFile, manifestOf, readManifest } from "./manifest.ts";
import { type CtsSource, findSources, type ParsedRun, readRun, rowFiles } from "./input.ts";
import { emptyCounts, readRows, type RowCounts, sizeOf, TaskIndex } from "./join.ts";
import { hostNodesOf, type Plan, type PlannedTask, planTasks } from "./plan.ts";
import { readPolicy } from "./policy.ts";
import { readmeOf } from "./readme.ts";
import { RowStore } from "./rows.ts";
import { type CompressionName, MANIFEST_NAME } from "./schema.ts";
import { Stage } from "./stage.ts";
import {
  type Candidate,
  type CAPACITY_CHOICES,
  type FILL_CHOICES,
  type LeftOut,
  selectInvocations,
  type STATUS_CHOICES,
  submissionOf,
  type TASK_ID_MODES,
} from "./tasks.ts";
import {
  writeMain,
  writeReplays,
  type WriterOptions,
  type Written,
  type WrittenTask,
} from "./writer.ts";
import { topologyNotes, topologyOf } from "./topology.ts";

/** What to export and how. */
export interface ExportOptions {
  /** A run, or the directory of one of its nodes. */
  readonly input: string;
  /** Folder for the export; made when it is missing. */
  readonly output: string;
  /** How ids are given. Default `auto`. */
  readonly taskIdMode?: typeof TASK_ID_MODES[number];
  /** What `cpu_capacity` says. Default `reserved`. */
  readonly capacity?: typeof CAPACITY_CHOICES[number];
  /** `reserved`: tasks that were not measured are exported as using all that was reserved. */
  readonly fill?: typeof FILL_CHOICES[number] | null;
  /** Which end states are exported. Default `done`. */
  readonly status?: typeof STATUS_CHOICES[number];
  /** Frequency of a core of every node, MHz; null: that of each node. */
  readonly cpuFreqMhz?: number | null;
  /** Codec. Default `zstd`. */
  readonly compression?: CompressionName;
  /** Version of Tracekit, for the footers and the manifest. */
  readonly version: string;
  /** Told how far it is. */
  readonly report?: (progress: ExportProgress) => void;
  /** Ends the export; nothing is left behind. */
  readonly signal?: AbortSignal;
}

/** How far an export is. */
export interface ExportProgress {
  /** Part of the whole that is done, 0 to 1. */
  readonly fraction: number;
  /** What is being done. */
  readonly what: string;
}

/** What was exported. */
export interface ExportSummary {
  /** The folder. */
  readonly output: string;
  /** Tasks of the workload. */
  readonly tasks: number;
  /** Fragments of the workload. */
  readonly fragments: number;
  /** First submission, epoch ms; null without tasks. */
  readonly first_submission_ms: number | null;
  /** Last end minus first submission, ms. */
  readonly makespan_ms: number;
  /** Invocations that are not in the workload, and why. */
  readonly left_out: readonly LeftOut[];
  /** Names of tasks whose use was filled on request. */
  readonly filled: readonly string[];
  /** Names of tasks with an exact total and no series. */
  readonly totals_only: readonly string[];
  /** Names of tasks whose memory is not known; 0 is written. */
  readonly memory_unknown: readonly string[];
  /** Names of tasks without a reservation; cpu_count is from use. */
  readonly count_from_use: readonly string[];
  /** Counts of the rows that were read. */
  readonly rows: RowCounts;
  /** Rows that were there twice and count once. */
  readonly duplicate_rows: number;
  /** Rows that reach beyond their task; their CPU time is kept at its edge. */
  readonly rows_outside_task: number;
  /** Invocations that were there twice and count once. */
  readonly duplicate_invocations: number;
  /** Lines of invocations.jsonl that are no record. */
  readonly malformed_invocations: number;
  /** What is to be known before simulating. */
  readonly notes: readonly string[];
  /** Every file, relative to the folder. */
  readonly files: readonly string[];
}

/** The experiment with the run's own policy. */
const POLICY_FILE = "experiment_policy.json";

/** Share of reading in the time of an export, as measured. */
const READ_FRACTION = 0.7;

/**
 * Export a run. The files appear in `output` only when all of them are written; until then the last
 * export stays as it is.
 *
 * @throws {ExportError} naming what is missing and how to give it.
 */
export async function exportOpendc(options: ExportOptions): Promise<ExportSummary> {
  const sources = await findSources(options.input);
  const run = await readRun(sources);
  const hosts = hostNodesOf(run, options.cpuFreqMhz ?? null);
  const { candidates, leftOut } = selectInvocations(run.invocations, options.status ?? "done");
  const policy = await readPolicy(options.input, [...run.nodes.values()]);
  const previous = (await readManifest(options.output))?.files ?? [];

  await using stage = await Stage.open(options.output);
  using store = new RowStore({
    tasks: candidates.length,
    spillPath: join(stage.folder, "rows.spill"),
  });
  const rows = await readAllRows(sources, { run, candidates, store, options });

  const plan = planTasks(candidates, {
    store,
    peakRssKb: rows.peakRssKb,
    hosts,
    taskIdMode: options.taskIdMode ?? "auto",
    isFilling: options.fill === "reserved",
  });
  const writer = writerOf(plan, { stage, store, options });
  const { tasks, written } = await writeMain(plan.tasks, writer);
  await writeReplays(tasks, { written, options: writer });

  const topology = topologyOf([...hosts.values()]);
  await stage.writeJson("small_datacenter.json", topology.spec);
  const experiment = experimentOf({
    name: "policy",
    topology: "small_datacenter.json",
    workload: ".",
    policy,
    exportIntervalS: 1,
  });
  await stage.writeJson(POLICY_FILE, experiment);
  const summary: ExportSummary = {
    ...summaryOf(plan, { tasks, written }),
    output: options.output,
    left_out: [...leftOut, ...plan.notMeasured],
    rows: rows.counts,
    duplicate_invocations: run.duplicates,
    malformed_invocations: run.badLines.length,
    notes: [...policy.notes, ...policyNotes(policy), ...topologyNotes([...hosts.values()])],
    files: [...stage.names, "README.md", MANIFEST_NAME],
  };
  await stage.writeText("README.md", readmeOf({ summary, topology, version: options.version }));
  await stage.writeJson(
    MANIFEST_NAME,
    manifestOf({
      summary,
      options,
      invocations: run.invocations.length,
      inputs: await describeInputs(options.input, { sources, hashes: rows.hashes }),
      outputs: written.outputs,
      experiments: [
        { name: experiment.name, file: POLICY_FILE, time_factor: 1, node: null },
        ...written.experiments,
      ],
      tasks,
      topology,
      hosts,
    }),
  );
  await stage.commit(previous);
  return summary;
}

/** What reading the rows gave besides the rows. */
interface ReadRows {
  readonly counts: RowCounts;
  readonly peakRssKb: Float64Array;
  readonly hashes: ReadonlyMap<string, RunningHash>;
}

/** Read the rows of all sources into the store, and seal it. */
async function readAllRows(
  sources: readonly CtsSource[],
  { run, candidates, store, options }: {
    readonly run: ParsedRun;
    readonly candidates: readonly Candidate[];
    readonly store: RowStore;
    readonly options: ExportOptions;
  },
): Promise<ReadRows> {
  const paths = sources.flatMap(rowFiles);
  const hashes = new Map(paths.map((path) => [path, new RunningHash()]));
  const total = await sizeOf(paths);
  const counts = emptyCounts();
  const peakRssKb = new Float64Array(candidates.length);
  let readBytes = 0;
  const onRead = (bytes: Uint8Array, path: string) => {
    options.signal?.throwIfAborted();
    hashes.get(path)?.update(bytes);
    readBytes += bytes.length;
    const fraction = READ_FRACTION * readBytes / total;
    options.report?.({ fraction, what: `${counts.read} rows read` });
  };
  const index = new TaskIndex(run.invocations, { candidates });
  const sink = { index, store, peakRssKb, counts, onRead };
  for (const [at, source] of sources.entries()) await readRows(source, { at, sink });
  store.seal();
  return { counts, peakRssKb, hashes };
}

/** How the workloads are written. */
function writerOf(
  plan: Plan,
  { stage, store, options }: {
    readonly stage: Stage;
    readonly store: RowStore;
    readonly options: ExportOptions;
  },
): WriterOptions {
  // Each task is written twice: in the whole workload, and in its host's replay.
  const total = 2 * plan.tasks.length;
  let done = 0;
  return {
    stage,
    store,
    compression: options.compression ?? "zstd",
    capacity: options.capacity ?? "reserved",
    createdBy: `tracekit ${options.version}`,
    onTask: () => {
      options.signal?.throwIfAborted();
      const fraction = READ_FRACTION + (1 - READ_FRACTION) * ++done / total;
      options.report?.({ fraction, what: `${done} of ${total} series written` });
    },
  };
}

/** What the workload itself says for the summary. */
function summaryOf(
  plan: Plan,
  { tasks, written }: { readonly tasks: readonly WrittenTask[]; readonly written: Written },
): Omit<ExportSummary, SummaryOfRun> {
  return {
    tasks: tasks.length,
    fragments: written.fragments,
    ...timesOf(plan.tasks),
    filled: namesOf(plan.tasks, ({ kind }) => kind === "filled"),
    totals_only: namesOf(plan.tasks, ({ kind }) => kind === "total"),
    memory_unknown: namesOf(plan.tasks, ({ memoryKb }) => memoryKb === null),
    count_from_use: tasks.filter((one) => one.isCountFromUse).map(({ row }) => row.name),
    duplicate_rows: written.duplicateRows,
    rows_outside_task: written.rowsOutside,
  };
}

/** What the summary has from elsewhere. */
type SummaryOfRun =
  | "output"
  | "left_out"
  | "rows"
  | "duplicate_invocations"
  | "malformed_invocations"
  | "notes"
  | "files";

/** Every file that was read; the rows were hashed while they passed. */
async function describeInputs(
  input: string,
  { sources, hashes }: {
    readonly sources: readonly CtsSource[];
    readonly hashes: ReadonlyMap<string, RunningHash>;
  },
): Promise<InputFile[]> {
  const files: InputFile[] = [];
  for (const source of sources) {
    for (const name of ["nodes.json", "invocations.jsonl"]) {
      const path = join(source.folder, name);
      files.push({ path: relative(input, path), ...await hashFile(path) });
    }
    for (const path of rowFiles(source)) {
      const hash = hashes.get(path);
      if (hash !== undefined) files.push({ path: relative(input, path), ...hash.digest() });
    }
  }
  return files;
}

function namesOf(
  tasks: readonly PlannedTask[],
  isMeant: (task: PlannedTask) => boolean,
): string[] {
  return tasks.filter(isMeant).map(({ name }) => name);
}

function timesOf(
  tasks: readonly PlannedTask[],
): Pick<ExportSummary, "first_submission_ms" | "makespan_ms"> {
  const [first] = tasks;
  if (first === undefined) return { first_submission_ms: null, makespan_ms: 0 };
  const start = Math.round(submissionOf(first.candidate));
  const end = tasks.reduce((max, { candidate }) => Math.max(max, candidate.ts_end), 0);
  return { first_submission_ms: start, makespan_ms: Math.round(end) - start };
}
