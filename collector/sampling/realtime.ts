/**
 * Real-time priority for the sampling thread, so that a machine full of work does not delay its ticks.
 *
 * @module
 */

import { SCHED_FIFO, SCHED_OTHER, SCHED_RESET_ON_FORK } from "../../trace/linux/abi.ts";
import type { SamplingCalls } from "../sampling_calls.ts";

/** The lowest real-time priority: above every normal thread, below whatever else is real-time here. */
const PRIORITY = 1;

/** RLIMIT_RTTIME of getrlimit(2), the same number on all architectures but MIPS. */
const RLIMIT_RTTIME = 15;

/**
 * Real-time CPU that the thread may use without sleeping once, us: a tick of 100,000 processes takes less.
 * At the limit the kernel ends the collector, so that a defect cannot hold a core forever.
 */
const RUNTIME_LIMIT_US = 2_000_000n;

/**
 * Real-time priority is for short ticks: where one holds a core for so much of the interval, so many times
 * in a row, it disturbs what it measures. One tick alone may be the hypervisor's doing.
 */
const SHARE_LIMIT = 1 / 2;
const LONG_TICKS_LIMIT = 3;

/** The real-time priority of the calling thread. */
export class Realtime {
  #libc: SamplingCalls | null;
  #longTicks = 0;

  private constructor(libc: SamplingCalls | null) {
    this.#libc = libc;
  }

  /** No real-time priority. */
  static none(): Realtime {
    return new Realtime(null);
  }

  /**
   * Give the calling thread real-time priority, itself alone: threads and processes that it starts later
   * have the normal one. Nothing changes where the kernel does not permit it: no CAP_SYS_NICE and no
   * RLIMIT_RTPRIO, or a v1 cpu cgroup without real-time budget.
   */
  static enter(libc: SamplingCalls): Realtime {
    const { symbols } = libc;
    const limits = new Uint8Array(new BigUint64Array([RUNTIME_LIMIT_US, RUNTIME_LIMIT_US]).buffer);
    const isPermitted = symbols.setrlimit(RLIMIT_RTTIME, limits) === 0 &&
      symbols.sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, param(PRIORITY)) === 0;
    return new Realtime(isPermitted ? libc : null);
  }

  /** True when the thread has it. */
  get isActive(): boolean {
    return this.#libc !== null;
  }

  /** True when a tick of `tookMs` is one too many that was too long for real-time priority. */
  isTooLong(tookMs: number, intervalMs: number): boolean {
    this.#longTicks = tookMs > intervalMs * SHARE_LIMIT ? this.#longTicks + 1 : 0;
    return this.isActive && this.#longTicks >= LONG_TICKS_LIMIT;
  }

  /** Give it back. */
  leave(): void {
    this.#libc?.symbols.sched_setscheduler(0, SCHED_OTHER, param(0));
    this.#libc = null;
  }
}

/** struct sched_param: one int. */
function param(priority: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Int32Array([priority]).buffer);
}
