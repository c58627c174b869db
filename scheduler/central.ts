/**
 * The central scheduler's loop: read what changed, plan on the mirror, apply the plan in one script,
 * and see to lost nodes and results.
 *
 * @module
 */

import { messageOf } from "../trace/atomic_file.ts";
import { HostMirror } from "./placement/host_mirror.ts";
import { PendingWindow, type WindowTask } from "./pending_window.ts";
import {
  type Candidates,
  explainWaiting,
  type Infeasibility,
  type PlacementPolicy,
  planBatch,
  type PlannedPlacement,
} from "./placement/placement.ts";
import type { PlacementLog } from "./placement/log.ts";
import { portionsOf } from "./queue/portions.ts";
import type { AssignReply } from "./queue/queue.ts";
import { QueueError } from "./queue/connection.ts";
import type { QueuePolicy, RedisSchedulerQueue } from "./queue/scheduler_queue.ts";
import type { ResultsDrain } from "./results_drain.ts";
import type { Timing } from "./queue/timing.ts";
import { Wake } from "./wake.ts";

/** How the central scheduler works. */
export interface CentralOptions {
  /** How hosts are chosen. */
  readonly policy: PlacementPolicy;
  /** Consider only nodes that have one of so many rightmost slot tokens; 0: all. */
  readonly scanSlots: number;
  /** Names and limits that all roles share. */
  readonly queuePolicy: QueuePolicy;
  /** Times of leases and looks. */
  readonly timing: Timing;
  /** The record of decisions. */
  readonly log: PlacementLog;
  /** Where results go. */
  readonly drain: ResultsDrain;
  /** Log messages for the operator: one line per change. */
  readonly report: (line: string) => void;
  /** Aborted: step down and return. */
  readonly signal: AbortSignal;
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

/** Run the central scheduler until `signal` is aborted. */
export async function runCentral(
  queue: RedisSchedulerQueue,
  options: CentralOptions,
): Promise<void> {
  await new CentralScheduler(queue, options).run();
}

class CentralScheduler {
  readonly #queue: RedisSchedulerQueue;
  readonly #options: CentralOptions;
  readonly #wake = new Wake();
  readonly #mirror = new HostMirror();
  readonly #window: PendingWindow;
  #leader: { readonly isActive: boolean; readonly token: string } | null = null;
  #renewedAt = -Infinity;
  #lostCheckAt = -Infinity;
  #removedCheckAt = -Infinity;
  #drainedAt = -Infinity;
  #draining: Promise<void> | null = null;
  #graceUntil: number;
  #server = "";
  #isRecovering = true;
  #waitingKey = "";
  #said = "";

  constructor(queue: RedisSchedulerQueue, options: CentralOptions) {
    this.#queue = queue;
    this.#options = options;
    this.#window = new PendingWindow(queue, options.report);
    this.#graceUntil = performance.now() + options.timing.leaseMs;
  }

  async run(): Promise<void> {
    const { signal, timing } = this.#options;
    await this.#queue.onWake(() => this.#wake.notify());
    this.#queue.onRestored(() => {
      this.#grantGrace();
      // Replies were lost with the connection: what they told of is read again.
      this.#server = "";
      this.#renewedAt = -Infinity;
      this.#wake.notify();
    });
    while (!signal.aborted) {
      const isActive = await this.#lead();
      if (isActive && await this.#tryStep()) continue;
      await this.#wake.wait(isActive ? timing.lostCheckMs : timing.leaderRenewMs, signal);
    }
    await this.#draining;
    if (this.#leader?.isActive) {
      await this.#drainResults();
      await this.#queue.resign();
    }
  }

  /** Renew the leadership when it is due; true while this scheduler is the active one. */
  async #lead(): Promise<boolean> {
    const { timing, report } = this.#options;
    const now = performance.now();
    const before = this.#leader;
    if (now - this.#renewedAt < timing.leaderRenewMs) return before?.isActive ?? false;
    // Redis, or this process, was paused: nobody could renew a lease meanwhile.
    if (before !== null && now - this.#renewedAt > timing.leaderLeaseMs) this.#grantGrace();
    const leader = await this.#queue.lead();
    const server = await this.#queue.serverId();
    this.#renewedAt = now;
    this.#leader = leader;
    const isOther = leader.token !== before?.token || server !== this.#server;
    this.#server = server;
    if (leader.isActive && isOther) await this.#takeOver(leader.token);
    if (!leader.isActive && leader.token !== before?.token) {
      report(`standing by: ${leader.token} is the active scheduler`);
    }
    return leader.isActive;
  }

  async #takeOver(token: string): Promise<void> {
    const { queuePolicy, policy, report, log, drain } = this.#options;
    await this.#queue.configure(queuePolicy);
    drain.distrust();
    this.#mirror.replace(await this.#queue.allHosts());
    const tsMs = Date.now();
    log.policy(tsMs, token, policy);
    for (const host of this.#mirror.hosts) log.host(tsMs, host.node, host);
    log.flush();
    this.#waitingKey = "";
    this.#isRecovering = true;
    report(`active as ${token}: ${this.#mirror.hosts.length} nodes`);
  }

  async #tryStep(): Promise<boolean> {
    try {
      return await this.#step();
    } catch (error) {
      // What a person made of a key may stop a script once; the next poll for deleted lists repairs it.
      if (!(error instanceof QueueError && error.code === "reply")) throw error;
      this.#sayOnce(error.message);
      return false;
    }
  }

  /** One turn; true when there may be more to do at once. */
  async #step(): Promise<boolean> {
    const { timing, log } = this.#options;
    const now = performance.now();
    if (now - this.#lostCheckAt >= timing.lostCheckMs && now > this.#graceUntil) {
      this.#lostCheckAt = now;
      await this.#loseNodes();
    }
    if (now - this.#removedCheckAt >= timing.pollMs) {
      this.#removedCheckAt = now;
      const removed = await this.#queue.cancelRemoved();
      if (removed > 0) this.#options.report(`${removed} tasks were deleted by hand: cancelled`);
    }
    if (now - this.#drainedAt >= timing.drainMs && this.#draining === null) {
      this.#drainedAt = now;
      this.#draining = this.#drainResults().finally(() => this.#draining = null);
    }
    const mayHaveMore = await this.#isRecovered() && await this.#placeFront();
    // With more to do the record is written while Redis works.
    if (!mayHaveMore) log.flush();
    return mayHaveMore;
  }

  /**
   * False after a restart of Redis until every node that is still leased has said what it runs: the
   * queue may have lost that these tasks were given out.
   */
  async #isRecovered(): Promise<boolean> {
    if (!this.#isRecovering) return true;
    const behind = await this.#queue.nodesBehind();
    this.#isRecovering = behind.length > 0;
    if (this.#isRecovering) {
      this.#sayOnce(`waiting until ${behind.length} nodes have said what they run`);
    }
    return !this.#isRecovering;
  }

  #sayOnce(line: string): void {
    if (line !== this.#said) this.#options.report(line);
    this.#said = line;
  }

  async #placeFront(): Promise<boolean> {
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
    for (const { task, host: planned } of refused) {
      planned.free += task.units;
      planned.tasks -= 1;
      if (planned.freeSlots !== null) planned.freeSlots += 1;
    }
    const [first] = refused;
    if (first === undefined) return;
    if (refusal === "leader") {
      this.#renewedAt = -Infinity;
      this.#leader = null;
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

  async #loseNodes(): Promise<void> {
    for (const { node, running, assigned } of await this.#queue.loseNodes()) {
      this.#options.report(
        `node ${node} is lost: ${running} running and ${assigned} assigned tasks are pending again`,
      );
    }
  }

  async #drainResults(): Promise<void> {
    // One that was stopped for longer than its lease would write what its successor writes too.
    const { drain, timing } = this.#options;
    try {
      await drain.drain(() => performance.now() - this.#renewedAt <= timing.leaderRenewMs * 2);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (error instanceof QueueError && error.code === "closed") return;
      this.#sayOnce(`results stay in the queue: ${messageOf(error)}`);
    }
  }

  #grantGrace(): void {
    this.#graceUntil = performance.now() + this.#options.timing.leaseMs;
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
