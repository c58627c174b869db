/** Runs for the tests of reports, made in memory from a few words per task. */

import { makeReport, type Report } from "../../export/report/report.ts";
import type { RunParts } from "../../export/report/read_run.ts";
import { tableNames, TaskColumns, type TaskFacts } from "../../export/report/run_columns.ts";
import { Usage, type UsageSample } from "../../export/report/usage.ts";
import { RUN_START_MS } from "./cts_run.ts";

/** A task: times in ms since the run's start; what is not given is that of one that is done. */
export function taskFacts(
  id: string,
  { enqueue = 0, assigned, start, run = 1000, ...given }: Partial<TaskFacts> & {
    readonly enqueue?: number;
    readonly assigned?: number;
    readonly start: number;
    readonly run?: number;
  },
): TaskFacts {
  const at = (ms: number) => RUN_START_MS + ms;
  return {
    task_id: id,
    attempt: 1,
    attempts: 1,
    profile: "p",
    state: "done",
    reason: null,
    node: "node1",
    status: 0,
    signal: null,
    ts_enqueue: at(enqueue),
    ts_head: at(enqueue),
    ts_assigned: at(assigned ?? start),
    ts_start: at(start),
    ts_end: at(start + run),
    cpu_units: 1,
    cpu_ms: run / 2,
    cpu_source: "rusage",
    cpu_seen_ms: run / 2,
    max_rss_kb: 1024,
    samples: 5,
    throttled_ms: null,
    cpuset: null,
    command: "program",
    wait_reason: null,
    placed_reason: null,
    last_words: null,
    ...given,
  };
}

/** A run of `facts`; samples are of tasks by their place in the order of starts. */
export function runParts(
  facts: Iterable<TaskFacts>,
  { id = "r1", place = 0, nodes = ["node1"], samples = [], kind = "measured" }: {
    readonly id?: string;
    readonly place?: number;
    readonly nodes?: readonly string[];
    readonly samples?: readonly UsageSample[];
    readonly kind?: "measured" | "simulated";
  } = {},
): RunParts {
  const columns = new TaskColumns();
  for (const fact of facts) columns.add(fact);
  const zeroMs = columns.firstMs;
  const spanMs = columns.lastMs - zeroMs;
  const table = columns.table(tableNames(place).tasks, { order: columns.order, zeroMs });
  const values = (name: string) => {
    const column = table.columns[name];
    if (column?.kind !== "number") throw new TypeError(`no column ${name} of numbers`);
    return Float64Array.from(column.values);
  };
  const usage = new Usage(
    { nodes: nodes.length, tasks: columns.count, spanMs, intervalMs: 200 },
    { start: values("start_ms"), run: values("run_ms") },
  );
  for (const one of samples) usage.add(one);
  const { bins, binMs, points } = usage.size;
  return {
    head: {
      id,
      kind,
      zeroMs,
      spanMs,
      nodes: nodes.map((node) => ({ id: node, capacityUnits: 4, cores: 4, memKb: 1 << 24 })),
      binMs,
      bins,
      seriesPoints: points,
    },
    tables: [table, ...usage.tables(place)],
    audits: [],
    provenance: { roles: [], machines: [] },
  };
}

/**
 * A run of which every figure is known: forty tasks of two profiles on two nodes, in pairs, one after the
 * other; task number n waits n × 100 ms, the first four not at all, and runs one second, on half a core.
 */
export function knownRun(
  options: { readonly id?: string; readonly place?: number } = {},
): RunParts {
  const facts = Array.from({ length: 40 }, (_, n) => {
    const start = Math.floor(n / 4) * 1000;
    return taskFacts(`task-${String(n).padStart(2, "0")}`, {
      enqueue: n < 4 ? start : start - n * 100,
      start,
      run: 1000,
      profile: n % 2 === 0 ? "even" : "odd",
      node: n % 4 < 2 ? "node1" : "node2",
      state: n === 7 ? "failed" : "done",
      status: n === 7 ? 3 : 0,
      last_words: n === 7 ? "it <b>broke</b>" : null,
    });
  });
  const samples = facts.flatMap((one, n) =>
    Array.from({ length: 5 }, (_, tick): UsageSample => ({
      node: one.node === "node1" ? 0 : 1,
      task: n,
      toMs: Math.floor(n / 4) * 1000 + (tick + 1) * 200,
      dtMs: 200,
      cpuMs: 100,
      rssKb: 1024,
    }))
  );
  return runParts(facts, { ...options, nodes: ["node1", "node2"], samples });
}

/** A report on runs, made as the command makes it. */
export function reportOn(...parts: readonly RunParts[]): Promise<Report> {
  return makeReport(parts, { version: "0.0.0" });
}
