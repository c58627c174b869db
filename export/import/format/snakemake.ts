/**
 * Benchmark files of Snakemake (`benchmark:` of a rule): one file for each job, one row for each repeat.
 * They hold no times of day: the file was written when its last repeat ended.
 *
 * @module
 */

import type { Importer, ImportSink, SourceFile } from "../contract.ts";
import { parseNumber } from "../quantities.ts";
import { Columns, readRows } from "../rows.ts";

const WANTED = {
  seconds: "s",
  rss: "max_rss",
  cpu: "cpu_time",
  threads: "threads",
  rule: "rule_name",
} as const;

interface Repeat {
  readonly runtimeS: number | null;
  readonly cpuS: number | null;
  readonly rssMb: number | null;
  readonly threads: number | null;
  readonly rule: string | null;
}

async function readBenchmark(file: SourceFile, sink: ImportSink): Promise<void> {
  let columns: Columns<keyof typeof WANTED> | null = null;
  const repeats: Repeat[] = [];
  await readRows(file, {
    format: { delimiter: "\t" },
    sink,
    onRow: (row) => {
      if (columns === null) {
        columns = Columns.of(row, { wanted: WANTED, required: ["seconds"], sink, file });
        return;
      }
      repeats.push({
        runtimeS: parseNumber(columns.get(row, "seconds")),
        cpuS: parseNumber(columns.get(row, "cpu")),
        rssMb: parseNumber(columns.get(row, "rss")),
        threads: parseNumber(columns.get(row, "threads")),
        rule: columns.get(row, "rule") ?? null,
      });
    },
  });
  const name = file.path.replace(/^\.?\//, "").replace(/\.(tsv|txt)$/, "");
  // Repeats run one after the other: the last one ended when the file was written.
  let endMs = file.modifiedMs;
  for (const [at, one] of [...repeats.entries()].reverse()) {
    const startMs = endMs === null || one.runtimeS === null ? null : endMs - one.runtimeS * 1000;
    sink.invocation({
      id: name,
      attempt: repeats.length === 1 ? null : at + 1,
      node: null,
      profile: one.rule,
      submitMs: null,
      startMs,
      endMs,
      state: "done",
      status: null,
      cores: one.threads,
      cpuMs: one.cpuS === null ? null : one.cpuS * 1000,
      memoryKb: one.rssMb === null ? null : one.rssMb * 1024,
    });
    endMs = startMs;
  }
  await sink.ready();
}

/** Snakemake's benchmarks. */
export const SNAKEMAKE: Importer = {
  name: "snakemake",
  title: "Snakemake benchmark files",
  source: "Snakemake documentation, Snakefiles: Benchmark rules",
  says: {
    start: "end minus s",
    end: "time at which the file was written",
    state: "always done: failed jobs leave no file",
    cores: "threads, in the extended format",
    cpu: "cpu_time",
    memory: "max_rss",
  },
  recognises: ({ head }) => /^s\th:m:s\t/.test(head) || /^[^\n]*\ts\th:m:s\t/.test(head),
  read: async (files, sink) => {
    sink.note(
      "Benchmark files hold no times of day: a job is taken to end when its file was written",
    );
    for (const file of files) await readBenchmark(file, sink);
  },
};
