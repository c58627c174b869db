/**
 * Exports a parsed run to a folder that OpenDC takes as it is.
 *
 * @module
 */

import { join, relative } from "@std/path";
import { type CarbonTrace, readCarbon, requireCover } from "./carbon.ts";
import { policyNotes, REPLAY_TIME_FACTOR } from "./experiment.ts";
import { readQueueTimes } from "./occupancy.ts";
import { POLICY_FOLDER, writePolicyWorkload } from "./policy_workload.ts";
import { type ExperimentFiles, writeExperiment } from "./experiment_files.ts";
import { hashFile, RunningHash } from "../file_hash.ts";
import { type InputFile, manifestOf, readManifest } from "./manifest.ts";
import {
  type CtsSource,
  ExportError,
  findSources,
  type ParsedRun,
  readRun,
  rowFiles,
  type SourcedInvocation,
} from "./input.ts";
import { emptyCounts, readRows, type RowCounts, sizeOf, TaskIndex } from "./join.ts";
import { hostNodesOf, type Plan, type PlannedTask, planTasks } from "./plan.ts";
import { readPolicy } from "./policy.ts";
import { readmeOf } from "./readme.ts";
import { RowStore } from "./rows.ts";
import { MANIFEST_NAME } from "./schema.ts";
import { Stage } from "./stage.ts";
import { type Candidate, selectInvocations, submissionOf } from "./tasks.ts";
import { writeMain, writeReplays, type WriterOptions } from "./writer.ts";
import type { OutputFile, Written, WrittenTask } from "./written.ts";
import { type HostNode, powerNotes, topologyNotes, topologyOf } from "./topology.ts";
import type { ExportOptions, ExportSummary } from "./summary.ts";

/** The experiment with the run's own policy. */
const POLICY_FILE = "experiment_policy.json";

const NO_QUEUE_TIMES =
  "No results.jsonl of a scheduler was found: in the policy's experiment every host is there from the " +
  "beginning, and a task starts when it is placed.";

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
  const carbon = typeof options.carbon === "string" ? await readCarbon(options.carbon) : null;
  const hosts = hostNodesOf(run, { overrideMhz: options.cpuFreqMhz ?? null, power: options.power });
  const { candidates, leftOut } = chooseInvocations(run.invocations, options);
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
  const firstMs = firstOf(plan.tasks, carbon);
  const writer = writerOf(plan, { stage, store, options, carbon });
  const { tasks, written } = await writeMain(plan.tasks, writer);
  await writeReplays(tasks, { written, options: writer });
  const timeFactor = options.timeScale ?? REPLAY_TIME_FACTOR;
  const times = await readQueueTimes(options.input);
  const extraTasks = timeFactor === 1 ? 0 : await writePolicyWorkload(tasks, {
    times,
    hosts: [...hosts.values()],
    timeFactor,
    written,
    options: writer,
  });

  const topology = topologyOf([...hosts.values()]);
  const experiment = await writePolicyExperiment(stage, {
    topologySpec: topology.spec,
    policy,
    timeFactor,
    extraTasks,
    carbon,
    firstMs,
    createdBy: writer.createdBy,
  });
  const summary: ExportSummary = {
    ...summaryOf(plan, { tasks, written }),
    output: options.output,
    left_out: [...leftOut, ...plan.notMeasured],
    rows: rows.counts,
    duplicate_invocations: run.duplicates,
    malformed_invocations: run.badLines.length,
    carbon: carbon?.path ?? null,
    notes: notesOf({ policy, times, hosts: [...hosts.values()] }),
    files: [...stage.names, "README.md", MANIFEST_NAME],
  };
  await stage.writeText("README.md", readmeOf({ summary, topology, version: options.version }));
  await stage.writeJson(
    MANIFEST_NAME,
    manifestOf({
      summary,
      options,
      invocations: run.invocations.length,
      inputs: await describeInputs(options.input, { sources, hashes: rows.hashes, carbon }),
      outputs: await describeOutputs(stage, written.outputs),
      experiments: [experiment, ...written.experiments],
      tasks,
      times,
      topology,
      hosts,
    }),
  );
  await stage.commit(previous);
  return summary;
}

/** First submission of `tasks`, epoch ms; `carbon` is required to cover them. */
function firstOf(tasks: readonly PlannedTask[], carbon: CarbonTrace | null): number {
  const { first_submission_ms, makespan_ms } = timesOf(tasks);
  if (first_submission_ms === null) return 0;
  if (carbon !== null) {
    requireCover(carbon, { fromMs: first_submission_ms, toMs: first_submission_ms + makespan_ms });
  }
  return first_submission_ms;
}

/** Write the experiment with the run's own policy. */
function writePolicyExperiment(
  stage: Stage,
  given: Pick<
    ExperimentFiles,
    "topologySpec" | "policy" | "timeFactor" | "extraTasks" | "carbon" | "firstMs" | "createdBy"
  >,
): ReturnType<typeof writeExperiment> {
  const isScaled = given.timeFactor > 1;
  return writeExperiment(stage, {
    ...given,
    name: "policy",
    file: POLICY_FILE,
    topology: "small_datacenter.json",
    workload: isScaled ? POLICY_FOLDER : ".",
    exportIntervalS: given.timeFactor,
    node: null,
    hasLatencies: isScaled,
  });
}

/** What a reader of the export should know. */
function notesOf({ policy, times, hosts }: {
  readonly policy: Awaited<ReturnType<typeof readPolicy>>;
  readonly times: Awaited<ReturnType<typeof readQueueTimes>>;
  readonly hosts: readonly HostNode[];
}): string[] {
  return [
    ...policy.notes,
    ...policyNotes(policy),
    ...(times.isEmpty ? [NO_QUEUE_TIMES] : []),
    ...topologyNotes(hosts),
    ...powerNotes(hosts),
  ];
}

/** The invocations that become tasks, and the others with the reason. */
function chooseInvocations(
  invocations: readonly SourcedInvocation[],
  { input, status = "done", areServicesExported = false }: ExportOptions,
): ReturnType<typeof selectInvocations> {
  const chosen = selectInvocations(invocations, { status, areServicesExported });
  const services = chosen.leftOut.filter(({ reason }) => reason === "service").length;
  if (chosen.candidates.length > 0 || services === 0) return chosen;
  throw new ExportError(
    `Cannot export "${input}": no tasks; ${services} services were followed: --services ` +
      `exports them as tasks`,
  );
}

/** Every file of the export with its hash; those of `known` were hashed as they were written. */
async function describeOutputs(
  stage: Stage,
  known: readonly OutputFile[],
): Promise<OutputFile[]> {
  const outputs = [...known];
  for (const name of stage.names) {
    if (known.some((one) => one.name === name)) continue;
    outputs.push({ name, ...await hashFile(join(stage.folder, name)) });
  }
  return outputs;
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
  { stage, store, options, carbon }: {
    readonly stage: Stage;
    readonly store: RowStore;
    readonly options: ExportOptions;
    readonly carbon: CarbonTrace | null;
  },
): WriterOptions {
  // Each task is written in the whole workload, in its host's replay and in that of the policy.
  const total = 3 * plan.tasks.length;
  let done = 0;
  return {
    stage,
    store,
    compression: options.compression ?? "zstd",
    capacity: options.capacity ?? "reserved",
    createdBy: `tracekit ${options.version}`,
    carbon,
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
  | "carbon"
  | "notes"
  | "files";

/** Every file that was read; the rows were hashed while they passed. */
async function describeInputs(
  input: string,
  { sources, hashes, carbon }: {
    readonly sources: readonly CtsSource[];
    readonly hashes: ReadonlyMap<string, RunningHash>;
    readonly carbon: CarbonTrace | null;
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
  if (carbon !== null) files.push({ path: carbon.path, ...await hashFile(carbon.path) });
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
