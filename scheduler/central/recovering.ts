/**
 * Recovering: after a restart of Redis, or a loss of its data, nothing is placed and nobody is given up
 * until the roles have told the queue again what it may have forgotten.
 *
 * @module
 */

import { counted } from "../../trace/counted.ts";
import type { RedisSchedulerQueue } from "../queue/scheduler_queue.ts";
import type { Timing } from "../queue/timing.ts";
import type { ResultsDrain } from "../results_drain.ts";

/** What {@linkcode Recovering} needs besides the queue. */
export interface RecoveringOptions {
  /** Times of leases. */
  readonly timing: Pick<Timing, "leaseMs">;
  /** The results on the disk. */
  readonly drain: ResultsDrain;
  /** Told when Redis has lost data, for the run's record. */
  readonly onDataLost: () => void;
  /** Log messages for the operator. */
  readonly report: (line: string) => void;
}

/** What Redis may have forgotten: all, the last seconds, or nothing. */
export type Forgotten = "data" | "seconds" | "nothing";

/** For how long a resumed dispatch finds the ends that are told to the queue again, ms. */
const REMEMBER_MS = { data: 24 * 3600 * 1000, seconds: 60_000 } as const;

/** Recovering, or recovered. */
export class Recovering {
  readonly #queue: RedisSchedulerQueue;
  readonly #options: RecoveringOptions;
  #graceUntil = 0;
  #state: "recovering" | "recovered" = "recovering";
  /** Nodes that were there when data were lost: until the grace is over they are waited for. */
  #missed: readonly string[] = [];
  #said = 0;

  /** Recovering from the start: nobody knows what was before. */
  constructor(queue: RedisSchedulerQueue, options: RecoveringOptions) {
    this.#queue = queue;
    this.#options = options;
    this.grantGrace();
  }

  /** Nobody is given up for one lease: they could not renew theirs. */
  grantGrace(): void {
    this.#graceUntil = performance.now() + this.#options.timing.leaseMs;
  }

  /** True while nobody is given up. */
  get isGrace(): boolean {
    return performance.now() <= this.#graceUntil;
  }

  /** Redis has lost data; `nodes` were there before. */
  noteDataLost(nodes: readonly string[]): void {
    const { report, onDataLost } = this.#options;
    report("Redis has lost data (restarted without them, rolled back, or emptied by hand)");
    onDataLost();
    this.#missed = nodes;
    this.grantGrace();
  }

  /** Begin to recover as the active scheduler: ends that are on the disk hold, whatever Redis remembers. */
  async begin(forgotten: Forgotten): Promise<void> {
    this.#state = "recovering";
    this.#said = 0;
    if (forgotten === "nothing") return;
    const { report, drain } = this.#options;
    const rememberMs = REMEMBER_MS[forgotten];
    const count = await this.#queue.settle(await drain.ended(), { rememberMs });
    if (count !== null && count > 0) {
      report(`${counted(count, "task")} had ended by results.jsonl and do not run again`);
    }
    if (forgotten === "data") report("configuration and known ends are written again");
  }

  /** True once every node that is still leased has said what it runs. */
  async isOver(): Promise<boolean> {
    if (this.#state === "recovered") return true;
    const behind = await this.#queue.nodesBehind(this.#missed);
    // A node that does not come back within its lease is lost.
    if (behind.length === 0 || !this.isGrace) this.#missed = [];
    if (behind.length === 0) this.#state = "recovered";
    else if (behind.length !== this.#said) {
      this.#options.report(`waiting for ${counted(behind.length, "node")} to say what runs there`);
    }
    this.#said = behind.length;
    return behind.length === 0;
  }
}
