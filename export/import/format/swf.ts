/**
 * The Standard Workload Format of the Parallel Workloads Archive: 18 numbers a line, -1 for what is
 * missing, the machine in comments at the top.
 *
 * @module
 */

import type { ImportedInvocation, Importer, ImportSink, SourceFile } from "../contract.ts";
import { readRows, type Row } from "../rows.ts";
import { UNNAMED_NODE } from "../counts.ts";

/** Fields by their number in the format's description, which counts from 1. */
const FIELD = {
  id: 1,
  submit: 2,
  wait: 3,
  run: 4,
  processors: 5,
  cpu: 6,
  memory: 7,
  requested: 8,
  status: 11,
  queue: 15,
  preceding: 17,
} as const;

const FIELDS = 18;

function valueOf(row: Row, field: number): number | null {
  const value = Number(row[field - 1]);
  return value === -1 ? null : value;
}

/** Field 11: 1 completed, 5 cancelled, 0 failed; 2 to 4 are parts of a job that was checkpointed. */
const STATES: Readonly<Record<number, ImportedInvocation["state"]>> = {
  1: "done",
  2: "failed",
  3: "done",
  4: "failed",
  5: "cancelled",
};

function invocationOf(row: Row, startOfLogMs: number): ImportedInvocation {
  const submitS = valueOf(row, FIELD.submit);
  const waitS = valueOf(row, FIELD.wait);
  const runS = valueOf(row, FIELD.run);
  const processors = valueOf(row, FIELD.processors) ?? valueOf(row, FIELD.requested);
  const cpuS = valueOf(row, FIELD.cpu);
  const memoryKb = valueOf(row, FIELD.memory);
  const preceding = valueOf(row, FIELD.preceding);
  const queue = valueOf(row, FIELD.queue);
  const status = valueOf(row, FIELD.status);
  const submitMs = submitS === null ? null : startOfLogMs + submitS * 1000;
  const startMs = submitMs === null || waitS === null ? null : submitMs + waitS * 1000;
  return {
    id: row[0] ?? "",
    node: UNNAMED_NODE,
    profile: queue === null ? null : `queue${queue}`,
    submitMs,
    startMs,
    endMs: startMs === null || runS === null ? null : startMs + runS * 1000,
    // Without a status (-1), as in logs of models: they hold jobs that ran to their end.
    state: status === null ? "done" : STATES[status] ?? "failed",
    status: null,
    cores: processors === null || processors === 0 ? null : processors,
    // Field 6 is the average over the processors.
    cpuMs: cpuS === null || processors === null ? null : cpuS * processors * 1000,
    memoryKb: memoryKb === null || processors === null ? null : memoryKb * processors,
    parents: preceding === null ? null : [String(preceding)],
  };
}

async function readLog(file: SourceFile, sink: ImportSink): Promise<void> {
  const header = new Map<string, string>();
  function onComment(line: string): void {
    const found = /^;\s*(\w+):\s*(.*)$/.exec(line);
    if (found !== null) header.set(found[1] ?? "", found[2] ?? "");
  }
  let startOfLogMs: number | null = null;
  await readRows(file, {
    format: { delimiter: null, comment: ";", onComment },
    sink,
    onRow: (row, line) => {
      if (row.length !== FIELDS) {
        return sink.bad(`${file.name}:${line}`, `${FIELDS} fields are required, got ${row.length}`);
      }
      startOfLogMs ??= (headerNumber(header, "UnixStartTime") ?? 0) * 1000;
      sink.invocation(invocationOf(row, startOfLogMs));
    },
  });
  sink.node({
    node: UNNAMED_NODE,
    cores: headerNumber(header, "MaxProcs") ?? headerNumber(header, "MaxNodes"),
    freqMhz: null,
    memoryKb: null,
  });
}

function headerNumber(header: ReadonlyMap<string, string>, name: string): number | null {
  const found = /^\d+/.exec(header.get(name) ?? "");
  return found === null || found[0] === "0" ? null : Number(found[0]);
}

/** The Standard Workload Format. */
export const SWF: Importer = {
  name: "swf",
  title: "Standard Workload Format",
  source: "Parallel Workloads Archive, The Standard Workload Format",
  says: {
    submit: "field 2, after UnixStartTime",
    start: "submit plus wait (3)",
    end: "start plus run time (4)",
    state: "field 11",
    cores: "processors allocated (5), else requested (8)",
    cpu: "average CPU time (6) times processors",
    memory: "memory per processor (7) times processors",
    parents: "preceding job (17)",
    hosts: "MaxProcs: one host stands for the machine",
  },
  recognises: ({ head, name }) =>
    /\.swf$/.test(name) || /^;\s*(Version|Computer|UnixStartTime|MaxProcs):/m.test(head) ||
    /^\s*\d+(\s+-?\d+(\.\d+)?){17}\s*$/m.test(head.split("\n", 1)[0] ?? ""),
  read: async (files, sink) => {
    sink.note("The format names no hosts: one host stands for the whole machine");
    for (const file of files) await readLog(file, sink);
  },
};
