/**
 * Bitbrains' VM traces of the Grid Workloads Archive, GWA-T-12 (fastStorage, Rnd): a file for each VM,
 * values divided by semicolon and tab. The time column is called [ms] and holds epoch seconds.
 *
 * @module
 */

import type { Importer, ImportSink, SourceFile } from "../contract.ts";
import { parseNumber, parseTime } from "../quantities.ts";
import { Columns, readRows } from "../rows.ts";

const WANTED = {
  time: "Timestamp [ms]",
  cores: "CPU cores",
  percent: "CPU usage [%]",
  memory: "Memory usage [KB]",
} as const;

async function readVm(file: SourceFile, sink: ImportSink): Promise<void> {
  const id = file.name.replace(/\.csv$/, "");
  let columns: Columns<keyof typeof WANTED> | null = null;
  let [firstMs, lastMs]: [number | null, number | null] = [null, null];
  let [cores, cpuMs, memoryKb] = [0, 0, 0];
  await readRows(file, {
    format: { delimiter: ";" },
    sink,
    onRow: (row, line) => {
      if (columns === null) {
        const required = ["time", "cores", "percent"] as const;
        columns = Columns.of(row, { wanted: WANTED, required, sink, file });
        return;
      }
      const tsMs = parseTime(columns.get(row, "time"), 0);
      const rowCores = parseNumber(columns.get(row, "cores"));
      const percent = parseNumber(columns.get(row, "percent"));
      const usedKb = parseNumber(columns.get(row, "memory"));
      if (tsMs === null || rowCores === null || percent === null || tsMs < (lastMs ?? 0)) {
        return sink.bad(`${file.name}:${line}`, "a later time, cores and CPU usage are required");
      }
      cores = Math.max(cores, rowCores);
      memoryKb = Math.max(memoryKb, usedKb ?? 0);
      if (lastMs !== null) {
        const dtMs = tsMs - lastMs;
        const usedMs = percent / 100 * rowCores * dtMs;
        cpuMs += usedMs;
        sink.sample({ id, tsMs, dtMs, cpuMs: usedMs, memoryKb: usedKb });
      }
      firstMs ??= tsMs;
      lastMs = tsMs;
    },
  });
  sink.invocation({
    id,
    node: null,
    profile: null,
    submitMs: firstMs,
    startMs: firstMs,
    endMs: lastMs,
    state: "done",
    status: null,
    cores: cores || null,
    cpuMs,
    memoryKb: memoryKb || null,
  });
}

/** Bitbrains' VM traces. */
export const BITBRAINS: Importer = {
  name: "bitbrains",
  title: "Bitbrains VM trace (GWA-T-12)",
  source: "Grid Workloads Archive, GWA-T-12 Bitbrains",
  says: {
    submit: "the first reading",
    start: "the first reading",
    end: "the last reading",
    state: "always done: VMs are followed, not ended",
    cores: "CPU cores",
    cpu: "sum of the readings",
    memory: "largest memory usage",
    series: "CPU usage [%] times cores, every 300 s",
  },
  recognises: ({ head }) => /^Timestamp \[ms\];\s*CPU cores;/.test(head),
  read: async (files, sink) => {
    sink.note("VMs are taken from their first reading to their last; the trace names no hosts");
    for (const file of files) await readVm(file, sink);
  },
};
