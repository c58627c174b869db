/**
 * The central scheduler's loop: lead, recover, place, and see to lost nodes and results.
 *
 * @module
 */

import { messageOf } from "../trace/atomic_file.ts";
import { Leading, type Rank } from "./central/leading.ts";
import { Placing } from "./central/placing.ts";
import { Recovering } from "./central/recovering.ts";
import type { PlacementLog } from "./placement/log.ts";
import type { PlacementPolicy } from "./placement/placement.ts";
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
  /** Told when Redis has lost data, for the run's record. */
  readonly onDataLost: () => void;
  /** Log messages for the operator: one line per change. */
  readonly report: (line: string) => void;
  /** Aborted: step down and return. */
  readonly signal: AbortSignal;
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
  readonly #leading: Leading;
  readonly #recovering: Recovering;
  readonly #placing: Placing;
  readonly #lostCheck: Due;
  readonly #removedCheck: Due;
  readonly #drainCheck: Due;
  #draining: Promise<void> | null = null;
  #isDataLost = false;
  #said = "";

  constructor(queue: RedisSchedulerQueue, options: CentralOptions) {
    const { timing, report } = options;
    this.#queue = queue;
    this.#options = options;
    this.#recovering = new Recovering(queue, options);
    this.#placing = new Placing(queue, { ...options, onRefused: () => this.#leading.distrust() });
    this.#leading = new Leading(queue, {
      timing,
      report,
      onDataLost: () => {
        this.#isDataLost = true;
        this.#recovering.noteDataLost(this.#placing.nodes);
      },
      onPause: () => this.#recovering.grantGrace(),
    });
    this.#lostCheck = new Due(timing.lostCheckMs);
    this.#removedCheck = new Due(timing.pollMs);
    this.#drainCheck = new Due(timing.drainMs);
  }

  async run(): Promise<void> {
    const { signal, timing } = this.#options;
    await this.#queue.onWake(() => this.#wake.notify());
    this.#queue.onRestored(() => {
      this.#recovering.grantGrace();
      // Replies were lost with the connection: what they told of is read again.
      this.#leading.distrust();
      this.#wake.notify();
    });
    while (!signal.aborted) {
      const isActive = await this.#lead();
      if (isActive && await this.#tryStep()) continue;
      await this.#wake.wait(isActive ? timing.lostCheckMs : timing.leaderRenewMs, signal);
    }
    await this.#draining;
    if (!this.#leading.isActive) return;
    await this.#drainResults();
    await this.#leading.resign();
  }

  /** True while this scheduler is the active one. */
  async #lead(): Promise<boolean> {
    const rank = await this.#leading.renew();
    if (rank.kind === "new") await this.#takeOver(rank);
    return rank.kind !== "standby";
  }

  async #takeOver({ token, isRestarted }: Rank & { readonly kind: "new" }): Promise<void> {
    const { queuePolicy, report, drain } = this.#options;
    await this.#queue.configure(queuePolicy);
    drain.distrust();
    await this.#recovering.begin(this.#isDataLost ? "data" : isRestarted ? "seconds" : "nothing");
    this.#isDataLost = false;
    await this.#placing.readAll(token);
    report(`active as ${token}: ${this.#placing.nodes.length} nodes`);
  }

  async #tryStep(): Promise<boolean> {
    try {
      return await this.#step();
    } catch (error) {
      // What a person made of a key may stop a command once; the next poll for deleted lists repairs it.
      if (!(error instanceof QueueError && error.code === "reply")) throw error;
      this.#sayOnce(error.message);
      return false;
    }
  }

  #sayOnce(line: string): void {
    if (line !== this.#said) this.#options.report(line);
    this.#said = line;
  }

  /** One turn; true when there may be more to do at once. */
  async #step(): Promise<boolean> {
    if (!this.#recovering.isGrace && this.#lostCheck.isNow()) await this.#loseNodes();
    if (this.#removedCheck.isNow()) {
      const removed = await this.#queue.cancelRemoved();
      if (removed > 0) this.#options.report(`${removed} tasks were deleted by hand: cancelled`);
    }
    if (this.#draining === null && this.#drainCheck.isNow()) {
      this.#draining = this.#drainResults().finally(() => this.#draining = null);
    }
    const mayHaveMore = await this.#recovering.isOver() && await this.#placing.front();
    // With more to do the record is written while Redis works.
    if (!mayHaveMore) this.#options.log.flush();
    return mayHaveMore;
  }

  async #loseNodes(): Promise<void> {
    for (const { node, running, assigned } of await this.#queue.loseNodes()) {
      this.#options.report(
        `node ${node} is lost: ${running} running and ${assigned} assigned tasks are pending again`,
      );
    }
  }

  async #drainResults(): Promise<void> {
    try {
      // One that was stopped for longer than its lease would write what its successor writes too.
      await this.#options.drain.drain(() => this.#leading.mayWrite);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (error instanceof QueueError && error.code === "closed") return;
      this.#sayOnce(`results stay in the queue: ${messageOf(error)}`);
    }
  }
}

/** Something that is to be done now and then. */
class Due {
  readonly #intervalMs: number;
  #lastAt = -Infinity;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** True when it is due; the next interval begins then. */
  isNow(): boolean {
    const now = performance.now();
    if (now - this.#lastAt < this.#intervalMs) return false;
    this.#lastAt = now;
    return true;
  }
}
