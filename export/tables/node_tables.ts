/**
 * The tables about machines and what was observed on them. Pure.
 *
 * @module
 */

import { CTS_NODE, PROC_METRIC } from "../../trace/cts.ts";
import {
  CLOCK_OFFSET,
  COLLECTOR_STATS,
  CPU_SHARE,
  HOST_METRICS,
  NODE_META,
  PROCESS,
  RUN_META,
} from "../../trace/records.ts";
import type { Fields, RecordSchema } from "../../trace/schema.ts";
import { from, fromOptional, integer, orNull, type RowOf, table, text } from "./schema.ts";

function nodeOf(source: string): ReturnType<typeof text> {
  return text({ doc: "NODE_ID.", source });
}

const TASK_ID = orNull(text({
  doc: "Task of the queue; null: a traced command, or a process of no known invocation.",
  source: "CTS/invocations.jsonl, by span_id, trace_id or pid and time",
}));

function namesOf<F extends Fields>(record: RecordSchema<F>): (keyof F & string)[] {
  return Object.keys(record.fields);
}

/** `samples`: what one process used in one interval. */
export const SAMPLES = table("samples", {
  doc: "What one process used in one interval; the cpu_ms of a task's rows sum to its exact total.",
  key: [],
  columns: {
    node: nodeOf("the folder of the run that the row is in"),
    task_id: TASK_ID,
    attempt: orNull(integer({
      unit: "count",
      doc: "Attempt of the task, from 1.",
      source: "CTS/invocations.jsonl, as task_id",
    })),
    ...from(PROC_METRIC, {
      source: "CTS/proc_metrics.jsonl",
      fields: ["ts_ms", "pid", "dt_ms", "cpu_ms", "rss_kb", "trace_id", "span_id", "source"],
    }),
  },
});
/** A row of {@linkcode SAMPLES}. */
export type SampleRow = RowOf<typeof SAMPLES>;

/** `processes`: what a sampled process is. */
export const PROCESSES = table("processes", {
  doc: "One process that was sampled.",
  key: ["node", "pid", "start_ticks"],
  columns: {
    node: nodeOf("node_meta.json"),
    task_id: TASK_ID,
    ...from(PROCESS, { source: "processes.jsonl", fields: namesOf(PROCESS) }),
  },
});
/** A row of {@linkcode PROCESSES}. */
export type ProcessRow = RowOf<typeof PROCESSES>;

/** `nodes`: the machines. */
export const NODES = table("nodes", {
  doc: "One node of the run.",
  key: ["node_id"],
  columns: {
    ...from(CTS_NODE, { source: "CTS/nodes.json", fields: namesOf(CTS_NODE) }),
    ...fromOptional(NODE_META, {
      source: "node_meta.json",
      fields: [
        "host_name",
        "boot_id",
        "cpus",
        "machine_cores",
        "cpu_freq_source",
        "interface",
        "kernel",
        "cgroup_version",
      ],
    }),
    ...fromOptional(RUN_META, {
      source: "run_meta.worker.json",
      fields: ["cpu_binding", "version", "deno_version"],
    }),
  },
});
/** A row of {@linkcode NODES}. */
export type NodeRow = RowOf<typeof NODES>;

/** `host`: the whole machine over time. */
export const HOST = table("host", {
  doc: "Counters of a whole machine at one time, totals since boot.",
  key: ["node", "ts_ms"],
  columns: {
    node: nodeOf("node_meta.json"),
    ...from(HOST_METRICS, { source: "host_metrics.jsonl", fields: namesOf(HOST_METRICS) }),
  },
});
/** A row of {@linkcode HOST}. */
export type HostRow = RowOf<typeof HOST>;

/** `clock`: offsets to the controller's clock. */
export const CLOCK = table("clock", {
  doc: "Offset of a node's clock to the controller's at one time.",
  key: ["node", "ts_ms"],
  columns: {
    node: nodeOf("node_meta.json"),
    ...from(CLOCK_OFFSET, { source: "clock.jsonl", fields: namesOf(CLOCK_OFFSET) }),
  },
});
/** A row of {@linkcode CLOCK}. */
export type ClockRow = RowOf<typeof CLOCK>;

/** `shares`: CPU limits over time. */
export const SHARES = table("shares", {
  doc: "CPU limits of an attempt from one time on, until its next row or its end.",
  key: [],
  columns: {
    node: nodeOf("node_meta.json"),
    ...from(CPU_SHARE, { source: "shares.jsonl", fields: namesOf(CPU_SHARE) }),
  },
});
/** A row of {@linkcode SHARES}. */
export type ShareRow = RowOf<typeof SHARES>;

/** `collector`: what the collector cost and missed. */
export const COLLECTOR = table("collector", {
  doc: "What the collector of a node cost and missed since its row before.",
  key: ["node", "ts_ms"],
  columns: {
    node: nodeOf("node_meta.json"),
    ...from(COLLECTOR_STATS, { source: "collector_stats.jsonl", fields: namesOf(COLLECTOR_STATS) }),
  },
});
/** A row of {@linkcode COLLECTOR}. */
export type CollectorRow = RowOf<typeof COLLECTOR>;
