/**
 * How long an attempt lasts: from its first process to the end of its last one, or to its forced end.
 *
 * @module
 */

import type { Clock, ClockReading } from "../trace/clock.ts";
import { startTimer, type Timer } from "../trace/timer.ts";
import { type ProcessTree, signalTree } from "./process_tree.ts";
import type { Exit, Starter } from "./start/starter.ts";

/**
 * How long descendants may outlive a task's first process, ms. A job that forks its work away must not
 * lose it; a daemon left behind must not hold the task's cores forever. Worst outcome: such a daemon
 * holds them this much longer.
 */
const LINGER_LIMIT_MS = 10_000;

/** Time between SIGTERM and SIGKILL where nobody asked for another, ms. */
const DEFAULT_GRACE_MS = 2000;

/** How an attempt ended. */
export interface AttemptEnd {
  /** Of its first process. */
  readonly exit: Exit;
  /** When its last process was over. */
  readonly at: ClockReading;
  /** Why it was ended; null: it ended by itself. */
  readonly stopReason: string | null;
  /** True when that reason has nothing to do with the task. */
  readonly isInterrupted: boolean;
  /** What else there is to say. */
  readonly note: string | null;
}

/** Why and how an attempt is ended. */
export interface StopOptions {
  /** Goes into the event. */
  readonly reason: string;
  /** Time between SIGTERM and SIGKILL, ms. */
  readonly graceMs: number;
  /** True when nobody asked for the end of this task: its worker or adapter cannot continue. */
  readonly isInterruption?: boolean;
}

/** The life of one attempt. */
export class Lifetime {
  readonly #tree: ProcessTree;
  readonly #starter: Starter;
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();
  #stopped: StopOptions | null = null;
  #note: string | null = null;

  constructor(
    tree: ProcessTree,
    { starter, clock }: { readonly starter: Starter; readonly clock: Clock },
  ) {
    this.#tree = tree;
    this.#starter = starter;
    this.#clock = clock;
  }

  /** Wait for the end of the first process, `exit`, and of every descendant; `timeoutS` ends them all. */
  async whenOver(exit: Promise<Exit>, timeoutS: number | null): Promise<AttemptEnd> {
    if (timeoutS !== null) {
      const reason = `timeout: it ran for ${timeoutS} s`;
      this.#after(timeoutS * 1000, () => this.stop({ reason, graceMs: DEFAULT_GRACE_MS }));
    }
    const first = await exit;
    const isLingering = this.#tree.pids().length > 0;
    if (isLingering) {
      this.#after(LINGER_LIMIT_MS, () => this.#endLingering());
      do await this.#starter.descendantEnded(); while (this.#tree.pids().length > 0);
    }
    const isLater = isLingering || this.#starter.hasLostOrphan(first.at.bootMs);
    const at = isLater ? this.#clock.now() : first.at;
    for (const timer of this.#timers) timer.clear();
    return {
      exit: first,
      at,
      stopReason: this.#stopped?.reason ?? null,
      isInterrupted: this.#stopped?.isInterruption ?? false,
      note: this.#note,
    };
  }

  /** End the whole tree: SIGTERM, then SIGKILL. The first reason is kept. */
  stop(options: StopOptions): void {
    this.#stopped ??= options;
    this.#terminate(options.graceMs);
  }

  #endLingering(): void {
    this.#note = `left processes behind; they were ended after ${LINGER_LIMIT_MS / 1000} s`;
    this.#terminate(DEFAULT_GRACE_MS);
  }

  #terminate(graceMs: number): void {
    signalTree(this.#tree, "SIGTERM");
    // A stopped process takes its SIGTERM when it is continued.
    signalTree(this.#tree, "SIGCONT");
    this.#after(graceMs, () => this.#tree.kill());
  }

  #after(delayMs: number, action: () => void): void {
    this.#timers.add(startTimer(delayMs, action));
  }
}
