/**
 * Leading: one scheduler is active under a lease, the others stand by.
 *
 * @module
 */

import type { Leadership, RedisSchedulerQueue } from "../queue/scheduler_queue.ts";
import type { Timing } from "../queue/timing.ts";

/** What a scheduler is. */
export type Rank =
  /** Another one leads. */
  | { readonly kind: "standby" }
  /** It leads, and knows what is in the queue. */
  | { readonly kind: "active" }
  /** It leads since just now, or over a queue that may have changed: everything is to be read again. */
  | { readonly kind: "new"; readonly token: string; readonly isRestarted: boolean };

/** Whom {@linkcode Leading} tells. */
export interface LeadingOptions {
  /** Times of leases. */
  readonly timing: Pick<Timing, "leaderLeaseMs" | "leaderRenewMs">;
  /** Told when Redis has lost data. */
  readonly onDataLost: () => void;
  /** Told when Redis, or this process, was paused for longer than a lease. */
  readonly onPause: () => void;
  /** Log messages for the operator. */
  readonly report: (line: string) => void;
}

/** The lease of one scheduler. */
export class Leading {
  readonly #queue: RedisSchedulerQueue;
  readonly #options: LeadingOptions;
  #leader: Leadership | null = null;
  #renewedAt = -Infinity;
  /** Run of the server on which the queue was last read. */
  #server: string | null = null;
  #isStale = true;

  /** Not leading yet. */
  constructor(queue: RedisSchedulerQueue, options: LeadingOptions) {
    this.#queue = queue;
    this.#options = options;
  }

  /** True while this scheduler was the active one at the last renewal. */
  get isActive(): boolean {
    return this.#leader?.isActive ?? false;
  }

  /** True while the lease is so young that no other scheduler can write results. */
  get mayWrite(): boolean {
    return performance.now() - this.#renewedAt <= this.#options.timing.leaderRenewMs * 2;
  }

  /** What was read of the queue does not hold any more: renew at once and read all again. */
  distrust(): void {
    this.#isStale = true;
    this.#renewedAt = -Infinity;
  }

  /** Renew the lease when that is due. */
  async renew(): Promise<Rank> {
    const { timing, report, onDataLost, onPause } = this.#options;
    const now = performance.now();
    const before = this.#leader;
    if (now - this.#renewedAt < timing.leaderRenewMs) {
      return { kind: this.isActive ? "active" : "standby" };
    }
    // Redis, or this process, was paused: nobody could renew a lease meanwhile.
    if (before !== null && now - this.#renewedAt > timing.leaderLeaseMs) onPause();
    const leader = await this.#queue.lead();
    const server = await this.#queue.serverId();
    const isRestarted = this.#server !== null && server !== this.#server;
    const isOther = leader.token !== before?.token;
    const isNew = isOther || isRestarted || leader.isDataLost || this.#isStale;
    this.#renewedAt = now;
    this.#leader = leader;
    this.#server = server;
    if (leader.isDataLost) onDataLost();
    if (!leader.isActive) {
      if (isOther) report(`standing by: ${leader.token} is the active scheduler`);
      return { kind: "standby" };
    }
    this.#isStale = false;
    return isNew ? { kind: "new", token: leader.token, isRestarted } : { kind: "active" };
  }

  /** Step down. */
  async resign(): Promise<void> {
    if (this.isActive) await this.#queue.resign();
  }
}
