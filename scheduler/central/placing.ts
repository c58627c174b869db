/**
 * Placing: plan the front of the queue on the mirror of the nodes, and apply the plan.
 *
 * @module
 */

import { HostMirror } from "../placement/host_mirror.ts";
import type { PlacementLog } from "../placement/log.ts";
import {
  type Candidates,
  explainWaiting,
  type Infeasibility,
  type PlacementPolicy,
  planBatch,
  type PlannedPlacement,
  release,
} from "../placement/placement.ts";
import { PendingWindow, type WindowTask } from "../pending_window.ts";
import { portionsOf } from "../queue/portions.ts";
import type { AssignReply } from "../queue/queue.ts";
import type { RedisSchedulerQueue } from "../queue/scheduler_queue.ts";

/** What {@linkcode Placing} needs besides the queue. */
export interface PlacingOptions {
  /** How hosts are chosen. */
  readonly policy: PlacementPolicy;
  /** Consider only nodes that have one of so many rightmost slot tokens; 0: all. */
  readonly scanSlots: number;
  /** The record of decisions. */
  readonly log: PlacementLog;
  /** Told when the queue refused a plan because another scheduler leads. */
  readonly onRefused: () => void;
  /** Log messages for the operator: one line per change. */
  readonly report: (line: string) => void;
}

/** Tasks planned at once: eight to sixteen calls, sent without waiting in between. */
const WINDOW = 512;

/** The same with backfill, where a later call may hold although an earlier one was refused. */
const BACKFILL_WINDOW = 64;

/**
 * Windows that follow each other before the scheduler looks again what has changed on the nodes: some
 * 50 ms, in which a node that got room is not yet considered.
 */
const CHAIN_MAX = 8;

/** Tasks read while the head waits: enough to see poison behind it, little to transfer. */
const WAITING_WINDOW = 8;

/** A plan on its way. */
interface Sent {
  readonly batches: readonly (readonly PlannedPlacement<WindowTask>[])[];
  /** The window behind it, null where that needs a closer look; nothing where none was asked for. */
  readonly following: Promise<readonly PromiseSettledResult<readonly WindowTask[] | null>[]>;
  /** Replies to its batches. */
  readonly replies: Promise<readonly PromiseSettledResult<AssignReply>[]>;
}

/** Places tasks, as long as its scheduler leads. */
export class Placing {
  readonly #queue: RedisSchedulerQueue;
  readonly #options: PlacingOptions;
  readonly #mirror = new HostMirror();
  readonly #window: PendingWindow;
  /** The head that waits and why, "" while none does. */
  #waitingKey = "";

  /** Knows no nodes yet. */
  constructor(queue: RedisSchedulerQueue, options: PlacingOptions) {
    this.#queue = queue;
    this.#options = options;
    this.#window = new PendingWindow(queue, options.report);
  }

  /** Nodes as they are known, by name. */
  get nodes(): readonly string[] {
    return this.#mirror.hosts.map(({ node }) => node);
  }

  /** Read every node, as the scheduler with `token`. */
  async readAll(token: string): Promise<void> {
    const { policy, log } = this.#options;
    this.#mirror.replace(await this.#queue.allHosts());
    const tsMs = Date.now();
    log.policy(tsMs, token, policy);
    for (const host of this.#mirror.hosts) log.host(tsMs, host.node, host);
    log.flush();
    this.#waitingKey = "";
  }

  /** Place what is at the front of the queue; true when there may be more to place at once. */
  async front(): Promise<boolean> {
    const { policy, log } = this.#options;
    const [hasMoreChanges, tasks] = await Promise.all([
      this.#readChanges(),
      this.#window.read(this.#windowSize()),
    ]);
    const candidates = { hosts: this.#mirror.hosts, tokenNodes: await this.#tokenNodes() };
    let plan = planBatch(tasks, candidates, policy);
    let sent = this.#send(plan.placements);
    // Behind a full window the next one is planned and sent while Redis works on this one.
    for (let links = 1; links < CHAIN_MAX; links++) {
      const [following = null] = valuesOf(await sent.following);
      if (following === null) break;
      plan = planBatch(following, candidates, policy);
      const next = this.#send(plan.placements);
      const isWhole = await this.#settle(sent);
      log.flush();
      if (!isWhole) {
        await this.#settle(next);
        return true;
      }
      sent = next;
    }
    if (!await this.#settle(sent)) return true;
    if (plan.waiting !== null) this.#noteWaiting(plan.waiting, candidates);
    else this.#waitingKey = "";
    return hasMoreChanges || (plan.waiting === null && tasks.length > 0);
  }

  #windowSize(): number {
    const { policy, scanSlots } = this.#options;
    // The tokens that may be considered change with every placement.
    if (scanSlots > 0) return 1;
    if (this.#waitingKey !== "") return Math.max(WAITING_WINDOW, policy.scanPending);
    return policy.scanPending > 1 ? Math.max(BACKFILL_WINDOW, policy.scanPending) : WINDOW;
  }

  /** Bring the mirror up to date; true when more changes are to be read. */
  async #readChanges(): Promise<boolean> {
    const changes = await this.#queue.changedHosts();
    for (const { node, host } of changes) {
      this.#mirror.update(node, host);
      this.#options.log.host(Date.now(), node, this.#mirror.get(node));
    }
    return changes.length > 0;
  }

  async #tokenNodes(): Promise<ReadonlySet<string> | null> {
    const { scanSlots, log } = this.#options;
    if (scanSlots === 0) return null;
    const nodes = await this.#queue.tokenNodes(scanSlots);
    log.tokens(Date.now(), nodes);
    return nodes;
  }

  /**
   * Send a plan to Redis. Behind a full window also ask for what will be at the head when all of it is
   * placed. Failures are kept in the results: both are looked at when what was sent before is settled.
   */
  #send(placements: readonly PlannedPlacement<WindowTask>[]): Sent {
    const batches = portionsOf(placements, {
      charsOf: ({ task }) => task.raw.length,
      nodeOf: ({ host }) => host.node,
    });
    const isFull = placements.length === WINDOW && this.#options.policy.scanPending === 1;
    const following = Promise.allSettled(isFull ? [this.#window.ahead(WINDOW, WINDOW)] : []);
    const replies = Promise.allSettled(batches.map((batch) => this.#assign(batch)));
    return { batches, following, replies };
  }

  /** What became of a plan; false when part of it no longer held, and the mirror was put right. */
  async #settle({ batches, following, replies }: Sent): Promise<boolean> {
    const applied = valuesOf(await replies);
    valuesOf(await following);
    for (const [at, reply] of applied.entries()) {
      const batch = batches[at] ?? [];
      for (const { task, host, index } of batch.slice(0, reply.applied)) {
        this.#options.log.placed(reply.tsAssigned || Date.now(), task, { node: host.node, index });
      }
      // What was planned behind a refused task met another head, and was refused too.
      if (reply.refusal !== null) await this.#takeBack(batch.slice(reply.applied), reply);
    }
    return applied.every(({ refusal }) => refusal === null);
  }

  #assign(batch: readonly PlannedPlacement<WindowTask>[]): Promise<AssignReply> {
    return this.#queue.assign(batch.map(({ task, host, index }) => ({
      raw: task.raw,
      taskId: task.taskId,
      node: host.node,
      units: task.units,
      index,
    })));
  }

  async #takeBack(
    refused: readonly PlannedPlacement<WindowTask>[],
    { refusal, host }: AssignReply,
  ): Promise<void> {
    const { log } = this.#options;
    for (const { task, host: planned } of refused) release(planned, task.units);
    const [first] = refused;
    if (first === undefined) return;
    if (refusal === "leader") {
      this.#options.onRefused();
    } else if (refusal === "stranger") {
      await this.#window.adopt(first.task, first.index);
    } else if (refusal === "node" || refusal === "full") {
      this.#mirror.update(first.host.node, host);
      log.host(Date.now(), first.host.node, this.#mirror.get(first.host.node));
    }
  }

  #noteWaiting(task: WindowTask, candidates: Candidates): void {
    const reasons = explainWaiting(task.units, candidates);
    const counts = Object.entries(reasons).map(([reason, nodes]) => `${reason}=${nodes.length}`);
    const key = `${task.taskId} ${counts.join(" ")}`;
    if (key === this.#waitingKey) return;
    const isNewHead = !this.#waitingKey.startsWith(`${task.taskId} `);
    this.#waitingKey = key;
    this.#options.log.waiting(Date.now(), task, reasons);
    if (isNewHead && isImpossible(candidates, reasons)) {
      const { hosts } = candidates;
      const largest = Math.max(0, ...hosts.map(({ capacity }) => capacity));
      this.#options.report(
        `head ${task.taskId} waits: it asks for ${task.units} units, the largest of ${hosts.length} nodes has ${largest}`,
      );
    }
  }
}

/** The values of promises that were settled together; throws what the first of them was rejected with. */
function valuesOf<T>(results: readonly PromiseSettledResult<T>[]): T[] {
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

/** True when no node could take the task even if it were empty. */
function isImpossible(
  { hosts }: Candidates,
  reasons: Readonly<Partial<Record<Infeasibility, readonly string[]>>>,
): boolean {
  return hosts.length > 0 && reasons.too_small?.length === hosts.length;
}
