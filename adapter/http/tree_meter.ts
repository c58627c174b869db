/**
 * The CPU time of a process and its descendants, read from their CPU clocks: in ns, and exact also for
 * threads that run at this moment.
 *
 * @module
 */

import { type CpuMeter, MeterError } from "./cpu_meter.ts";
import { cpuClockId, TIMESPEC_WORDS, timespecNs } from "../../trace/linux/cpu_clock.ts";
import { openLibc } from "../../trace/linux/libc.ts";
import { childrenOf, readProcessStat } from "../../trace/linux/processes.ts";

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
  readonly #library = openLibc({
    clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  });
  readonly #timespec = new Uint32Array(TIMESPEC_WORDS);
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
    const isRead = this.#library.symbols.clock_gettime(cpuClockId(pid), this.#bytes) === 0;
    return isRead ? timespecNs(this.#timespec) : null;
  }
}
