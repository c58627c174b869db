/**
 * The layouts that a workload had from one version of OpenDC to the next, as data: pure.
 *
 * Source: ResourceReadSupport and ResourceStateReadSupport of opendc-trace up to v2.4e, TaskReadSupport
 * and FragmentReadSupport from v2.4f on.
 *
 * @module
 */

import {
  type Column,
  FRAGMENT_COLUMNS,
  OPENDC_MIN_VERSION,
  TASK_COLUMNS,
} from "../opendc/schema.ts";
import type { FoundColumn } from "../parquet_reader.ts";

/** A layout, and the versions that read it. */
export interface Generation {
  /** Versions of OpenDC. */
  readonly versions: string;
  /** True where today's versions read it. */
  readonly isCurrent: boolean;
  /** Files of tasks and of fragments, relative to the workload's folder. */
  readonly files: { readonly tasks: string; readonly fragments: string };
  /** Columns of the tasks. */
  readonly taskColumns: readonly Column[];
  /** Columns of the fragments. */
  readonly fragmentColumns: readonly Column[];
}

type Declared = Pick<Column, "name" | "type"> & Partial<Column>;

function columnsOf(declared: readonly Declared[]): Column[] {
  return declared.map((one) => ({
    annotation: null,
    isRequired: true,
    isWritten: false,
    unit: null,
    doc: "",
    ...one,
  }));
}

const OLDER_FRAGMENTS = columnsOf([
  { name: "id", type: "BYTE_ARRAY" },
  { name: "timestamp", type: "INT64", isRequired: false },
  { name: "duration", type: "INT64" },
  { name: "cpu_count", type: "INT32" },
  { name: "cpu_usage", type: "DOUBLE" },
]);

const OLDER_RESERVATION: readonly Declared[] = [
  { name: "cpu_count", type: "INT32" },
  { name: "cpu_capacity", type: "DOUBLE", isRequired: false },
  { name: "mem_capacity", type: "INT64" },
];

/** Today's layout. */
export const CURRENT: Generation = {
  versions: `v${OPENDC_MIN_VERSION} and later`,
  isCurrent: true,
  files: { tasks: "tasks.parquet", fragments: "fragments.parquet" },
  taskColumns: TASK_COLUMNS,
  fragmentColumns: FRAGMENT_COLUMNS,
};

/** Text ids, and cores in the fragments. */
const TEXT_IDS: Generation = {
  versions: "v2.3 to v2.4e",
  isCurrent: false,
  files: CURRENT.files,
  taskColumns: columnsOf([
    { name: "id", type: "BYTE_ARRAY" },
    { name: "submission_time", type: "INT64" },
    { name: "duration", type: "INT64" },
    ...OLDER_RESERVATION,
  ]),
  fragmentColumns: OLDER_FRAGMENTS,
};

/** Start and stop of each virtual machine, in other files. */
const START_AND_STOP: Omit<Generation, "files"> = {
  versions: "v2.1 to v2.2b",
  isCurrent: false,
  taskColumns: columnsOf([
    { name: "id", type: "BYTE_ARRAY" },
    { name: "start_time", type: "INT64" },
    { name: "stop_time", type: "INT64" },
    ...OLDER_RESERVATION,
  ]),
  fragmentColumns: OLDER_FRAGMENTS,
};

/** Places of the files of the oldest layout. */
export const START_AND_STOP_PLACES: readonly Generation[] = ["trace/", ""].map((folder) => ({
  ...START_AND_STOP,
  files: { tasks: `${folder}meta.parquet`, fragments: `${folder}trace.parquet` },
}));

/** Other names that a column had, in the first versions that read a layout. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  submission_time: "submissionTime",
  start_time: "submissionTime",
  stop_time: "endTime",
  cpu_count: "maxCores",
  mem_capacity: "requiredMemory",
  timestamp: "time",
  cpu_usage: "cpuUsage",
};

/** Its other name in the fragments. */
const OTHER_CORES = "cores";

/** `columns` under the names that the file has for them. */
export function namedAsFound(
  columns: readonly Column[],
  found: readonly FoundColumn[],
): readonly Column[] {
  const has = (name: string) => found.some((one) => one.name === name);
  return columns.map((column) => {
    const others = [
      OTHER_NAMES[column.name],
      column.name === "cpu_count" ? OTHER_CORES : undefined,
    ];
    const name = [column.name, ...others].find((one) => one !== undefined && has(one));
    return name === undefined ? column : { ...column, name };
  });
}

/** The layout of files whose columns are these: by the type of the tasks' ids. */
export function generationOf(taskColumns: readonly FoundColumn[]): Generation {
  const id = taskColumns.find(({ name }) => name === "id");
  return id?.type === "BYTE_ARRAY" ? TEXT_IDS : CURRENT;
}
