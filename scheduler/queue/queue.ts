/**
 * The queue between dispatcher, scheduler and workers: what each may ask of it.
 *
 * A task is in exactly one state:
 *
 * ```
 * pending ──assign──▶ assigned ──claim──▶ running ──finish──▶ done | failed | dead | cancelled
 *    ▲                   │                   │
 *    └── node lost, drained, task moved ─────┴── attempt failed with attempts left, or returned
 * ```
 *
 * A task that comes back takes its old place in the order of submission. A running task is leased: it
 * belongs to one incarnation of one worker, and to one attempt; whatever speaks for another incarnation
 * or attempt changes nothing and is told `superseded`.
 *
 * @module
 */

import type { END_STATES } from "../../trace/records.ts";
import type { Task } from "../../trace/task.ts";

/** How a task ends. */
export type EndState = typeof END_STATES[number];

/** Where a task is. */
export type TaskState = "pending" | "assigned" | "running" | EndState;

/** How a task ended, as the queue remembers it for half a minute. */
export interface TaskEnd {
  /** How. */
  readonly state: EndState;
  /** Exit code of its last attempt; null where there is none. */
  readonly status: number | null;
  /** When, epoch ms of the controller's clock. */
  readonly tsFinish: number;
}

/** A node as the scheduler's mirror holds it. */
export interface HostState {
  /** NODE_ID. */
  readonly node: string;
  /** Which life of its worker this is. */
  readonly incarnation: string;
  /** Units in all. */
  readonly capacity: number;
  /** Units reserved by assigned and running tasks. */
  readonly used: number;
  /** Units that a person holds back by `SET cap:<node>`. */
  readonly hold: number;
  /** Slots in all; 0: the node has none, capacity alone counts. */
  readonly slots: number;
  /** Assigned and running tasks. */
  readonly tasks: number;
  /** True where it is given nothing new. */
  readonly isDraining: boolean;
}

/** A worker's entry into the queue. */
export interface Registration {
  /** Units that it offers. */
  readonly capacityUnits: number;
  /** Slots that it offers; 0: none, capacity alone counts. */
  readonly slots: number;
  /** Name of the list of slot tokens. */
  readonly slotsKey: string;
  /** Logical cores, for people. */
  readonly physicalCores: number;
  /** Allocation ratio, for people. */
  readonly allocationRatio: number;
  /** Cancel what is in its queue. */
  readonly clearQueue: boolean;
}

/** A task that a worker may start now. */
export interface Claimed {
  /** The task, its `attempt` the one to start. */
  readonly task: Task;
  /** The task as it was in the queue. */
  readonly raw: string;
  /** Life of the worker that claimed it, and the number of the claim in that life. */
  readonly incarnation: string;
  /** When it was placed, epoch ms of the controller's clock. */
  readonly tsAssigned: number;
}

/** What a worker got when it asked for work. */
export interface ClaimReply {
  /** False when the worker does not hold its node any more: it must stop its tasks. */
  readonly isHolder: boolean;
  /** Tasks to start; after a broken connection also those that were given out before. */
  readonly claimed: readonly Claimed[];
  /** Running tasks to stop, because somebody cancelled them. */
  readonly cancelled: readonly string[];
  /** Number of this claim among those of the worker. */
  readonly call: number;
}

/** An attempt as worker and queue name it. */
export interface NamedAttempt {
  /** The task. */
  readonly taskId: string;
  /** The attempt, from 1. */
  readonly attempt: number;
}

/** What a worker states at a heartbeat. */
export interface Stated {
  /** Run of the Redis server that has heard of all that this worker runs. */
  readonly server: string;
  /** The last claim whose answer it has heard; 0: none. */
  readonly heardCall: number;
  /** Attempts that it holds: they run, or the queue has not confirmed their end yet. */
  readonly held: readonly NamedAttempt[];
}

/** What the queue answers to a heartbeat. */
export interface HeartbeatReply {
  /** False when the worker does not hold its node any more. */
  readonly isHolder: boolean;
  /** True when Redis lost data since the heartbeat before: it has to be told again what runs. */
  readonly isDataLost: boolean;
  /** What the queue has as running here and the worker does not hold. */
  readonly ghosts: readonly (NamedAttempt & { readonly incarnation: string })[];
  /** What the worker holds and the queue does not have as running here. */
  readonly unknown: readonly NamedAttempt[];
}

/** How an attempt ended, as the worker saw it. */
export interface Finish {
  /** The task. */
  readonly taskId: string;
  /** Life of the worker that claimed it. */
  readonly incarnation: string;
  /** The attempt. */
  readonly attempt: number;
  /**
   * `refused`: it would never work; `returned`: it was stopped or lost through no fault of its own;
   * `crashed`: the adapter died under it, which may be its doing.
   */
  readonly outcome: "done" | "failed" | "refused" | "returned" | "crashed";
  /** Exit code, null where there is none. */
  readonly status: number | null;
  /** Why, null when it is done. */
  readonly reason: string | null;
}

/** What the queue made of a finish. */
export interface FinishReply {
  /** State of the task now; superseded: this attempt does not count. */
  readonly state: EndState | "pending" | "superseded";
  /** When the queue accepted it, epoch ms of the controller's clock. */
  readonly tsFinish: number;
}

/** What a worker needs of the queue. */
export interface WorkerQueue extends AsyncDisposable {
  /**
   * Take the node's name: 0, or the ms to wait until its earlier worker counts as lost. `knows` says whether
   * this Redis has heard of all that the worker runs. Default: it has, nothing runs.
   */
  register(registration: Registration, knows?: "all" | "nothing"): Promise<number>;
  /** Register as another life of the worker next time: nothing of this one counts any more. */
  beginAnew(): void;
  /** Renew the lease, and compare what the worker holds with what the queue believes. */
  heartbeat(stated: Stated): Promise<HeartbeatReply>;
  /** Which run of the Redis server this is: another one may have lost the last seconds. */
  serverId(): Promise<string>;
  /**
   * Say again what this worker runs, to a Redis that may have lost it; false when it does not count. `lease`
   * says whether it was held ever since the claim: else another node may have run the task meanwhile.
   */
  resume(claimed: Claimed, lease: "held" | "interrupted"): Promise<boolean>;
  /** Take up to `limit` tasks that can start now. */
  claim(limit: number): Promise<ClaimReply>;
  /** Report the end of an attempt; safe to repeat. */
  finish(finish: Finish): Promise<FinishReply>;
  /** Give the node nothing new and take back what it has not begun. */
  drain(): Promise<void>;
  /** Give the node up. */
  leave(): Promise<void>;
  /** Call `listener` when there may be work. */
  onWake(listener: () => void): Promise<void>;
  /** Call `listener` each time a lost Redis is back. */
  onRestored(listener: () => void): void;
}

/** One placement that the scheduler wants applied. */
export interface Placement {
  /** The task as it is in the queue. */
  readonly raw: string;
  /** The task's id. */
  readonly taskId: string;
  /** Where to. */
  readonly node: string;
  /** Units that it takes. */
  readonly units: number;
  /** Its place in the queue once the placements before it are done. */
  readonly index: number;
}

/** Why the queue did not apply a placement. */
export type Refusal = "leader" | "moved" | "stranger" | "node" | "full";

/** What became of a plan. */
export interface AssignReply {
  /** How many placements were applied, from the first. */
  readonly applied: number;
  /** Why the next one was not; null when all were. */
  readonly refusal: Refusal | null;
  /** The node of the refused placement as it really is. */
  readonly host: HostState | null;
  /** When, epoch ms of the controller's clock; 0: that is not known any more. */
  readonly tsAssigned: number;
}

/** Tasks by where they are: what a caller watches to know that all have ended. */
export interface Progress {
  /** In the pending queue. */
  readonly pending: number;
  /** On each node: waiting in its queue, and running. */
  readonly nodes: readonly {
    readonly node: string;
    readonly queued: number;
    readonly running: number;
  }[];
  /** Ended in each way since the queue began. */
  readonly ended: Readonly<Record<EndState, number>>;
}
