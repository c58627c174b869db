/**
 * Waits for the end of any child, on a thread that then reads the clock as its next act.
 *
 * @module
 */

import { ERRNO } from "../../trace/linux/errno.ts";
import type { ClockReading } from "../../trace/clock.ts";
import { addressOf, bytesOf, type StartCalls } from "./start_calls.ts";
import {
  P_ALL,
  SCHED_FIFO,
  SCHED_OTHER,
  SCHED_RESET_ON_FORK,
  SI_PID_WORD,
  SIGINFO_BYTES,
  SYSTEM_CALL,
  WEXITED,
  WNOWAIT,
} from "../../trace/linux/abi.ts";
import { callWords, type SystemCall } from "./machine_code.ts";
import { readStamp, STAMP_WORDS, stampCalls } from "./stamp.ts";

/** A child that has ended and is not reaped yet. */
export interface EndedChild {
  /** Its process id. */
  readonly pid: number;
  /** When its end was seen. */
  readonly at: ClockReading;
}

/** Real-time priority of the waiting thread: above every normal one, below whatever else is real-time. */
const PRIORITY = 1;

/**
 * The wait of one process; one at a time.
 *
 * Where the kernel permits it the thread waits with real-time priority, so that a machine full of work
 * does not delay the stamp: beside four busy loops the worst of 500 was 1.6 ms late, and 11 ms where Deno
 * itself waited. It uses that for a few system calls per end, and gives it back before the pool has the
 * thread again. Worst outcome where it is not permitted: ts_end is late by as much as any thread waits
 * for a core.
 */
export class ExitWait {
  readonly #libc: StartCalls;
  readonly #info = new Int32Array(SIGINFO_BYTES / 4);
  readonly #stamp = new Uint32Array(STAMP_WORDS);
  readonly #realtime = Int32Array.of(PRIORITY);
  readonly #normal = Int32Array.of(0);
  readonly #calls: BigUint64Array<ArrayBuffer>;
  readonly #results: BigInt64Array<ArrayBuffer>;

  constructor(libc: StartCalls) {
    this.#libc = libc;
    const calls: readonly SystemCall[] = [
      scheduleCall(SCHED_FIFO, this.#realtime),
      [SYSTEM_CALL.waitid, P_ALL, 0, addressOf(bytesOf(this.#info)), WEXITED | WNOWAIT],
      ...stampCalls(addressOf(bytesOf(this.#stamp))),
      scheduleCall(SCHED_OTHER, this.#normal),
    ];
    this.#calls = BigUint64Array.from(calls.flatMap(callWords));
    this.#results = new BigInt64Array(calls.length);
  }

  /** The next child that ends, or one that has ended already; null when there is none. */
  async next(): Promise<EndedChild | null> {
    let waited: number;
    do {
      await this.#libc.callElsewhere(this.#calls, this.#results);
      waited = Number(this.#results[1]);
    } while (waited === -ERRNO.EINTR);
    if (waited !== 0) return null;
    return { pid: this.#info[SI_PID_WORD] ?? 0, at: readStamp(this.#stamp) };
  }
}

/** sched_setscheduler(2) of the calling thread; `parameter` is a struct sched_param. */
function scheduleCall(policy: number, parameter: Int32Array<ArrayBuffer>): SystemCall {
  const address = addressOf(bytesOf(parameter));
  return [SYSTEM_CALL.schedSetscheduler, 0, policy | SCHED_RESET_ON_FORK, address];
}
