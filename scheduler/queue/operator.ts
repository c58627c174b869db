/**
 * What a person may ask of the queue in Redis: its state, where a task is and why it waits, and the
 * few changes that the seeds made by hand.
 *
 * @module
 */

import { END_STATES } from "../../trace/records.ts";
import { hostFrom } from "../placement/host_mirror.ts";
import { Keys } from "./keys.ts";
import type { EndState, HostState, TaskState } from "./queue.ts";
import {
  type DeadLetter,
  headStatus,
  type NodeStatus,
  type OrphanedQueue,
  type QueueStatus,
  type TaskWhereabouts,
} from "./status.ts";
import type { RedisConnection } from "./connection.ts";
import { RedisSearch, taskIn } from "./search.ts";
import { hostOf, listOf, numberOf, type Reply, rowsOf, textOf, textsOf } from "./reply.ts";
import { SCRIPTS } from "./scripts.ts";
import type { TaskSink } from "./task_sink.ts";
import type { Timing } from "./timing.ts";

/** Nodes in one script call: about 10 us each, so that a call stays at 1 ms. */
const NODES_PER_CALL = 100;

/** Tries to cancel a task that moves from place to place meanwhile. */
const CANCEL_TRIES = 10;

/** What the operator's view needs. */
export interface OperatorOptions {
  /** Times of leases. */
  readonly timing: Timing;
  /** Where tasks that are tried again go. */
  readonly sink: TaskSink;
}

/** What became of a request to cancel; stopping: it runs, and its worker was told. */
export type Cancelled = "cancelled" | "stopping" | "ended" | "unknown";

/** What became of a dead letter that was to be tried again. */
export interface Retried {
  /** The dead letter. */
  readonly letter: DeadLetter;
  /** Id of the new task; null: it was not a task to begin with. */
  readonly newId: string | null;
}

/** The queue as a person sees it. */
export class RedisOperator {
  readonly #connection: RedisConnection;
  readonly #keys: Keys;
  readonly #search: RedisSearch;
  readonly #options: OperatorOptions;

  /** The queue over `connection`, which stays the caller's. */
  constructor(connection: RedisConnection, keys: Keys, options: OperatorOptions) {
    this.#connection = connection;
    this.#keys = keys;
    this.#search = new RedisSearch(connection, keys);
    this.#options = options;
  }

  /** State of the queue. Its parts are read one after the other, and may be some ms apart. */
  async status(): Promise<QueueStatus> {
    const pendingKey = await this.#search.pendingKey();
    const slotsKey = this.#keys.prefix + Keys.SLOTS;
    const [nowMs, leases, pending, front, scheduler, deadLetters, ended, results, tokens, more] =
      await Promise.all([
        this.#options.sink.time(),
        this.#leases(),
        this.#command("LLEN", pendingKey),
        this.#command("LINDEX", pendingKey, "0"),
        this.#command("GET", this.#keys.leader),
        this.#command("LLEN", this.#keys.dead),
        this.#ended(),
        this.#command("LLEN", this.#keys.results),
        this.#command("LRANGE", slotsKey, "0", "-1"),
        this.#notices(),
      ]);
    const states = await this.#hosts([...leases.keys()]);
    const hosts = states.map(hostFrom);
    return {
      ts_ms: nowMs,
      pending_key: pendingKey,
      pending: numberOf(pending),
      head: front === null ? null : headStatus(taskIn(textOf(front)), {
        nowMs,
        hosts,
        hasScheduler: scheduler !== null,
      }),
      scheduler: scheduler === null ? null : textOf(scheduler),
      nodes: await Promise.all(
        states.map((state) => this.#nodeStatus(state, (leases.get(state.node) ?? 0) - nowMs)),
      ),
      dead_letters: numberOf(deadLetters),
      ended,
      unwritten_results: numberOf(results),
      orphaned_queues: await this.#orphanedQueues(leases, pendingKey),
      foreign_caps: await this.#foreignCaps(leases),
      foreign_tokens: [...new Set(textsOf(tokens))].filter((node) => !leases.has(node)),
      drained: more.drained.filter((node) => !leases.has(node)),
      ts_data_lost: more.tsDataLost,
    };
  }

  async #notices(): Promise<{ drained: readonly string[]; tsDataLost: number | null }> {
    const [drained, lost] = await Promise.all([
      this.#command("SMEMBERS", this.#keys.drained),
      this.#command("HGET", this.#keys.life, "ts_lost"),
    ]);
    return { drained: textsOf(drained).toSorted(), tsDataLost: numberOrNull(lost) };
  }

  async #nodeStatus(state: HostState, leaseLeftMs: number): Promise<NodeStatus> {
    const { node, capacity, hold, slots, isDraining } = state;
    const { free, freeSlots } = hostFrom(state);
    const [queued, assigned, running] = await Promise.all([
      this.#command("LLEN", this.#keys.nodeQueue(node)),
      this.#command("ZCARD", this.#keys.assigned(node)),
      this.#command("HGETALL", this.#keys.running(node)),
    ]);
    return {
      node,
      state: leaseLeftMs < 0 ? "late" : isDraining ? "draining" : "live",
      heartbeat_age_ms: this.#options.timing.leaseMs - leaseLeftMs,
      capacity,
      free,
      hold,
      slots: slots === 0 ? null : slots,
      free_slots: freeSlots,
      queued: numberOf(queued),
      assigned: numberOf(assigned),
      running: pairsOf(running).map(([task_id, attempt]) => ({
        task_id: textOf(task_id),
        attempt: numberOf(attempt),
      })),
    };
  }

  /** Where a task is. */
  async locate(taskId: string): Promise<TaskWhereabouts> {
    const [state, node, raw, units, attempt, tsAssigned] = listOf(
      await this.#command(
        "HMGET",
        this.#keys.task(taskId),
        ...["state", "node", "raw", "units", "attempt", "ts_assigned"],
      ),
    );
    const nowhere: TaskWhereabouts = {
      task_id: taskId,
      state: null,
      node: null,
      ahead: null,
      attempts: numberOrNull(attempt),
      cpu_units: numberOrNull(units),
      seq: null,
      ts_enqueue: null,
      ts_assigned: null,
      ts_finish: null,
      reason: null,
    };
    if (state === "assigned" || state === "running") {
      const task = taskIn(textOf(raw));
      const holder = textOf(node);
      const found = state === "assigned"
        ? await this.#search.find(this.#keys.nodeQueue(holder), taskId)
        : null;
      return {
        ...nowhere,
        state,
        node: holder,
        ahead: found?.index ?? null,
        seq: task?.seq ?? null,
        ts_enqueue: task?.ts_enqueue ?? null,
        ts_assigned: numberOrNull(tsAssigned),
      };
    }
    const waiting = await this.#search.findWaiting(taskId);
    if (waiting !== null) {
      const task = taskIn(waiting.raw);
      return {
        ...nowhere,
        state: "pending",
        node: waiting.node === "" ? null : waiting.node,
        ahead: waiting.index,
        cpu_units: task?.cpu_units ?? null,
        seq: task?.seq ?? null,
        ts_enqueue: task?.ts_enqueue ?? null,
      };
    }
    return { ...nowhere, ...await this.#endOf(taskId) };
  }

  async #endOf(taskId: string): Promise<Partial<TaskWhereabouts>> {
    const entry = await this.#command("GET", this.#keys.ended(taskId));
    const letters = (await this.deadLetters()).filter((letter) => letter.task_id === taskId);
    const letter = letters.at(-1) ?? null;
    if (entry === null) {
      return letter === null
        ? {}
        : { state: "dead", ts_finish: letter.ts_ms, reason: letter.reason };
    }
    const [attempt, , state, tsFinish, seq, tsEnqueue] = textOf(entry).split(" ");
    return {
      state: textOf(state) as TaskState,
      attempts: numberOf(attempt),
      ts_finish: numberOf(tsFinish),
      seq: numberOrNull(seq),
      ts_enqueue: numberOrNull(tsEnqueue),
      reason: letter?.reason ?? null,
    };
  }

  /** Give `node` nothing new and take back what it has not begun; null when there is no such node. */
  async drain(node: string): Promise<{ returned: number; running: number } | null> {
    for (let sum = 0;;) {
      const [returned, running, isMore] = listOf(await this.#run("drain", node, "1", "operator"));
      if (numberOf(returned) < 0) return null;
      sum += numberOf(returned);
      if (isMore === 0) return { returned: sum, running: numberOf(running) };
    }
  }

  /** Let a drained node take part again; false when there is no such node. */
  async undrain(node: string): Promise<boolean> {
    const [returned] = listOf(await this.#run("drain", node, "0", "operator"));
    return numberOf(returned) >= 0;
  }

  /** Cancel a task wherever it is. */
  async cancel(taskId: string, reason: string): Promise<Cancelled> {
    for (let tries = 0; tries < CANCEL_TRIES; tries++) {
      const waiting = await this.#search.findWaiting(taskId);
      const { raw = "", node = "" } = waiting ?? {};
      const reply = await this.#run("cancel", taskId, raw, reason, node);
      if (reply === "cancelled" || reply === "stopping") return reply;
      // It was in no list and runs nowhere: unless it moved between the two polls, that is an answer.
      if (reply === "unknown" && waiting === null) break;
    }
    const ended = await this.#command("EXISTS", this.#keys.ended(taskId));
    return ended === 1 ? "ended" : "unknown";
  }

  /** Take back what waits in the queue of `node`; how many tasks are pending again. */
  async requeue(node: string): Promise<number> {
    for (let sum = 0;;) {
      const [moved, isMore] = listOf(await this.#run("requeue", node));
      sum += numberOf(moved);
      if (isMore === 0) return sum;
    }
  }

  /** The dead letters, oldest first. */
  async deadLetters(): Promise<readonly DeadLetter[]> {
    return (await this.#deadEntries()).map(({ letter }) => letter);
  }

  /** Forget the dead letters of `taskIds`, or all; those that were forgotten. */
  async dropDead(taskIds: ReadonlySet<string> | null): Promise<readonly DeadLetter[]> {
    const chosen = await this.#chosenDead(taskIds);
    for (const { raw } of chosen) await this.#command("LREM", this.#keys.dead, "1", raw);
    return chosen.map(({ letter }) => letter);
  }

  /**
   * Try dead letters again, those of `taskIds` or all. Each becomes a new task with an id of its own at
   * the end of the queue: the end of the dead one is on record and stays.
   */
  async retryDead(taskIds: ReadonlySet<string> | null): Promise<readonly Retried[]> {
    const retried: Retried[] = [];
    for (const { raw, letter } of await this.#chosenDead(taskIds)) {
      const task = letter.task === null ? null : taskIn(letter.task);
      const newId = task === null ? null : retryId(task.task_id);
      if (task !== null && newId !== null) {
        // A repeated call after a crash in between finds this id taken in already.
        await this.#options.sink.enqueue([{ ...task, task_id: newId, ts_intended: null }]);
        await this.#command("LREM", this.#keys.dead, "1", raw);
      }
      retried.push({ letter, newId });
    }
    return retried;
  }

  async #chosenDead(taskIds: ReadonlySet<string> | null): Promise<readonly DeadEntry[]> {
    const entries = await this.#deadEntries();
    return entries.filter(({ letter }) => taskIds === null || taskIds.has(letter.task_id));
  }

  async #deadEntries(): Promise<readonly DeadEntry[]> {
    const entries: DeadEntry[] = [];
    for await (const { raw } of this.#search.elements(this.#keys.dead)) {
      entries.push({ raw, letter: JSON.parse(raw) });
    }
    return entries;
  }

  /** End of each node's lease, epoch ms. */
  async #leases(): Promise<ReadonlyMap<string, number>> {
    const flat = await this.#command("ZRANGE", this.#keys.nodes, "0", "-1", "WITHSCORES");
    return new Map(pairsOf(flat).map(([node, end]) => [textOf(node), numberOf(end)]));
  }

  async #hosts(nodes: readonly string[]): Promise<readonly HostState[]> {
    const sorted = nodes.toSorted();
    const hosts: HostState[] = [];
    for (let first = 0; first < sorted.length; first += NODES_PER_CALL) {
      const some = sorted.slice(first, first + NODES_PER_CALL);
      const rows = rowsOf(await this.#run("readNodes", "0", ...some));
      hosts.push(...rows.filter((row) => row.length > 1).map(hostOf));
    }
    return hosts;
  }

  async #ended(): Promise<Readonly<Record<EndState, number>>> {
    const counts = listOf(await this.#command("HMGET", this.#keys.totals, ...END_STATES));
    const [done = 0, failed = 0, dead = 0, cancelled = 0] = counts.map(Number);
    return { done, failed, dead, cancelled };
  }

  async #orphanedQueues(
    leases: ReadonlyMap<string, number>,
    pendingKey: string,
  ): Promise<readonly OrphanedQueue[] | null> {
    const prefix = this.#keys.nodeQueue("");
    const found = await this.#search.keysBehind(prefix, "list");
    if (found === null) return null;
    const keys = found.filter((key) =>
      key !== pendingKey && key !== this.#keys.dead && !leases.has(key.slice(prefix.length))
    );
    return await Promise.all(
      keys.sort().map(async (key) => ({
        node: key.slice(prefix.length),
        queued: numberOf(await this.#command("LLEN", key)),
      })),
    );
  }

  async #foreignCaps(leases: ReadonlyMap<string, number>): Promise<readonly string[] | null> {
    const prefix = `${this.#keys.prefix}cap:`;
    const found = await this.#search.keysBehind(prefix);
    return found?.filter((key) => !leases.has(key.slice(prefix.length))).sort() ?? null;
  }

  #command(...args: readonly string[]): Promise<Reply> {
    return this.#connection.command(...args);
  }

  #run(script: keyof typeof SCRIPTS, ...args: readonly string[]): Promise<Reply> {
    return this.#connection.run(SCRIPTS[script], this.#keys.prefix, args);
  }
}

interface DeadEntry {
  readonly raw: string;
  readonly letter: DeadLetter;
}

/** The id under which a task is tried again: `x`, `x.retry1`, `x.retry2`. */
function retryId(taskId: string): string {
  const [, name = taskId, count = "0"] = /^(.*)\.retry(\d+)$/.exec(taskId) ?? [];
  const suffix = `.retry${Number(count) + 1}`;
  // 64 characters are what a task id may have.
  return name.slice(0, 64 - suffix.length) + suffix;
}

/** A flat reply of names and values. */
function pairsOf(reply: Reply | undefined): [Reply, Reply][] {
  const flat = listOf(reply);
  return Array.from({ length: flat.length / 2 }, (_, index) => [
    flat[2 * index] ?? null,
    flat[2 * index + 1] ?? null,
  ]);
}

function numberOrNull(reply: Reply | undefined): number | null {
  const value = reply === null || reply === undefined || reply === "" ? NaN : Number(reply);
  return Number.isFinite(value) ? value : null;
}
