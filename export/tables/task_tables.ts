/**
 * The tables about work: tasks, their attempts, HTTP requests. Pure.
 *
 * @module
 */

import { INVOCATION } from "../../trace/cts.ts";
import { INVOCATION_EVENT, TASK_RESULT } from "../../trace/records.ts";
import {
  double,
  from,
  fromOptional,
  integer,
  orNull,
  type RowOf,
  table,
  text,
  timestamp,
} from "./schema.ts";

const CTS = "CTS/invocations.jsonl";
const EVENTS = "events.<module>.jsonl";
const RESULTS = "results.jsonl";
const PLACEMENTS = "placement_events.jsonl";

const WAIT_MS = orNull(double({
  unit: "ms",
  doc: "Time from entering the queue to the start.",
  source: "ts_start - ts_enqueue",
}));
const RUN_MS = orNull(double({
  unit: "ms",
  doc: "Run time.",
  source: "ts_end - ts_start",
}));

/** Exit totals and what describes them, the same for a task and an attempt. */
const TOTALS = {
  ...fromOptional(INVOCATION_EVENT, {
    source: EVENTS,
    fields: [
      "user_ms",
      "system_ms",
      "max_rss_source",
      "memory_peak_kb",
      "memory_peak_source",
      "throttled_ms",
      "throttled_source",
      "minor_faults",
      "major_faults",
      "voluntary_switches",
      "involuntary_switches",
      "read_blocks",
      "written_blocks",
      "counters_source",
      "bytes_in",
      "bytes_out",
      "signal",
      "cpuset",
      "cpu_binding",
      "is_cpuset_shared",
      "stage",
      "container",
      "module_id",
      "method",
      "path",
      "input",
      "output",
    ],
  }),
} as const;

const PARENTS = orNull(text({
  doc: "Tasks that had to end before this one started, a JSON list.",
  source: CTS,
}));

const USED = {
  used_cores: orNull(double({
    unit: "cores",
    doc: "Cores in use on average over the run time.",
    source: "cpu_ms / run_ms",
  })),
  cpu_reserved_ms: orNull(double({
    unit: "vCPU ms",
    doc: "Reserved vCPUs times run time.",
    source: "cpu_units * run_ms",
  })),
  used_ratio: orNull(double({
    unit: "ratio",
    doc: "Share of the reservation that was used.",
    source: "cpu_ms / cpu_reserved_ms",
  })),
} as const;

/** `attempts`: each try of a task on a node, and each traced command. */
export const ATTEMPTS = table("attempts", {
  doc: "One attempt of one task, or one command that was traced alone.",
  key: ["trace_id", "span_id"],
  columns: {
    ...from(INVOCATION, {
      source: CTS,
      fields: [
        "trace_id",
        "span_id",
        "task_id",
        "attempt",
        "profile",
        "node",
        "state",
        "status",
        "pid",
        "start_ticks",
        "ts_enqueue",
        "ts_start",
        "ts_end",
        "cpu_units",
        "cpu_ms",
        "cpu_source",
        "cpu_seen_ms",
        "max_rss_kb",
        "samples",
        "origin",
      ],
    }),
    parents: PARENTS,
    wait_ms: WAIT_MS,
    run_ms: RUN_MS,
    ...USED,
    ...TOTALS,
    ...fromOptional(INVOCATION_EVENT, {
      source: EVENTS,
      fields: ["parent_id", "instance_id", "reason", "stderr_tail"],
    }),
  },
});
/** A row of {@linkcode ATTEMPTS}. */
export type AttemptRow = RowOf<typeof ATTEMPTS>;

/** `tasks`: each task of the queue with the attempt that counts, and each traced command. */
export const TASKS = table("tasks", {
  doc: "One task of the queue with the attempt that counts, or one command that was traced alone.",
  key: ["trace_id"],
  columns: {
    ...fromOptional(INVOCATION, {
      source: `${CTS}, the attempt that counts`,
      fields: ["task_id", "trace_id", "span_id", "attempt"],
    }),
    attempts: integer({
      unit: "count",
      doc: "Attempts on record.",
      source: "rows of attempts with this task_id",
    }),
    ...from(INVOCATION, { source: CTS, fields: ["profile"] }),
    state: text({
      doc:
        "What became of the task: done, failed, dead or cancelled; running: no end is on record.",
      source: `${RESULTS}, else ${CTS}`,
    }),
    ...fromOptional(TASK_RESULT, { source: RESULTS, fields: ["reason", "seq"] }),
    ...fromOptional(INVOCATION, {
      source: `${CTS}, the attempt that counts`,
      fields: ["node", "status", "ts_enqueue"],
    }),
    ts_head: orNull(timestamp({
      doc: "Reached the head of the queue and found no node with room, or was placed at once.",
      source: `${PLACEMENTS}: first waiting event since its last placement, else ts_assigned`,
    })),
    ts_assigned: orNull(timestamp({
      doc: "Placed on its node.",
      source: `${RESULTS}, else ${PLACEMENTS}`,
    })),
    ...fromOptional(INVOCATION, {
      source: `${CTS}, the attempt that counts`,
      fields: ["ts_start", "ts_end"],
    }),
    ...fromOptional(TASK_RESULT, { source: RESULTS, fields: ["ts_finish"] }),
    wait_ms: WAIT_MS,
    queue_ms: orNull(double({
      unit: "ms",
      doc: "Part of the wait behind other tasks; of a later attempt, the attempts before as well.",
      source: "ts_head - ts_enqueue",
    })),
    placement_ms: orNull(double({
      unit: "ms",
      doc: "Part of the wait at the head of the queue, until a node had room.",
      source: "ts_assigned - ts_head",
    })),
    launch_ms: orNull(double({
      unit: "ms",
      doc: "Part of the wait on the node, from the assignment to the start.",
      source: "ts_start - ts_assigned",
    })),
    run_ms: RUN_MS,
    slowdown: orNull(double({
      unit: "ratio",
      doc: "Time in the system relative to the run time.",
      source: "(wait_ms + run_ms) / run_ms",
    })),
    ...fromOptional(INVOCATION, {
      source: `${CTS}, the attempt that counts`,
      fields: [
        "cpu_units",
        "cpu_ms",
        "cpu_source",
        "cpu_seen_ms",
        "max_rss_kb",
        "samples",
        "origin",
      ],
    }),
    parents: PARENTS,
    ...USED,
    ...TOTALS,
  },
});
/** A row of {@linkcode TASKS}. */
export type TaskRow = RowOf<typeof TASKS>;

/** `requests`: what the HTTP adapter passed on. */
export const REQUESTS = table("requests", {
  doc: "One HTTP request to a service behind the HTTP adapter.",
  key: ["trace_id", "span_id"],
  columns: {
    ...from(INVOCATION, { source: CTS, fields: ["trace_id", "span_id", "node"] }),
    ...fromOptional(INVOCATION_EVENT, {
      source: EVENTS,
      fields: ["parent_id", "instance_id", "container", "stage", "method", "path"],
    }),
    ...from(INVOCATION, { source: CTS, fields: ["status", "state", "ts_start"] }),
    ...fromOptional(INVOCATION_EVENT, { source: EVENTS, fields: ["ts_forward", "ts_first_byte"] }),
    ...from(INVOCATION, { source: CTS, fields: ["ts_end"] }),
    run_ms: RUN_MS,
    first_byte_ms: orNull(double({
      unit: "ms",
      doc: "Time until the head of the response came, both by the node's clock.",
      source: "ts_first_byte - ts_start of the event",
    })),
    ...fromOptional(INVOCATION_EVENT, {
      source: EVENTS,
      fields: ["bytes_in", "bytes_out", "is_aborted", "reason"],
    }),
    ...from(INVOCATION, { source: CTS, fields: ["cpu_ms", "cpu_source", "samples"] }),
  },
});
/** A row of {@linkcode REQUESTS}. */
export type RequestRow = RowOf<typeof REQUESTS>;
