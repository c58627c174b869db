/**
 * The trace file of Nextflow (`-with-trace`): tab-separated, values with units or, with `trace.raw`, plain.
 *
 * @module
 */

import type {
  ImportedInvocation,
  Importer,
  ImportSettings,
  ImportSink,
  SourceFile,
} from "../contract.ts";
import {
  isMissing,
  parseNumber,
  parseSizeKb,
  parseTime,
  parseWordDuration,
} from "../quantities.ts";
import { Columns, readRows, type Row } from "../rows.ts";

const WANTED = {
  id: "task_id",
  process: ["process", "name"],
  status: "status",
  exit: "exit",
  submit: "submit",
  start: "start",
  complete: "complete",
  duration: "duration",
  realtime: "realtime",
  cpus: "cpus",
  cpu: "%cpu",
  memory: "peak_rss",
  host: "hostname",
  attempt: "attempt",
} as const;

type Get = (key: keyof typeof WANTED) => string | undefined;

const STATES: Readonly<Record<string, ImportedInvocation["state"]>> = {
  COMPLETED: "done",
  FAILED: "failed",
  ABORTED: "cancelled",
  RUNNING: "running",
  SUBMITTED: "running",
};

function invocationOf(get: Get, { utcOffsetMs }: ImportSettings): ImportedInvocation {
  const submitMs = parseTime(get("submit"), utcOffsetMs);
  const durationMs = parseWordDuration(get("duration"));
  const realtimeMs = parseWordDuration(get("realtime"));
  // duration runs from submit to complete, realtime from start to complete.
  const endMs = parseTime(get("complete"), utcOffsetMs) ?? sum(submitMs, durationMs);
  const startMs = parseTime(get("start"), utcOffsetMs) ?? sum(endMs, negative(realtimeMs));
  const percent = parseNumber(get("cpu")?.replace("%", ""));
  const process = get("process") ?? "";
  return {
    id: get("id") ?? "",
    attempt: parseNumber(get("attempt")),
    node: isMissing(get("host")) ? null : get("host") ?? null,
    // "FASTQC (sample1)": the process, and what it worked on.
    profile: process.replace(/ \(.*\)$/s, "") || null,
    submitMs,
    startMs,
    endMs,
    state: STATES[get("status") ?? ""] ?? "failed",
    status: parseNumber(get("exit")),
    cores: parseNumber(get("cpus")),
    cpuMs: percent === null || realtimeMs === null ? null : percent / 100 * realtimeMs,
    memoryKb: parseSizeKb(get("memory")),
  };
}

function sum(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

function negative(value: number | null): number | null {
  return value === null ? null : -value;
}

async function readTrace(
  file: SourceFile,
  sink: ImportSink,
  settings: ImportSettings,
): Promise<void> {
  let columns: Columns<keyof typeof WANTED> | null = null;
  await readRows(file, {
    format: { delimiter: "\t" },
    sink,
    onRow: (row: Row) => {
      if (columns === null) {
        columns = Columns.of(row, { wanted: WANTED, required: ["id", "status"], sink, file });
        return;
      }
      const found = columns;
      const get: Get = (key) => found.get(row, key);
      if (get("status") === "CACHED") sink.leftOut("taken from the cache, it did not run");
      else sink.invocation(invocationOf(get, settings));
    },
  });
}

/** Nextflow's trace. */
export const NEXTFLOW: Importer = {
  name: "nextflow",
  title: "Nextflow trace",
  source: "Nextflow documentation, Reports: Trace file",
  says: {
    submit: "submit",
    start: "start, else end minus realtime",
    end: "complete, else submit plus duration",
    state: "status, exit; cached tasks are left out",
    node: "hostname, where the trace has that field",
    cores: "cpus, where the trace has that field",
    cpu: "%cpu times realtime",
    memory: "peak_rss",
  },
  recognises: ({ head }) => /^[^\n]*\btask_id\t[^\n]*\bstatus\b/.test(head),
  read: async (files, sink, settings) => {
    for (const file of files) await readTrace(file, sink, settings);
  },
};
