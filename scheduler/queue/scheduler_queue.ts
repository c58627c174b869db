/**
 * The queue in Redis as a scheduler sees it.
 *
 * @module
 */

import type { TaskResult } from "../../trace/records.ts";
import type { Task } from "../../trace/task.ts";
import { type DataLife, isAnotherLife, lifeArguments, UNKNOWN_LIFE } from "./queue_life.ts";
import { Keys } from "./keys.ts";
import type { AssignReply, HostState, Placement, Refusal } from "./queue.ts";
import { QueueError, type RedisConnection } from "./connection.ts";
import { type Listed, RedisIntake } from "./intake.ts";
import { hostOf, listOf, numberOf, type Reply, rowsOf, textOf, textsOf } from "./reply.ts";
import { SCRIPTS } from "./scripts.ts";
import { taskIn } from "./search.ts";
import type { Timing } from "./timing.ts";

/** What the scheduler's flags say about the queue. */
export interface QueuePolicy {
  /** Name of the pending queue, without the prefix. */
  readonly pendingKey: string;
  /** Name of the slot tokens, without the prefix. */
  readonly slotsKey: string;
  /** Failures of a task after which it is not run again. */
  readonly maxAttempts: number;
  /** Where tasks go that were put into a lost node's queue past the scheduler. */
  readonly onLost: "keep" | "pending";
}

/** A node that changed: its state, or null when it is gone. */
export interface ChangedHost {
  /** NODE_ID. */
  readonly node: string;
  /** Its state; null when there is no such node any more. */
  readonly host: HostState | null;
}

/** A node that was given up. */
export interface LostNode {
  /** NODE_ID. */
  readonly node: string;
  /** Tasks that it ran. */
  readonly running: number;
  /** Tasks that it had not begun. */
  readonly assigned: number;
}

/** What one try to lead found. */
export interface Leadership {
  /** True when this scheduler is the active one. */
  readonly isActive: boolean;
  /** Token of the active scheduler, with its epoch. */
  readonly token: string;
  /** True when Redis lost data since the try before. */
  readonly isDataLost: boolean;
}

/** Elements of a list in one reply: 400 kB of tasks. */
const ELEMENTS_PER_CALL = 1000;

/** Ends told in one call: about 8 us each. */
const ENDS_PER_CALL = 64;

function countByState(results: readonly TaskResult[]): Record<string, number> {
  const byState = Map.groupBy(results, ({ state }) => state);
  return Object.fromEntries([...byState].map(([state, some]) => [state, some.length]));
}

/** Nodes read in one call: about 8 us each, so that a call stays below 1 ms. */
const NODES_PER_CALL = 100;

/** The queue as a scheduler sees it; dispose of it to end its subscription. */
export class RedisSchedulerQueue implements AsyncDisposable {
  readonly #connection: RedisConnection;
  readonly #keys: Keys;
  readonly #schedulerId: string;
  readonly #timing: Timing;
  readonly #intake: RedisIntake;
  #token = "";
  #life: DataLife = UNKNOWN_LIFE;
  /** The connection on which this scheduler last made sure that it leads. */
  #ledOn = 0;
  #policy: QueuePolicy = {
    pendingKey: Keys.PENDING,
    slotsKey: Keys.SLOTS,
    maxAttempts: 1,
    onLost: "pending",
  };
  #subscription: RedisConnection | null = null;

  /** The queue over `connection`, which stays the caller's. */
  constructor(
    connection: RedisConnection,
    keys: Keys,
    { schedulerId, timing }: { readonly schedulerId: string; readonly timing: Timing },
  ) {
    this.#connection = connection;
    this.#keys = keys;
    this.#schedulerId = schedulerId;
    this.#timing = timing;
    this.#intake = new RedisIntake(connection, keys, "");
  }

  /** Become or stay the active scheduler. */
  async lead(): Promise<Leadership> {
    const { leaderLeaseMs } = this.#timing;
    const known = this.#life;
    const { readyCount } = this.#connection;
    const [token, isActive, life, beat] = listOf(
      await this.#run(
        "lead",
        this.#schedulerId,
        this.#token,
        String(leaderLeaseMs),
        ...lifeArguments(known),
      ),
    );
    this.#token = isActive === 1 ? textOf(token) : "";
    this.#life = { id: textOf(life), beat: numberOf(beat) };
    this.#ledOn = readyCount;
    const isDataLost = isAnotherLife(known, this.#life);
    return { isActive: isActive === 1, token: textOf(token), isDataLost };
  }

  /** Step down. */
  async resign(): Promise<void> {
    await this.#run("resign", this.#token);
    this.#token = "";
  }

  /** Tell all roles the names and limits that the scheduler was started with. */
  async configure(policy: QueuePolicy): Promise<void> {
    this.#policy = policy;
    const { pendingKey, maxAttempts, onLost } = policy;
    await this.#run("configure", pendingKey, String(maxAttempts), onLost);
  }

  /**
   * Tell a queue that may have lost data of the ends that are known: how many of these tasks it still
   * had, or null when another scheduler is active. A resumed dispatch finds these ends for `rememberMs`.
   */
  async settle(
    results: readonly TaskResult[],
    { rememberMs }: { readonly rememberMs: number },
  ): Promise<number | null> {
    const waiting = await this.#waitingAmong(new Set(results.map(({ task_id }) => task_id)));
    const lastSeq = Math.floor(results.reduce((last, { seq }) => Math.max(last, seq ?? 0), 0));
    let count = 0;
    for (let first = 0; first < results.length; first += ENDS_PER_CALL) {
      const isLast = first + ENDS_PER_CALL >= results.length;
      const totals = isLast ? countByState(results) : {};
      const args = [this.#token, String(lastSeq), String(rememberMs), JSON.stringify(totals)];
      for (const one of results.slice(first, first + ENDS_PER_CALL)) {
        const { task_id, attempt, state, ts_finish, seq, ts_enqueue, status } = one;
        const numbers = [ts_finish, seq ?? 0, ts_enqueue ?? 0].map(String);
        args.push(task_id, waiting.get(task_id) ?? "", String(attempt ?? 0), state, ...numbers);
        args.push(status === null ? "null" : String(status));
      }
      const settled = numberOf(await this.#run("settle", ...args));
      if (settled < 0) return null;
      count += settled;
    }
    return count;
  }

  /** Those of `taskIds` that wait in the pending queue, as they are there. */
  async #waitingAmong(taskIds: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for (let first = 0;; first += ELEMENTS_PER_CALL) {
      const some = await this.window(ELEMENTS_PER_CALL, first);
      for (const raw of some) {
        const taskId = taskIn(raw)?.task_id;
        if (taskId !== undefined && taskIds.has(taskId)) found.set(taskId, raw);
      }
      if (some.length < ELEMENTS_PER_CALL) return found;
    }
  }

  /** Every node that has a worker. */
  async allHosts(): Promise<readonly HostState[]> {
    const names = textsOf(await this.#connection.command("ZRANGE", this.#keys.nodes, "0", "-1"));
    const hosts: HostState[] = [];
    for (let first = 0; first < names.length; first += NODES_PER_CALL) {
      const some = names.slice(first, first + NODES_PER_CALL);
      hosts.push(...(await this.#readNodes("0", ...some)).flatMap(({ host }) => host ?? []));
    }
    return hosts;
  }

  /** Which run of the Redis server this is: another one may have lost the last seconds. */
  serverId(): Promise<string> {
    return this.#connection.serverId();
  }

  /**
   * Nodes whose worker has not yet told this run of the server, with these data, what it runs; of `missed`
   * also those that are not there at all.
   */
  async nodesBehind(missed: readonly string[] = []): Promise<readonly string[]> {
    const server = `${await this.serverId()} ${this.#life.id}`;
    const there = textsOf(await this.#connection.command("ZRANGE", this.#keys.nodes, "0", "-1"));
    const names = [...new Set([...there, ...missed])];
    const known = await Promise.all(
      names.map((name) => this.#connection.command("HGET", this.#keys.node(name), "server")),
    );
    return names.filter((_, index) => known[index] !== server);
  }

  /** Some of the nodes that changed since they were last read; call again until there are none. */
  changedHosts(): Promise<readonly ChangedHost[]> {
    return this.#readNodes(String(NODES_PER_CALL));
  }

  async #readNodes(...args: readonly string[]): Promise<readonly ChangedHost[]> {
    return rowsOf(await this.#run("readNodes", ...args)).map((row) => ({
      node: textOf(row[0]),
      host: row.length === 1 ? null : hostOf(row),
    }));
  }

  /** `count` elements of the pending queue from `first` on. */
  async window(count: number, first = 0): Promise<readonly string[]> {
    const key = this.#keys.prefix + this.#policy.pendingKey;
    const last = String(first + count - 1);
    return textsOf(await this.#connection.command("LRANGE", key, String(first), last));
  }

  /** Nodes that have one of the rightmost `count` slot tokens. */
  async tokenNodes(count: number): Promise<ReadonlySet<string>> {
    const key = this.#keys.prefix + this.#policy.slotsKey;
    return new Set(textsOf(await this.#connection.command("LRANGE", key, String(-count), "-1")));
  }

  /**
   * Apply `placements` in their order, up to the first that does not hold any more. A plan is never sent on
   * another connection than the one on which this scheduler leads: what is there may have been rolled back.
   */
  async assign(placements: readonly Placement[]): Promise<AssignReply> {
    const args = [this.#token];
    for (const { raw, taskId, node, units, index } of placements) {
      args.push(raw, taskId, node, String(units), String(index));
    }
    let reply: Reply;
    try {
      const call = { prefix: this.#keys.prefix, args };
      reply = await this.#connection.runOn(this.#ledOn, SCRIPTS.assign, call);
    } catch (error) {
      if (!(error instanceof QueueError && error.code === "lost")) throw error;
      return await this.#assigned(placements);
    }
    const [applied, refusal, tsAssigned, host] = listOf(reply);
    return {
      applied: numberOf(applied),
      refusal: refusal === "" ? null : textOf(refusal) as Refusal,
      tsAssigned: tsAssigned === "" ? 0 : numberOf(tsAssigned),
      host: host === undefined || host === null ? null : hostOf(listOf(host)),
    };
  }

  /** What became of `placements` when they were sent before: those were applied that wait no more. */
  async #assigned(placements: readonly Placement[]): Promise<AssignReply> {
    const ids = placements.map(({ taskId }) => taskId);
    const waiting = listOf(await this.#connection.command("HMGET", this.#keys.index(""), ...ids));
    const first = waiting.findIndex((entry) => entry !== null);
    const applied = first < 0 ? ids.length : first;
    const record = this.#keys.task(ids[0] ?? "");
    const tsAssigned = await this.#connection.command("HGET", record, "ts_assigned");
    return {
      applied,
      refusal: applied === ids.length ? null : "leader",
      tsAssigned: tsAssigned === null ? 0 : numberOf(tsAssigned),
      host: null,
    };
  }

  /** Take in a task that a person pushed; see {@linkcode RedisIntake.adopt}. */
  adopt(listed: Listed, task: Task, seq: number | null): Promise<boolean> {
    return this.#intake.adopt(listed, task, seq);
  }

  /** Make an element of the pending queue a dead letter. */
  bury(listed: Listed, taskId: string, reason: string): Promise<void> {
    return this.#intake.bury(listed, taskId, reason);
  }

  /** Give up every node whose lease is over. */
  async loseNodes(): Promise<readonly LostNode[]> {
    const lost = new Map<string, LostNode>();
    for (;;) {
      const [status, name, running, assigned] = listOf(
        await this.#run(
          "lose",
          this.#token,
          String(this.#timing.lostMarginMs),
        ),
      );
      if (status !== "lost" && status !== "more") return [...lost.values()];
      const node = textOf(name);
      const before = lost.get(node) ?? { running: 0, assigned: 0 };
      lost.set(node, {
        node,
        running: before.running + numberOf(running),
        assigned: before.assigned + numberOf(assigned),
      });
    }
  }

  /** Record tasks whose list a person deleted as cancelled; how many. */
  async cancelRemoved(): Promise<number> {
    let count = 0;
    for (;;) {
      const some = numberOf(await this.#run("cancelRemoved", this.#token));
      if (some === 0) return count;
      count += some;
    }
  }

  /** The oldest results that are not written down yet, as JSON. */
  async results(count: number): Promise<readonly string[]> {
    const key = this.#keys.results;
    return textsOf(await this.#connection.command("LRANGE", key, "0", String(count - 1)));
  }

  /** Forget `written`, the oldest results; false when another scheduler is active: it keeps them. */
  async trimResults(written: readonly string[]): Promise<boolean> {
    const last = written.at(-1) ?? "";
    return await this.#run("trimResults", this.#token, String(written.length), last) === 1;
  }

  /** Call `listener` when something changed that a scheduler may act on. */
  async onWake(listener: () => void): Promise<void> {
    this.#subscription = await this.#connection.duplicate();
    await this.#subscription.subscribe(this.#keys.schedulerChannel, listener);
  }

  /** Call `listener` each time a lost Redis is back. */
  onRestored(listener: () => void): void {
    this.#connection.onRestored(listener);
  }

  /** End the subscription. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#subscription?.[Symbol.asyncDispose]();
  }

  #run(script: keyof typeof SCRIPTS, ...args: readonly string[]): Promise<Reply> {
    return this.#connection.run(SCRIPTS[script], this.#keys.prefix, args);
  }
}
