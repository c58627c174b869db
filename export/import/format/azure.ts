/**
 * Microsoft's Azure VM traces of 2017 and 2019 (AzurePublicDataset): vmtable and vm_cpu_readings, CSV
 * without a header.
 *
 * @module
 */

import { type Importer, ImportError, type ImportSink, type SourceFile } from "../contract.ts";
import { parseNumber } from "../quantities.ts";
import { readRows, type Row } from "../rows.ts";

/** Columns of vmtable.csv. */
const VM = { id: 0, created: 3, deleted: 4, averageCpu: 6, category: 8, cores: 9, memoryGb: 10 };
const VM_COLUMNS = 11;

/** Columns of vm_cpu_readings-file-*.csv. */
const READING = { seconds: 0, id: 1, averageCpu: 4 };
const READING_COLUMNS = 5;

/** Readings are 300 s apart. */
const READING_MS = 300_000;

/** Cores of the open bucket `>24` of 2019: the smallest size above it in the service at that time. */
const OPEN_BUCKETS: Readonly<Record<string, number>> = { ">24": 32, ">64": 128 };

function bucketOf(text: string | undefined, sink: ImportSink): number | null {
  const open = OPEN_BUCKETS[text ?? ""];
  if (open === undefined) return parseNumber(text);
  sink.note(`The bucket "${text}" stands for ${open}`);
  return open;
}

function readVm(
  row: Row,
  { coresOf, sink }: { coresOf: Map<string, number>; sink: ImportSink },
): void {
  const id = row[VM.id] ?? "";
  const [createdS, deletedS] = [parseNumber(row[VM.created]), parseNumber(row[VM.deleted])];
  const cores = bucketOf(row[VM.cores], sink);
  const memoryGb = bucketOf(row[VM.memoryGb], sink);
  const percent = parseNumber(row[VM.averageCpu]);
  if (cores !== null) coresOf.set(id, cores);
  const lifeMs = createdS === null || deletedS === null ? null : (deletedS - createdS) * 1000;
  sink.invocation({
    id,
    node: null,
    profile: row[VM.category] || null,
    submitMs: createdS === null ? null : createdS * 1000,
    startMs: createdS === null ? null : createdS * 1000,
    endMs: deletedS === null ? null : deletedS * 1000,
    state: "done",
    status: null,
    cores,
    cpuMs: percent === null || lifeMs === null || cores === null
      ? null
      : percent / 100 * cores * lifeMs,
    memoryKb: memoryGb === null ? null : memoryGb * 1024 * 1024,
  });
}

function readReading(
  row: Row,
  { coresOf, sink }: { coresOf: ReadonlyMap<string, number>; sink: ImportSink },
): void {
  const id = row[READING.id] ?? "";
  const seconds = parseNumber(row[READING.seconds]);
  const percent = parseNumber(row[READING.averageCpu]);
  const cores = coresOf.get(id);
  if (cores === undefined) return sink.leftOut("readings of VMs that are not in vmtable");
  if (seconds === null || percent === null) return sink.bad(id, "a time and a value are required");
  sink.sample({
    id,
    tsMs: seconds * 1000,
    dtMs: READING_MS,
    cpuMs: percent / 100 * cores * READING_MS,
    memoryKb: null,
  });
}

function columnsOf({ head }: SourceFile): number {
  return (head.split("\n", 1)[0] ?? "").split(",").length;
}

/** Azure's VM traces. */
export const AZURE: Importer = {
  name: "azure",
  title: "Azure VM trace",
  source: "Azure/AzurePublicDataset, AzurePublicDatasetV1 and V2",
  says: {
    submit: "vm created, s since the trace began",
    start: "the same",
    end: "vm deleted",
    state: "always done: VMs of the whole trace end with it",
    cores: "core count bucket",
    cpu: "avg cpu times cores times life",
    memory: "memory bucket: what was provisioned",
    series: "vm_cpu_readings: average of 300 s",
  },
  recognises: (file) =>
    /^[A-Za-z0-9+/=]{32,},/.test(file.head) && columnsOf(file) === VM_COLUMNS ||
    /^\d+,[A-Za-z0-9+/=]{32,},/.test(file.head) && columnsOf(file) === READING_COLUMNS,
  read: async (files, sink) => {
    sink.note("Times count from the beginning of the trace: they are here as of 1 January 1970");
    sink.note("The trace names no hosts, and VMs wait for nothing: start is submission");
    const coresOf = new Map<string, number>();
    const tables = files.filter((file) => columnsOf(file) === VM_COLUMNS);
    const readings = files.filter((file) => columnsOf(file) === READING_COLUMNS);
    const [other] = files.filter((file) => !tables.includes(file) && !readings.includes(file));
    if (other !== undefined) {
      throw new ImportError(
        `Cannot import "${other.path}": ${VM_COLUMNS} columns (vmtable) or ${READING_COLUMNS} ` +
          `(vm_cpu_readings) are required, got ${columnsOf(other)}`,
      );
    }
    for (const file of tables) {
      const onRow = (row: Row) => readVm(row, { coresOf, sink });
      await readRows(file, { format: { delimiter: "," }, sink, onRow });
    }
    for (const file of readings) {
      const onRow = (row: Row) => readReading(row, { coresOf, sink });
      await readRows(file, { format: { delimiter: "," }, sink, onRow });
    }
  },
};
