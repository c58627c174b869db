/**
 * Workloads of OpenDC of any version: `tasks.parquet` with `fragments.parquet` (2.3 and later), or
 * `meta.parquet` with `trace.parquet` (2.1 and 2.2). Use is in MHz there; a core's speed is the largest
 * that any task asks for, so that use in MHz comes back as it was.
 *
 * @module
 */

import { opendcMemoryToKb } from "../../../trace/units.ts";
import { ParquetFile, ParquetReadError } from "../../parquet_reader.ts";
import { type Importer, ImportError, type ImportSink, type SourceFile } from "../contract.ts";
import { UNNAMED_NODE } from "../counts.ts";

/** Names of the columns of either layout. */
const LAYOUTS = {
  tasks: { start: "submission_time", stop: null, duration: "duration" },
  meta: { start: "start_time", stop: "stop_time", duration: null },
} as const;

type Layout = keyof typeof LAYOUTS;

interface Task {
  readonly id: string;
  readonly startMs: number;
  readonly durationMs: number | null;
  readonly cores: number | null;
  readonly memoryKb: number | null;
  cpuMs: number;
  usedMs: number;
}

/** Divisor of a timestamp column that makes ms of it. */
const PER_MS: Readonly<Record<string, number>> = { MILLIS: 1, MICROS: 1000, NANOS: 1_000_000 };

async function readIds(file: ParquetFile, group: number): Promise<string[]> {
  const isText = file.columns.find(({ name }) => name === "id")?.type === "BYTE_ARRAY";
  if (isText) return (await file.readTexts("id", group)).map((one) => one ?? "");
  return Array.from(await file.readNumbers("id", group), String);
}

async function numbers(
  file: ParquetFile,
  name: string | null,
  group: number,
): Promise<Float64Array | null> {
  return name === null || !file.has(name) ? null : await file.readNumbers(name, group);
}

async function timesMs(
  file: ParquetFile,
  name: string | null,
  group: number,
): Promise<Float64Array | null> {
  const values = await numbers(file, name, group);
  const unit = file.columns.find((column) => column.name === name)?.timestampUnit ?? "MILLIS";
  return values?.map((value) => value / (PER_MS[unit] ?? 1)) ?? null;
}

/** The tasks, and the speed of a core, MHz. */
async function readTasks(
  file: ParquetFile,
  { layout, sink }: { readonly layout: Layout; readonly sink: ImportSink },
): Promise<{ tasks: Map<string, Task>; coreMhz: number }> {
  const { start, stop, duration } = LAYOUTS[layout];
  const tasks = new Map<string, Task>();
  let coreMhz = 0;
  for (let group = 0; group < file.groups.length; group++) {
    const ids = await readIds(file, group);
    const starts = await timesMs(file, start, group);
    const stops = await timesMs(file, stop, group);
    const durations = await numbers(file, duration, group);
    const counts = await numbers(file, "cpu_count", group);
    const capacities = await numbers(file, "cpu_capacity", group);
    const memories = await numbers(file, "mem_capacity", group);
    for (const [row, id] of ids.entries()) {
      const startMs = starts?.[row] ?? NaN;
      if (!Number.isFinite(startMs)) {
        sink.bad(`task ${id}`, `${start} is required`);
        continue;
      }
      const cores = counts?.[row] || null;
      const stopMs = stops?.[row];
      tasks.set(id, {
        id,
        startMs,
        durationMs: durations?.[row] ?? (stopMs === undefined ? null : stopMs - startMs),
        cores,
        memoryKb: memories === null ? null : opendcMemoryToKb(memories[row] as number),
        cpuMs: 0,
        usedMs: 0,
      });
      const capacity = capacities?.[row] ?? 0;
      if (cores !== null && capacity > 0) coreMhz = Math.max(coreMhz, capacity / cores);
    }
  }
  return { tasks, coreMhz };
}

/** Readings of all tasks; fragments follow each other without a gap, from the task's start. */
async function readFragments(
  file: ParquetFile,
  { tasks, coreMhz, sink }: {
    readonly tasks: ReadonlyMap<string, Task>;
    readonly coreMhz: number;
    readonly sink: ImportSink;
  },
): Promise<void> {
  for (let group = 0; group < file.groups.length; group++) {
    const ids = await readIds(file, group);
    const durations = await numbers(file, "duration", group);
    const usages = await numbers(file, "cpu_usage", group);
    for (const [row, id] of ids.entries()) {
      const task = tasks.get(id);
      const [dtMs, mhz] = [durations?.[row] ?? NaN, usages?.[row] ?? NaN];
      if (task === undefined) sink.leftOut("fragments of tasks that are not in the workload");
      else if (!(dtMs >= 0 && mhz >= 0)) {
        sink.bad(`fragment of ${id}`, "duration and cpu_usage are required");
      } else {
        const cpuMs = mhz / coreMhz * dtMs;
        task.usedMs += dtMs;
        task.cpuMs += cpuMs;
        sink.sample({ id, tsMs: task.startMs + task.usedMs, dtMs, cpuMs, memoryKb: task.memoryKb });
      }
    }
    await sink.ready();
  }
}

function tell(
  { id, startMs, durationMs, cores, memoryKb, cpuMs, usedMs }: Task,
  sink: ImportSink,
): void {
  sink.invocation({
    id,
    node: null,
    profile: null,
    submitMs: startMs,
    startMs,
    endMs: startMs + (usedMs > 0 ? usedMs : durationMs ?? 0),
    state: "done",
    status: null,
    cores,
    cpuMs: usedMs > 0 ? cpuMs : null,
    memoryKb,
  });
}

function pathOf(files: readonly SourceFile[], names: readonly string[]): string {
  const found = files.find(({ name }) => names.includes(name));
  if (found !== undefined) return found.path;
  throw new ImportError(
    `Cannot import an OpenDC workload: ${names.join(" or ")} is required beside ${
      files.map(({ name }) => name).join(", ")
    }`,
  );
}

async function readWorkload(files: readonly SourceFile[], sink: ImportSink): Promise<void> {
  const tasksPath = pathOf(files, ["tasks.parquet", "meta.parquet"]);
  const fragmentsPath = pathOf(files, ["fragments.parquet", "trace.parquet"]);
  try {
    using tasksFile = await ParquetFile.open(tasksPath);
    using fragmentsFile = await ParquetFile.open(fragmentsPath);
    const layout: Layout = tasksFile.has("submission_time") ? "tasks" : "meta";
    const { tasks, coreMhz } = await readTasks(tasksFile, { layout, sink });
    if (coreMhz === 0) {
      throw new ImportError(
        `Cannot import "${tasksPath}": cpu_count and cpu_capacity above 0 are required: they give the ` +
          `speed of a core`,
      );
    }
    sink.node({ node: UNNAMED_NODE, cores: null, freqMhz: coreMhz, memoryKb: null });
    await readFragments(fragmentsFile, { tasks, coreMhz, sink });
    for (const task of tasks.values()) tell(task, sink);
  } catch (error) {
    if (!(error instanceof ParquetReadError)) throw error;
    throw new ImportError(error.message, { cause: error });
  }
}

/** OpenDC's workloads. */
export const OPENDC: Importer = {
  name: "opendc",
  title: "OpenDC workload",
  source: "OpenDC, ComputeWorkloadLoader and opendc-trace (2.1 to 2.4)",
  says: {
    submit: "submission_time, start_time",
    start: "the same: a workload has no starts",
    end: "start plus the sum of the fragments",
    state: "always done",
    cores: "cpu_count",
    cpu: "sum of the fragments",
    memory: "mem_capacity",
    series: "cpu_usage of each fragment",
    hosts: "speed of a core: the largest cpu_capacity / cpu_count",
  },
  recognises: ({ head, name }) =>
    head.startsWith("PAR1") && /^(tasks|fragments|meta|trace)\.parquet$/.test(name),
  read: async (files, sink) => {
    sink.note("A workload has no starts and no hosts: a task starts when it is submitted");
    await readWorkload(files, sink);
  },
};
