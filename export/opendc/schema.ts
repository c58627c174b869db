/**
 * OpenDC's workload tables as data: the writer, the verifier and the documents read them from here.
 *
 * Source: what ComputeWorkloadLoader and its parquet readers (opendc-trace) accept, releases v2.4f and
 * later.
 *
 * @module
 */

/** Physical types of parquet that OpenDC reads. */
export type ParquetType = "INT32" | "INT64" | "DOUBLE" | "BYTE_ARRAY" | "BOOLEAN" | "LIST";

/** Logical annotation on top of the physical type; null: plain. */
export type Annotation = "TIMESTAMP_MILLIS_UTC" | "STRING" | "LIST<INT32>" | null;

/** One column. */
export interface Column {
  /** Name in the file. */
  readonly name: string;
  /** Physical type that OpenDC requires. */
  readonly type: ParquetType;
  /** Annotation that we write; OpenDC reads the physical value. */
  readonly annotation: Annotation;
  /** True where OpenDC's reader throws unless the column is there and REQUIRED. */
  readonly isRequired: boolean;
  /** True where we write it. */
  readonly isWritten: boolean;
  /** Unit of the value; null: none. */
  readonly unit: string | null;
  /** What it means, one sentence. */
  readonly doc: string;
}

function column(
  declared: Pick<Column, "name" | "type" | "doc"> & Partial<Column>,
): Column {
  return { annotation: null, isRequired: true, isWritten: true, unit: null, ...declared };
}

const notWritten = { isRequired: false, isWritten: false } as const;

/** `tasks.parquet`. */
export const TASK_COLUMNS: readonly Column[] = [
  column({ name: "id", type: "INT32", doc: "Identity; joins the fragments; unique." }),
  column({
    name: "submission_time",
    type: "INT64",
    annotation: "TIMESTAMP_MILLIS_UTC",
    unit: "epoch ms",
    doc: "When the task entered the queue.",
  }),
  column({
    name: "duration",
    type: "INT64",
    unit: "ms",
    doc: "Run time; the simulation takes the sum of the fragments.",
  }),
  column({
    name: "cpu_count",
    type: "INT32",
    unit: "vCPU",
    doc: "Cores that the scheduler reserved.",
  }),
  column({
    name: "cpu_capacity",
    type: "DOUBLE",
    unit: "MHz",
    doc: "Capacity over all its cores; caps nothing.",
  }),
  column({
    name: "mem_capacity",
    type: "INT64",
    unit: "MiB × 1000",
    doc: "Memory: the loader divides by 1000 and compares with the host's MiB.",
  }),
  column({
    name: "name",
    type: "BYTE_ARRAY",
    annotation: "STRING",
    isRequired: false,
    doc: "Task of the queue, shown as task_name in the results.",
  }),
  column({
    name: "num_fragments",
    type: "INT32",
    isRequired: false,
    unit: "count",
    doc: "Fragments of the task, for loaders that stream both files together.",
  }),
  column({ name: "gpu_count", type: "INT32", ...notWritten, unit: "GPU", doc: "GPUs." }),
  column({
    name: "gpu_capacity",
    type: "DOUBLE",
    ...notWritten,
    unit: "MHz",
    doc: "Capacity of its GPUs.",
  }),
  column({
    name: "parents",
    type: "LIST",
    annotation: "LIST<INT32>",
    ...notWritten,
    doc: "Tasks of a workflow that come before.",
  }),
  column({
    name: "children",
    type: "LIST",
    annotation: "LIST<INT32>",
    ...notWritten,
    doc: "Tasks of a workflow that come after.",
  }),
  column({
    name: "deferrable",
    type: "BOOLEAN",
    ...notWritten,
    doc: "True where the task may be shifted in time.",
  }),
  column({
    name: "deadline",
    type: "INT64",
    ...notWritten,
    unit: "epoch ms",
    doc: "Latest end; -1: none.",
  }),
];

/** `fragments.parquet`. */
export const FRAGMENT_COLUMNS: readonly Column[] = [
  column({ name: "id", type: "INT32", doc: "The task." }),
  column({ name: "duration", type: "INT64", unit: "ms", doc: "Length, at least 1." }),
  column({
    name: "cpu_usage",
    type: "DOUBLE",
    unit: "MHz",
    doc: "Demand summed over all cores; 0 is idle.",
  }),
  column({
    name: "gpu_usage",
    type: "DOUBLE",
    ...notWritten,
    unit: "MHz",
    doc: "Demand of its GPUs.",
  }),
];

/** Codecs that OpenDC's reader has; brotli fails there. */
export const READABLE_CODECS = ["UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD", "LZ4_RAW"] as const;

/** Codecs that the export can write. */
export const COMPRESSIONS = ["zstd", "snappy"] as const;

/** A codec that the export can write. */
export type CompressionName = typeof COMPRESSIONS[number];

/** Greatest value of an INT32. */
export const INT32_MAX = 2 ** 31 - 1;

/** First release of OpenDC that reads these tables. */
export const OPENDC_MIN_VERSION = "2.4f";

/** Name of the file in an export that says what is in it. */
export const MANIFEST_NAME = "manifest.json";

/** Name of a carbon trace in the folder of the workload that it belongs to. */
export const CARBON_FILE = "carbon.parquet";

/**
 * The forms of an experiment, by the field of the manifest that names its file, and which programs of
 * OpenDC read each.
 */
export const EXPERIMENT_FORMS = {
  file: {
    programs: [
      "OpenDCExperimentRunner --experiment-path FILE",
      "opendc --legacy run FILE -o output",
    ],
    opendc: "v2.4f and later",
  },
  sdk_file: { programs: ["opendc run FILE -o output"], opendc: "SDK of 2026" },
} as const;
