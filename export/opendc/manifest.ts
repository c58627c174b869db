/**
 * `manifest.json` of an export: what it was made of, how, and what is not in it.
 *
 * @module
 */

import { join } from "@std/path";
import { readRecordFile } from "../../trace/record_file.ts";
import {
  boolean,
  integer,
  list,
  mapOf,
  nested,
  nullable,
  number,
  oneOf,
  record,
  string,
} from "../../trace/schema.ts";
import type { ExportOptions, ExportSummary } from "./summary.ts";
import { REPLAY_TIME_FACTOR } from "./experiment.ts";
import type { RowCounts } from "./join.ts";
import type { QueueTimes } from "./occupancy.ts";
import type { FileHash } from "../file_hash.ts";
import { EXPERIMENT_FORMS, MANIFEST_NAME, OPENDC_MIN_VERSION } from "./schema.ts";
import { LEFT_OUT_REASONS, type LeftOut } from "./tasks.ts";
import type { ManifestExperiment, OutputFile, WrittenTask } from "./written.ts";
import type { HostNode, Topology } from "./topology.ts";

/** A file that was read. */
export interface InputFile extends FileHash {
  /** Path, relative to the input. */
  readonly path: string;
}

/** The whole of `manifest.json`. */
export interface Manifest {
  /** Version of this file's layout. */
  readonly manifest_version: "1";
  /** Version of Tracekit. */
  readonly tracekit_version: string;
  /** First release of OpenDC that reads the files. */
  readonly opendc_min_version: string;
  /** The two forms of each experiment, and which programs read them. */
  readonly experiment_forms: typeof EXPERIMENT_FORMS;
  /** Options in force. */
  readonly options: Readonly<Record<string, string | number | boolean | null>>;
  /** Files that were read, relative to the input where they are below it. */
  readonly inputs: readonly InputFile[];
  /** Every file of the export but this one, which cannot hold its own hash. */
  readonly outputs: readonly OutputFile[];
  /** Every file of the export, relative to its folder. */
  readonly files: readonly string[];
  /** How much there is. */
  readonly counts: {
    readonly invocations: number;
    readonly tasks: number;
    readonly fragments: number;
    readonly rows: RowCounts;
    readonly duplicate_rows: number;
    readonly rows_outside_task: number;
    readonly duplicate_invocations: number;
    readonly malformed_invocations: number;
  };
  /** The experiments, the one with the run's policy first. */
  readonly experiments: readonly ManifestExperiment[];
  /** Node by the name of its host in OpenDC's output. */
  readonly hosts: Readonly<Record<string, string>>;
  /** Frequency of a core by node, MHz, as used for every figure. */
  readonly freq_mhz: Readonly<Record<string, number>>;
  /** Tasks by id. */
  readonly tasks: readonly ManifestTask[];
  /** Invocations that are not in the workload, and why. */
  readonly left_out: readonly LeftOut[];
  /** What is to be known before simulating. */
  readonly notes: readonly string[];
}

/** A task of the workload and the invocation behind it. */
export interface ManifestTask {
  /** Id in the workload. */
  readonly id: number;
  /** Name in the workload. */
  readonly name: string;
  /** The invocation. */
  readonly trace_id: string;
  /** Its span; null: not known. */
  readonly span_id: string | null;
  /** Attempt of the task, from 1; null: not known. */
  readonly attempt: number | null;
  /** NODE_ID. */
  readonly node: string;
  /** Time from its placement to its start, ms; 0 where it is not on record; null: an older export. */
  readonly lead_ms: number | null;
  /** Time from its end to the release of its capacity, ms; as `lead_ms`. */
  readonly tail_ms: number | null;
  /**
   * What of it was not measured: `usage` (filled from the reservation), `series` (its exact total is
   * spread evenly), `memory` (0 is written), `reservation` (cpu_count is from use).
   */
  readonly not_measured: readonly string[];
}

/** What a manifest is made of. */
export interface ManifestOptions {
  /** What was exported. */
  readonly summary: ExportSummary;
  /** How. */
  readonly options: ExportOptions;
  /** Number of invocations that were read. */
  readonly invocations: number;
  /** Files that were read. */
  readonly inputs: readonly InputFile[];
  /** Every file of the export but this one, which cannot hold its own hash. */
  readonly outputs: readonly OutputFile[];
  /** The experiments. */
  readonly experiments: readonly ManifestExperiment[];
  /** The tasks. */
  readonly tasks: readonly WrittenTask[];
  /** When the queue held capacity for them. */
  readonly times: QueueTimes;
  /** The topology. */
  readonly topology: Topology;
  /** The nodes by NODE_ID. */
  readonly hosts: ReadonlyMap<string, HostNode>;
}

/** The manifest of an export. */
export function manifestOf(
  given: ManifestOptions,
): Manifest {
  const { summary, options, invocations, inputs, outputs, experiments, tasks, topology, hosts } =
    given;
  return {
    manifest_version: "1",
    tracekit_version: options.version,
    opendc_min_version: OPENDC_MIN_VERSION,
    experiment_forms: EXPERIMENT_FORMS,
    options: {
      input: options.input,
      task_id_mode: options.taskIdMode ?? "auto",
      capacity: options.capacity ?? "reserved",
      fill: options.fill ?? null,
      status: options.status ?? "done",
      cpu_freq_mhz: options.cpuFreqMhz ?? null,
      time_scale: options.timeScale ?? REPLAY_TIME_FACTOR,
      carbon: options.carbon ?? null,
      compression: options.compression ?? "zstd",
    },
    inputs,
    outputs,
    files: summary.files,
    counts: {
      invocations,
      tasks: summary.tasks,
      fragments: summary.fragments,
      rows: summary.rows,
      duplicate_rows: summary.duplicate_rows,
      rows_outside_task: summary.rows_outside_task,
      duplicate_invocations: summary.duplicate_invocations,
      malformed_invocations: summary.malformed_invocations,
    },
    experiments,
    hosts: topology.nodeOfHost,
    freq_mhz: Object.fromEntries([...hosts].map(([name, { freqMhz }]) => [name, freqMhz])),
    tasks: tasks.map((one) => manifestTask(one, given.times)),
    left_out: summary.left_out,
    notes: summary.notes,
  };
}

function manifestTask({ task, isCountFromUse }: WrittenTask, times: QueueTimes): ManifestTask {
  const missing = [
    task.kind === "filled" ? "usage" : null,
    task.kind === "total" ? "series" : null,
    task.memoryKb === null ? "memory" : null,
    isCountFromUse ? "reservation" : null,
  ].filter((one) => one !== null);
  return {
    id: task.id,
    name: task.name,
    trace_id: task.candidate.trace_id,
    span_id: task.candidate.span_id,
    attempt: task.candidate.attempt,
    node: task.candidate.node,
    lead_ms: times.leadMs(task.candidate),
    tail_ms: times.tailMs(task.candidate),
    not_measured: missing,
  };
}

const INVOCATION_FIELDS = {
  trace_id: string({ doc: "Invocation." }),
  span_id: nullable(string({ doc: "Its span." })),
  attempt: nullable(integer({ doc: "Attempt.", unit: "count" })),
  node: string({ doc: "NODE_ID." }),
};

const READ_TASK = record("manifest task", {
  id: integer({ doc: "Id in the workload." }),
  name: string({ doc: "Name in the workload." }),
  ...INVOCATION_FIELDS,
  lead_ms: nullable(number({ doc: "From placement to start.", unit: "ms", min: 0 })),
  tail_ms: nullable(number({ doc: "From end to release.", unit: "ms", min: 0 })),
  not_measured: list(string({ doc: "What." }), { doc: "What was not measured of it." }),
});

const READ_LEFT_OUT = record("left out", {
  ...INVOCATION_FIELDS,
  reason: oneOf(LEFT_OUT_REASONS, { doc: "Why." }),
});

const READ_OUTPUT = record("output file", {
  name: string({ doc: "Name." }),
  bytes: integer({ doc: "Size.", unit: "bytes" }),
  sha256: string({ doc: "Hash." }),
});

const READ_OPTIONS = record("options", { input: string({ doc: "The run." }) });

const READ_EXPERIMENT = record("experiment", {
  name: string({ doc: "Name." }),
  file: string({ doc: "File in the form of OpenDCExperimentRunner." }),
  sdk_file: nullable(string({ doc: "File in the form of the SDK." })),
  time_factor: number({ doc: "What its times are multiplied by.", min: 1 }),
  node: nullable(string({ doc: "Node that it replays." })),
  extra_tasks: nullable(integer({ doc: "Tasks that are not of the run.", unit: "count", min: 0 })),
  has_latencies: nullable(boolean({ doc: "Tasks hold capacity from placement to release." })),
});

const READ_COUNTS = record("counts", {
  tasks: integer({ doc: "Tasks.", unit: "count" }),
  fragments: integer({ doc: "Fragments.", unit: "count" }),
  duplicate_rows: integer({ doc: "Rows that were there twice.", unit: "count" }),
});

/** What readers of a manifest rely on. */
const READ_MANIFEST = record("manifest", {
  manifest_version: string({ doc: "Version of the layout." }),
  files: list(string({ doc: "A name." }), { doc: "Every file of the export." }),
  hosts: mapOf(string({ doc: "NODE_ID." }), { doc: "Node by host." }),
  outputs: list(nested(READ_OUTPUT, { doc: "A file." }), { doc: "Every file but this one." }),
  experiments: list(nested(READ_EXPERIMENT, { doc: "One." }), { doc: "The experiments." }),
  options: nested(READ_OPTIONS, { doc: "Options in force." }),
  counts: nested(READ_COUNTS, { doc: "How much there is." }),
  tasks: list(nested(READ_TASK, { doc: "A task." }), { doc: "Tasks." }),
  left_out: list(nested(READ_LEFT_OUT, { doc: "One." }), { doc: "Not in the workload." }),
  freq_mhz: mapOf(number({ doc: "Frequency of a core.", unit: "mhz" }), { doc: "By node." }),
});

/** A manifest as it is read back: what readers rely on. */
export interface ReadManifest
  extends Pick<Manifest, "files" | "hosts" | "outputs" | "freq_mhz" | "tasks" | "experiments"> {
  /** Options in force. */
  readonly options: { readonly input: string };
  /** How much there is. */
  readonly counts: Pick<Manifest["counts"], "tasks" | "fragments" | "duplicate_rows">;
  /** Invocations that are not in the workload. */
  readonly left_out: readonly Omit<LeftOut, "task_id">[];
}

/** The manifest in `folder`, or null when there is none. */
export function readManifest(folder: string): Promise<ReadManifest | null> {
  return readRecordFile(join(folder, MANIFEST_NAME), READ_MANIFEST.decode);
}
