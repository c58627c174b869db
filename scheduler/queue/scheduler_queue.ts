/**
 * The queue in Redis as a scheduler sees it.
 *
 * @module
 */

import type { Task } from "../../trace/task.ts";
import { Keys } from "./keys.ts";
import type { AssignReply, HostState, Placement, Refusal } from "./queue.ts";
import type { RedisConnection } from "./connection.ts";
import { type Listed, RedisIntake } from "./intake.ts";
import { hostOf, listOf, numberOf, type Reply, rowsOf, textOf, textsOf } from "./reply.ts";
import { SCRIPTS } from "./scripts.ts";
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

  /**
   * Become or stay the active scheduler: `active` with its epoch token, or `standby` with the one that
   * leads.
   */
  async lead(): Promise<{ readonly isActive: boolean; readonly token: string }> {
    const { leaderLeaseMs } = this.#timing;
    const [token, isActive] = listOf(
      await this.#run("lead", this.#schedulerId, this.#token, String(leaderLeaseMs)),
    );
    this.#token = isActive === 1 ? textOf(token) : "";
    return { isActive: isActive === 1, token: textOf(token) };
  }

  /** Step down. */
  async resign(): Promise<void> {
    await this.#run("resign", this.#token);
    this.#token = "";
  }

  /** Tell all roles the names and limits that the scheduler was started with. */
  async configure(policy: QueuePolicy): Promise<void> {
    this.#policy = policy;
    await this.#connection.command(
      "HSET",
      this.#keys.config,
      "pending",
      policy.pendingKey,
      "max_attempts",
      String(policy.maxAttempts),
      "on_lost",
      policy.onLost,
    );
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

  /** Nodes whose worker has not yet told this run of the server what it runs. */
  async nodesBehind(): Promise<readonly string[]> {
    const server = await this.serverId();
    const names = textsOf(await this.#connection.command("ZRANGE", this.#keys.nodes, "0", "-1"));
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

  /** Apply `placements` in their order, up to the first that does not hold any more. */
  async assign(placements: readonly Placement[]): Promise<AssignReply> {
    const args = [this.#token];
    for (const { raw, taskId, node, units, index } of placements) {
      args.push(raw, taskId, node, String(units), String(index));
    }
    const resent = this.#connection.resentCount;
    const [applied, refusal, tsAssigned, host] = listOf(await this.#run("assign", ...args));
    const isResent = this.#connection.resentCount > resent;
    if (isResent && refusal === "moved" && applied === 0) return await this.#assigned(placements);
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
      refusal: applied === ids.length ? null : "moved",
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
