/**
 * The tables about the queue: decisions of the scheduler, capacity over time. Pure.
 *
 * @module
 */

import { PLACEMENT_EVENT } from "../../trace/records.ts";
import { double, from, integer, orNull, type RowOf, table, text, timestamp } from "./schema.ts";

const EVENTS = "placement_events.jsonl";

/** `placements`: what the scheduler decided. */
export const PLACEMENTS = table("placements", {
  doc: "One decision of the scheduler: where a task goes, or that the head of the queue waits.",
  key: [],
  columns: {
    ...from(PLACEMENT_EVENT, { source: EVENTS, fields: ["ts_ms"] }),
    decision: text({ doc: "placed or waiting.", source: `event of ${EVENTS}` }),
    ...from(PLACEMENT_EVENT, {
      source: EVENTS,
      fields: ["task_id", "seq", "cpu_units", "node", "index"],
    }),
    hosts: integer({
      unit: "count",
      doc: "Nodes that the scheduler knew.",
      source: `host and host_gone events of ${EVENTS} before this one`,
    }),
    candidates: integer({
      unit: "count",
      doc: "Nodes that could have taken the task.",
      source: `host, tokens and placed events of ${EVENTS} before this one`,
    }),
    reason: orNull(text({
      doc: "waiting: why most nodes cannot take it: busy, no_slot, no_token, draining, too_small.",
      source: `reasons of ${EVENTS}; no_node where no node was known`,
    })),
    reasons: orNull(text({
      doc: "waiting: nodes by why they cannot take the task, as JSON.",
      source: EVENTS,
    })),
    ...from(PLACEMENT_EVENT, {
      source: `policy event of ${EVENTS} before this one`,
      fields: ["leader", "weigher", "weigher_order", "scan_pending"],
    }),
    weighers: orNull(text({
      doc: "policy: weighers with multipliers, as of scheduler --weigher; null: one or none.",
      source: `policy event of ${EVENTS} before this one`,
    })),
  },
});
/** A row of {@linkcode PLACEMENTS}. */
export type PlacementRow = RowOf<typeof PLACEMENTS>;

/** `capacity`: each node over time. */
export const CAPACITY = table("capacity", {
  doc: "What a node offered and what of it was taken, on average over one interval.",
  key: ["node", "ts_ms"],
  columns: {
    node: text({ doc: "NODE_ID.", source: "CTS/nodes.json, CTS/invocations.jsonl" }),
    ts_ms: timestamp({ doc: "Begin of the interval.", source: "whole multiples of dt_ms" }),
    dt_ms: double({
      unit: "ms",
      doc: "Length of the interval: 1000, or more where the run would have over a million of them.",
      source: "constant in a run",
    }),
    offered_units: orNull(double({
      unit: "vcpu",
      doc: "vCPUs that the node offered to the queue.",
      source: `host events of ${EVENTS}; without them capacity_units of CTS/nodes.json`,
    })),
    reserved_units: double({
      unit: "vcpu",
      doc: "vCPUs reserved for tasks, from assignment to end.",
      source: "tasks and attempts: cpu_units over ts_assigned, else ts_start, to ts_end",
    }),
    used_cores: double({
      unit: "cores",
      doc: "Cores in use by the processes that were sampled.",
      source: "samples: cpu_ms spread over its interval",
    }),
    running: double({
      unit: "count",
      doc: "Attempts that ran.",
      source: "attempts: ts_start to ts_end",
    }),
    starting: double({
      unit: "count",
      doc: "Tasks assigned to the node that had not started.",
      source: "tasks: ts_assigned to ts_start",
    }),
    queued: double({
      unit: "count",
      doc: "Tasks in the queue, not yet assigned; the same number for every node of the run.",
      source: "tasks: ts_enqueue to ts_assigned, else ts_start",
    }),
  },
});
/** A row of {@linkcode CAPACITY}. */
export type CapacityRow = RowOf<typeof CAPACITY>;
