/**
 * The CPU time of a process and its descendants, read from their CPU clocks: in ns, and exact also for
 * threads that run at this moment.
 *
 * @module
 */

import { type CpuMeter, MeterError } from "./cpu_meter.ts";
import { childrenOf } from "../proc_children.ts";
import { readProcessStat } from "../proc_pid.ts";

/** clockid_t of a process's CPU clock: ~pid shifted by 3, CPUCLOCK_SCHED (Linux posix-timers.h). */
const CPUCLOCK_SCHED = 2;

const NS_PER_S = 1e9;

interface Member {
  readonly startTicks: number;
  usedNs: number;
}

/**
 * Meters a process tree. What a descendant uses between its last reading and its end is not seen, nor
 * one that lives for less than the time between two calls of `refresh`: a service that starts a process
 * per request is better followed by its cgroup.
 */
export class TreeMeter implements CpuMeter {
  readonly source = "proc";
  readonly #library = Deno.dlopen("libc.so.6", {
    clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  });
  // struct timespec on 64-bit Linux: tv_sec, tv_nsec, both signed 64-bit.
  readonly #timespec = new BigInt64Array(2);
  readonly #bytes = new Uint8Array(this.#timespec.buffer);
  readonly #members = new Map<number, Member>();
  /** What members had used that are gone. */
  #goneNs = 0;

  /**
   * Follow `pid` and its descendants.
   *
   * @throws {MeterError} when there is no such process.
   */
  constructor(pid: number) {
    this.#follow(pid);
    if (this.#members.size === 0) {
      this.#library.close();
      throw new MeterError(`Cannot read the CPU time of process ${pid}: there is no such process`);
    }
    this.refresh();
  }

  /** Processes followed now. */
  get pids(): number[] {
    return [...this.#members.keys()];
  }

  readNs(): number | null {
    let totalNs = this.#goneNs;
    for (const [pid, member] of this.#members) {
      const usedNs = this.#readClock(pid);
      if (usedNs === null) {
        this.#members.delete(pid);
        this.#goneNs += member.usedNs;
      } else {
        member.usedNs = usedNs;
      }
      totalNs += member.usedNs;
    }
    return this.#members.size === 0 ? null : totalNs;
  }

  refresh(): void {
    for (const [pid, member] of this.#members) {
      // Another process may have the pid by now. Its clock was read at worst since the last refresh:
      // what it had used would be the service's, but a pid comes round only after 32768 others.
      if (readProcessStat(pid)?.startTicks === member.startTicks) continue;
      this.#members.delete(pid);
      this.#goneNs += member.usedNs;
    }
    // A map takes in what is added while it is walked through: children of children come in one walk.
    for (const pid of this.#members.keys()) childrenOf(pid).forEach((child) => this.#follow(child));
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }

  #follow(pid: number): void {
    if (this.#members.has(pid)) return;
    const stat = readProcessStat(pid);
    const usedNs = this.#readClock(pid);
    if (stat !== null && usedNs !== null) {
      this.#members.set(pid, { startTicks: stat.startTicks, usedNs });
    }
  }

  /** CPU time of a process, ns; null when there is none. */
  #readClock(pid: number): number | null {
    const clockId = (~pid << 3) | CPUCLOCK_SCHED;
    if (this.#library.symbols.clock_gettime(clockId, this.#bytes) !== 0) return null;
    const [seconds = 0n, nanoseconds = 0n] = this.#timespec;
    return Number(seconds) * NS_PER_S + Number(nanoseconds);
  }
}
