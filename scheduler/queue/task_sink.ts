/**
 * What a dispatcher needs of the queue; the Redis queue implements it.
 *
 * @module
 */

import type { Task } from "../../trace/task.ts";

/** What became of one task that was handed to the queue. */
export interface Enqueued {
  /** The task. */
  readonly taskId: string;
  /** When it entered the queue: epoch ms of the controller's clock, strictly increasing. */
  readonly tsEnqueue: number;
  /** Its place in the order of submission. */
  readonly seq: number;
  /** False when a task of the same dispatch and id was there already: nothing was changed. */
  readonly isNew: boolean;
}

/** Takes tasks in. */
export interface TaskSink {
  /** Append `tasks`, in this order, to the pending queue in one atomic step. */
  enqueue(tasks: readonly Task[]): Promise<readonly Enqueued[]>;
  /** Append `tasks` to the queue of one node, past the scheduler. */
  enqueueOn(node: string, tasks: readonly Task[]): Promise<readonly Enqueued[]>;
  /** Tasks that wait in the pending queue. */
  pendingLength(): Promise<number>;
  /** Tasks that wait in the queue of one node. */
  nodeQueueLength(node: string): Promise<number>;
  /** Call `listener` each time a lost queue is back: it may have lost what it took in just before. */
  onRestored(listener: () => void): void;
  /** For how long the queue may still lose what it took in, ms; 0: it never does, or always may. */
  settleMs(): Promise<number>;
  /** Which life of the queue's data this is: another one has lost what it took in; "": not known. */
  lifeId(): Promise<string>;
  /** The controller's clock, epoch ms. */
  time(): Promise<number>;
}
