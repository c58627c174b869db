/**
 * The queue as an operator sees it, and in words why its head waits.
 *
 * @module
 */

import type { Task } from "../../trace/task.ts";
import { explainWaiting, type Host, type Infeasibility } from "../placement/placement.ts";
import type { EndState, TaskState } from "./queue.ts";

/** A task that a node runs. */
export interface RunningTask {
  /** The task. */
  readonly task_id: string;
  /** Its attempt, from 1. */
  readonly attempt: number;
}

/** A node of the queue. */
export interface NodeStatus {
  /** NODE_ID. */
  readonly node: string;
  /** late: its lease is over, it is about to count as lost. */
  readonly state: "live" | "late" | "draining";
  /** Since its last heartbeat, ms. */
  readonly heartbeat_age_ms: number;
  /** Units in all. */
  readonly capacity: number;
  /** Units that a task may take now. */
  readonly free: number;
  /** Units that a person holds back by `SET cap:<node>`. */
  readonly hold: number;
  /** Slots in all; null: it has none, capacity alone counts. */
  readonly slots: number | null;
  /** Slots that a task may take now; null: it has none. */
  readonly free_slots: number | null;
  /** Tasks in its queue: assigned to it, or put there past the scheduler. */
  readonly queued: number;
  /** Those of them that the scheduler assigned. */
  readonly assigned: number;
  /** What it runs. */
  readonly running: readonly RunningTask[];
}

/** The head of the pending queue. */
export interface HeadStatus {
  /** The task; null: what is there is no task, or was not taken in yet. */
  readonly task_id: string | null;
  /** Its profile. */
  readonly profile: string | null;
  /** Units that it asks for; null: it is not a task. */
  readonly cpu_units: number | null;
  /** Since it was enqueued, ms. */
  readonly waited_ms: number | null;
  /** Why it waits, in words. */
  readonly why: string;
  /** Nodes by the reason for which they cannot take it. */
  readonly reasons: Readonly<Partial<Record<Infeasibility, readonly string[]>>>;
}

/** The queue of a node that has no live worker. */
export interface OrphanedQueue {
  /** NODE_ID. */
  readonly node: string;
  /** Tasks in it. */
  readonly queued: number;
}

/** The whole queue at one moment. */
export interface QueueStatus {
  /** When, controller's clock, epoch ms. */
  readonly ts_ms: number;
  /** Name of the pending queue. */
  readonly pending_key: string;
  /** Tasks in it. */
  readonly pending: number;
  /** Its head; null: it is empty. */
  readonly head: HeadStatus | null;
  /** Token of the active scheduler; null: none is. */
  readonly scheduler: string | null;
  /** Nodes in the order of their names. */
  readonly nodes: readonly NodeStatus[];
  /** Dead letters kept. */
  readonly dead_letters: number;
  /** Tasks ended since the queue began, by state. */
  readonly ended: Readonly<Record<EndState, number>>;
  /** Results that the queue keeps until a scheduler has written them into results.jsonl. */
  readonly unwritten_results: number;
  /** Queues of nodes without a live worker, which hold tasks; null: too many keys to look through. */
  readonly orphaned_queues: readonly OrphanedQueue[] | null;
  /** `cap:` keys of nodes that are not alive: ignored; null: too many keys to look through. */
  readonly foreign_caps: readonly string[] | null;
  /** Slot tokens of nodes that are not alive: ignored. */
  readonly foreign_tokens: readonly string[];
  /** Nodes that an operator drained and that are not alive: drained when they come. */
  readonly drained: readonly string[];
  /** When Redis was last found to have lost data, controller's clock, epoch ms; null: never. */
  readonly ts_data_lost: number | null;
}

/** Where one task is. */
export interface TaskWhereabouts {
  /** The task. */
  readonly task_id: string;
  /** Its state; null: the queue does not know it, or has forgotten it. */
  readonly state: TaskState | null;
  /** The node that has it, or had it last. */
  readonly node: string | null;
  /** Tasks before it in its list; null: it is in none. */
  readonly ahead: number | null;
  /** Attempts so far. */
  readonly attempts: number | null;
  /** Units that it asks for. */
  readonly cpu_units: number | null;
  /** Place in the order of submission. */
  readonly seq: number | null;
  /** When it was enqueued, epoch ms. */
  readonly ts_enqueue: number | null;
  /** When it was placed, epoch ms. */
  readonly ts_assigned: number | null;
  /** When it ended, epoch ms. */
  readonly ts_finish: number | null;
  /** Why it is a dead letter, where it is one. */
  readonly reason: string | null;
}

/** A dead letter. */
export interface DeadLetter {
  /** The task, or a made-up name for what is none. */
  readonly task_id: string;
  /** When it died, epoch ms. */
  readonly ts_ms: number;
  /** Why. */
  readonly reason: string;
  /** What was in the queue, cut at 4096 characters. */
  readonly task: string | null;
}

/** What {@linkcode headStatus} goes by. */
export interface HeadContext {
  /** Now, controller's clock, epoch ms. */
  readonly nowMs: number;
  /** The nodes, in the order of their names. */
  readonly hosts: readonly Host[];
  /** True while a scheduler is active. */
  readonly hasScheduler: boolean;
}

/** What the head of the queue is, and why it waits; `task` null: it is not a task. */
export function headStatus(task: Task | null, context: HeadContext): HeadStatus {
  const { nowMs, hosts, hasScheduler } = context;
  const units = task?.cpu_units ?? null;
  const tsEnqueue = task?.ts_enqueue ?? null;
  const reasons = units === null ? {} : explainWaiting(units, { hosts, tokenNodes: null });
  const why = !hasScheduler
    ? "no scheduler is active"
    : units === null
    ? "it is not a task: the scheduler is about to move it to q:dead"
    : whyWaiting(units, { hosts, reasons });
  return {
    task_id: task?.task_id ?? null,
    profile: task?.profile ?? null,
    cpu_units: units,
    waited_ms: tsEnqueue === null ? null : nowMs - tsEnqueue,
    why,
    reasons,
  };
}

/** What each reason means, completed by the nodes. */
const REASON_WORDS: Readonly<Record<Infeasibility, string>> = {
  too_small: "too small",
  draining: "draining",
  busy: "too few free units",
  no_slot: "no free slot",
  no_token: "no slot token among those looked at",
};

function whyWaiting(
  units: number,
  { hosts, reasons }: Pick<HeadContext, "hosts"> & Pick<HeadStatus, "reasons">,
): string {
  if (hosts.length === 0) return "no node has a live worker";
  const largest = Math.max(...hosts.map(({ capacity }) => capacity));
  if (largest < units) {
    return `it asks for ${units} units and the largest node has ${largest}: it waits for a larger one`;
  }
  const parts = Object.entries(reasons).map(([reason, nodes]) =>
    `${REASON_WORDS[reason as Infeasibility]}: ${abridged(nodes ?? [])}`
  );
  const refusing = Object.values(reasons).reduce((sum, nodes) => sum + (nodes?.length ?? 0), 0);
  return refusing < hosts.length ? "it is about to be placed" : parts.join("; ");
}

/** Names that fit into a line. */
function abridged(names: readonly string[]): string {
  const shown = names.slice(0, 8).join(", ");
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown;
}
