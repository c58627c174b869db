/**
 * The parsed run in `CTS/`: what export, verify and compare read.
 *
 * @module
 */

import { integer, list, nullable, number, oneOf, record, type RecordOf, string } from "./schema.ts";
import { NODE } from "./record_fields.ts";
import { END_STATES, MEMORY_SOURCES, TOTAL_SOURCES } from "./records.ts";

/** `CTS/invocations.jsonl`: one attempt of one task, or one traced command. */
export const INVOCATION = record("invocation", {
  trace_id: string({ doc: "Identity of the invocation." }),
  span_id: nullable(
    string({ doc: "Tells invocations of one trace apart: the requests to a service." }),
  ),
  pid: nullable(integer({ doc: "Process id of its first process.", min: 1 })),
  ts_enqueue: nullable(number({ doc: "Entered the queue.", unit: "epoch_ms" })),
  ts_start: nullable(number({ doc: "Spawned.", unit: "epoch_ms" })),
  ts_end: nullable(number({ doc: "Reaped.", unit: "epoch_ms" })),
  task_id: nullable(string({ doc: "Task of the queue." })),
  attempt: nullable(integer({ doc: "Attempt, from 1.", unit: "count", min: 1 })),
  node: NODE,
  profile: nullable(string({ doc: "Profile of the task." })),
  status: nullable(integer({ doc: "Exit code." })),
  state: oneOf([...END_STATES, "superseded", "running"], {
    doc: "What became of it; running: no end is on record.",
  }),
  cpu_units: nullable(integer({ doc: "vCPUs reserved.", unit: "vcpu", min: 1 })),
  cpu_ms: nullable(number({ doc: "Exact CPU time of the whole tree.", unit: "ms", min: 0 })),
  cpu_source: nullable(oneOf(TOTAL_SOURCES, { doc: "Where cpu_ms comes from." })),
  cpu_seen_ms: nullable(number({ doc: "Part of cpu_ms that readings saw.", unit: "ms", min: 0 })),
  max_rss_kb: nullable(integer({ doc: "Peak resident memory.", unit: "kb", min: 0 })),
  max_rss_source: nullable(oneOf(MEMORY_SOURCES, { doc: "Where max_rss_kb comes from." })),
  samples: integer({ doc: "Real readings of its processes.", unit: "count", min: 0 }),
  start_ticks: nullable(
    integer({ doc: "Start time of its first process.", unit: "ticks", min: 0 }),
  ),
  kind: nullable(
    oneOf(["task", "command", "request", "service"], {
      doc:
        "task: of the queue; command: traced alone; request: to a service; service: a process, " +
        "tree or cgroup that was observed. Null: not known.",
    }),
  ),
  origin: nullable(
    oneOf(["imported", "modelled"], {
      doc: "imported: another system recorded it; modelled: nobody did. Null: measured here.",
    }),
  ),
  parents: nullable(
    list(string({ doc: "A task." }), { doc: "Tasks that had to end before this one started." }),
  ),
});
/** One attempt of one task, {@linkcode INVOCATION}. */
export type Invocation = RecordOf<typeof INVOCATION>;

/** `CTS/proc_metrics.jsonl`: what one process used in one interval that ends at `ts_ms`. */
export const PROC_METRIC = record("process metric", {
  ts_ms: number({ doc: "End of the interval.", unit: "epoch_ms" }),
  pid: nullable(
    integer({
      doc: "The process; null for CPU time that no single process can be named for.",
      min: 1,
    }),
  ),
  dt_ms: number({ doc: "Length of the interval.", unit: "ms", min: 0 }),
  cpu_ms: number({ doc: "CPU time used in it.", unit: "ms", min: 0 }),
  rss_kb: nullable(integer({ doc: "Resident memory at its end.", unit: "kb", min: 0 })),
  trace_id: nullable(string({ doc: "Invocation that the process belongs to." })),
  span_id: nullable(string({ doc: "The invocation, where its trace has several." })),
  source: oneOf(["reading", "spread", "shared", "imported"], {
    doc:
      "reading: the difference of two readings; spread: known only from the exit total; shared: " +
      "a request's share of its service, or without a trace_id what that used with none open; " +
      "imported: read by another system.",
  }),
});
/** What one process used in one interval, {@linkcode PROC_METRIC}. */
export type ProcMetric = RecordOf<typeof PROC_METRIC>;

/** `CTS/nodes.json`: a list of these. */
export const CTS_NODE = record("node", {
  node_id: NODE,
  stage: nullable(string({ doc: "STAGE." })),
  cpu_cores: integer({ doc: "Logical cores of the node.", unit: "count", min: 1 }),
  cpu_model: nullable(string({ doc: "Model of the CPU." })),
  cpu_freq_mhz: nullable(number({ doc: "Frequency of a core, to 100 MHz.", unit: "mhz", min: 1 })),
  cpu_freq_mhz_exact: nullable(number({ doc: "The same, as found.", unit: "mhz", min: 1 })),
  mem_mb: nullable(number({ doc: "Memory, to 1024 MiB.", unit: "mb", min: 0 })),
  mem_kb_exact: nullable(integer({ doc: "The same, as found.", unit: "kb", min: 1 })),
  capacity_units: nullable(integer({ doc: "Capacity of its worker.", unit: "vcpu", min: 1 })),
  slots: nullable(
    integer({ doc: "Slots of its worker; 0: capacity only.", unit: "count", min: 0 }),
  ),
  allocation_ratio: nullable(number({ doc: "Over-provisioning factor of its worker." })),
});
/** One node of the run, {@linkcode CTS_NODE}. */
export type CtsNode = RecordOf<typeof CTS_NODE>;
