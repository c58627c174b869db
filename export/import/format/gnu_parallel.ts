/**
 * The job log of GNU parallel (`--joblog`): tab-separated, times in epoch seconds.
 *
 * @module
 */

import type { Importer, ImportSink, SourceFile } from "../contract.ts";
import { parseNumber } from "../quantities.ts";
import { Columns, readRows } from "../rows.ts";

const WANTED = {
  id: "Seq",
  host: "Host",
  start: "Starttime",
  runtime: "JobRuntime",
  exit: "Exitval",
  signal: "Signal",
} as const;

/** parallel's name for the machine that it runs on. */
const LOCAL = ":";

async function readLog(file: SourceFile, sink: ImportSink): Promise<void> {
  let columns: Columns<keyof typeof WANTED> | null = null;
  await readRows(file, {
    format: { delimiter: "\t" },
    sink,
    onRow: (row) => {
      if (columns === null) {
        const required = ["id", "host", "start", "runtime"] as const;
        columns = Columns.of(row, { wanted: WANTED, required, sink, file });
        return;
      }
      const startS = parseNumber(columns.get(row, "start"));
      const runtimeS = parseNumber(columns.get(row, "runtime"));
      const code = parseNumber(columns.get(row, "exit"));
      const signal = parseNumber(columns.get(row, "signal")) ?? 0;
      const host = columns.get(row, "host")?.trim() ?? "";
      sink.invocation({
        id: columns.get(row, "id") ?? "",
        node: host === LOCAL ? "local" : host || null,
        profile: null,
        submitMs: null,
        startMs: startS === null ? null : startS * 1000,
        endMs: startS === null || runtimeS === null ? null : (startS + runtimeS) * 1000,
        state: code === 0 && signal === 0 ? "done" : "failed",
        status: signal === 0 ? code : 128 + signal,
        cores: null,
        cpuMs: null,
        memoryKb: null,
      });
    },
  });
}

/** GNU parallel's log. */
export const GNU_PARALLEL: Importer = {
  name: "gnu-parallel",
  title: "GNU parallel job log",
  source: "parallel(1), --joblog",
  says: {
    start: "Starttime",
    end: "Starttime plus JobRuntime",
    state: "Exitval, Signal",
    node: "Host; `:` is called local",
  },
  recognises: ({ head }) => /^Seq\tHost\tStarttime\t/.test(head),
  read: async (files, sink) => {
    for (const file of files) await readLog(file, sink);
  },
};
