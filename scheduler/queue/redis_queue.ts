/**
 * The queue in Redis: taking tasks in, and seeing how far they are. Workers and schedulers get their
 * own views from it.
 *
 * @module
 */

import { END_STATES } from "../../trace/records.ts";
import type { Task } from "../../trace/task.ts";
import { Keys } from "./keys.ts";
import { RedisListing } from "./listing.ts";
import type { EndState, Progress, TaskEnd } from "./queue.ts";
import { portionsOf } from "./portions.ts";
import { type ConnectionOptions, RedisConnection } from "./connection.ts";
import { RedisOperator } from "./operator.ts";
import { RedisSchedulerQueue } from "./scheduler_queue.ts";
import { RedisWorkerQueue } from "./worker_queue.ts";
import { listOf, numberOf, rowsOf, textOf, textsOf } from "./reply.ts";
import { SCRIPTS } from "./scripts.ts";
import { taskHead } from "./task_json.ts";
import type { Enqueued, TaskSink } from "./task_sink.ts";
import type { Timing } from "./timing.ts";

/** How {@linkcode RedisQueue.open} connects. */
export interface RedisQueueOptions extends ConnectionOptions {
  /** Put before every key. Default "". */
  readonly keyPrefix?: string;
}

/**
 * How long a dispatch is remembered after its last task went in, ms: for a week a resumed one repeats
 * nothing. About 100 bytes a task.
 */
const DISPATCH_TTL_MS = 7 * 24 * 3600 * 1000;

/**
 * With `appendfsync everysec` a write that waits for a slow disk may be put off for 2 s: what is older
 * survives the death of the server.
 */
const SETTLE_MS = 2000;

/** How many ends are read in one command: 40 kB of names. */
const ENDS_PER_CALL = 1000;

/** What a dispatch has come to. */
export interface DispatchCounts {
  /** Tasks enqueued. */
  readonly enqueued: number;
  /** Tasks ended, by state. */
  readonly ended: Readonly<Record<EndState, number>>;
}

/** The queue in Redis; dispose of it to close its connection. */
export class RedisQueue implements TaskSink, AsyncDisposable {
  /** Names of its keys. */
  readonly keys: Keys;
  readonly #connection: RedisConnection;

  private constructor(connection: RedisConnection, keys: Keys) {
    this.#connection = connection;
    this.keys = keys;
  }

  /**
   * Connect; waits for a server that is not there yet.
   *
   * @throws {QueueError} `refused` when the server does not let us in.
   */
  static async open(options: RedisQueueOptions): Promise<RedisQueue> {
    const connection = await RedisConnection.open(options);
    return new RedisQueue(connection, new Keys(options.keyPrefix ?? ""));
  }

  /** The queue as the worker of one node sees it. */
  worker(node: string, timing: Timing): RedisWorkerQueue {
    return new RedisWorkerQueue(this.#connection, this.keys, { node, timing });
  }

  /** The queue as a scheduler sees it. */
  scheduler(schedulerId: string, timing: Timing): RedisSchedulerQueue {
    return new RedisSchedulerQueue(this.#connection, this.keys, { schedulerId, timing });
  }

  /** The queue as a person sees it. */
  operator(timing: Timing): RedisOperator {
    return new RedisOperator(this.#connection, this.keys, { timing, sink: this });
  }

  /** The tasks that have not ended. */
  listing(): RedisListing {
    return new RedisListing(this.#connection, this.keys);
  }

  /** Append tasks to the pending queue; see {@linkcode TaskSink}. */
  enqueue(tasks: readonly Task[]): Promise<readonly Enqueued[]> {
    return this.#enqueue("", tasks);
  }

  /** Append tasks to the queue of one node, past the scheduler; see {@linkcode TaskSink}. */
  enqueueOn(node: string, tasks: readonly Task[]): Promise<readonly Enqueued[]> {
    return this.#enqueue(node, tasks);
  }

  async #enqueue(node: string, tasks: readonly Task[]): Promise<readonly Enqueued[]> {
    const heads = tasks.map((task) => ({ task, head: taskHead(task) }));
    const enqueued: Enqueued[] = [];
    // One after the other: should the server be lost, no later portion gets in before an earlier one.
    for (const portion of portionsOf(heads, { charsOf: ({ head }) => head.length })) {
      const args = [node, String(DISPATCH_TTL_MS)];
      for (const { task, head } of portion) args.push(task.task_id, task.dispatch_id ?? "", head);
      const rows = rowsOf(await this.#connection.run(SCRIPTS.enqueue, this.keys.prefix, args));
      for (const [index, [seq, ts, isNew]] of rows.entries()) {
        enqueued.push({
          taskId: portion[index]?.task.task_id ?? "",
          seq: numberOf(seq),
          tsEnqueue: numberOf(ts),
          isNew: isNew === 1,
        });
      }
    }
    return enqueued;
  }

  /** Tasks that wait in the pending queue. */
  async pendingLength(): Promise<number> {
    return numberOf(await this.#connection.command("LLEN", await this.#pendingKey()));
  }

  /** Tasks that wait in the queue of one node. */
  async nodeQueueLength(node: string): Promise<number> {
    return numberOf(await this.#connection.command("LLEN", this.keys.nodeQueue(node)));
  }

  /** Call `listener` each time a lost Redis is back; see {@linkcode TaskSink}. */
  onRestored(listener: () => void): void {
    this.#connection.onRestored(listener);
  }

  /** For how long Redis may still lose what it took in; see {@linkcode TaskSink}. */
  async settleMs(): Promise<number> {
    const info = textOf(await this.#connection.command("INFO", "persistence"));
    return /^aof_enabled:1/m.test(info) ? SETTLE_MS : 0;
  }

  /** What of the server's settings may lose tasks; null: nothing. */
  async durabilityGap(): Promise<string | null> {
    const persistence = textOf(await this.#connection.command("INFO", "persistence"));
    const memory = textOf(await this.#connection.command("INFO", "memory"));
    const policy = /^maxmemory_policy:([\w-]+)/m.exec(memory)?.[1] ?? "noeviction";
    const gaps = [
      /^aof_enabled:1/m.test(persistence) ? [] : ["it keeps no append-only file (appendonly yes)"],
      policy === "noeviction" ? [] : [`it evicts keys by ${policy} (maxmemory-policy noeviction)`],
    ].flat();
    return gaps.length === 0 ? null : gaps.join(", and ");
  }

  /** Which life of the queue's data this is; see {@linkcode TaskSink}. */
  async lifeId(): Promise<string> {
    const id = await this.#connection.command("HGET", this.keys.life, "id");
    return id === null ? "" : textOf(id);
  }

  /** True while a scheduler is active. */
  async hasScheduler(): Promise<boolean> {
    return await this.#connection.command("EXISTS", this.keys.leader) === 1;
  }

  /** The controller's clock, epoch ms. */
  async time(): Promise<number> {
    const [seconds, microseconds] = listOf(await this.#connection.command("TIME"));
    return numberOf(seconds) * 1000 + numberOf(microseconds) / 1000;
  }

  /** Where all tasks are. A dispatch of N tasks is over when the ended of its states sum to N. */
  async progress(): Promise<Progress> {
    const names = textsOf(await this.#connection.command("ZRANGE", this.keys.nodes, "0", "-1"));
    const [pending, ended, ...nodes] = await Promise.all([
      this.pendingLength(),
      this.#endedIn(this.keys.totals),
      ...names.toSorted().map(async (node) => ({
        node,
        queued: await this.nodeQueueLength(node),
        running: numberOf(await this.#connection.command("HLEN", this.keys.running(node))),
      })),
    ]);
    return { pending, nodes, ended };
  }

  /** How many tasks of one dispatch were enqueued, and how many have ended in each way. */
  async dispatchProgress(dispatchId: string): Promise<DispatchCounts> {
    const key = this.keys.progress(dispatchId);
    const [enqueued, ended] = await Promise.all([
      this.#connection.command("HGET", key, "enqueued"),
      this.#endedIn(key),
    ]);
    return { enqueued: Number(enqueued ?? 0), ended };
  }

  /** The ends of those of `taskIds` that ended within the last half minute. */
  async ends(taskIds: readonly string[]): Promise<Map<string, TaskEnd>> {
    const ends = new Map<string, TaskEnd>();
    for (let first = 0; first < taskIds.length; first += ENDS_PER_CALL) {
      const some = taskIds.slice(first, first + ENDS_PER_CALL);
      const keys = some.map((id) => this.keys.ended(id));
      const entries = listOf(await this.#connection.command("MGET", ...keys));
      for (const [index, entry] of entries.entries()) {
        if (entry !== null) ends.set(some[index] as string, parseEnd(textOf(entry)));
      }
    }
    return ends;
  }

  async #endedIn(key: string): Promise<Readonly<Record<EndState, number>>> {
    const counts = listOf(await this.#connection.command("HMGET", key, ...END_STATES));
    const [done = 0, failed = 0, dead = 0, cancelled = 0] = counts.map(Number);
    return { done, failed, dead, cancelled };
  }

  async #pendingKey(): Promise<string> {
    const configured = await this.#connection.command("HGET", this.keys.config, "pending");
    return this.keys.prefix + (configured === null ? Keys.PENDING : textOf(configured));
  }

  /** True while Redis is reachable. */
  get isUp(): boolean {
    return this.#connection.isUp;
  }

  /** Close the connection. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection[Symbol.asyncDispose]();
  }
}

/** An end as `_tasks.lua` writes it: attempt, incarnation, state, ts_finish, seq, ts_enqueue, status. */
function parseEnd(entry: string): TaskEnd {
  const [, , state, tsFinish, , , status] = entry.split(" ");
  return {
    state: state as EndState,
    status: status === undefined || status === "null" ? null : Number(status),
    tsFinish: Number(tsFinish),
  };
}
