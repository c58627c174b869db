/**
 * Scan mode: every process of the host whose name matches is followed.
 *
 * @module
 */

import type { Clock } from "../../trace/clock.ts";
import { ticksToMs } from "../../trace/units.ts";
import type { BirthWatch } from "./birth_watch.ts";
import type { Finder } from "./finder.ts";
import type { FollowedSet } from "../following/followed_set.ts";
import type { PidStat } from "../../trace/linux/pid_stat.ts";
import type { ProcessTable } from "./process_table.ts";
import type { ServiceLog } from "./service_log.ts";

/**
 * A process gets its name by exec, mostly at once after its birth: so long after it, ms, the name is read
 * again at every tick, and then once in {@linkcode LAPS} ticks. Worst outcome: an old shell that becomes
 * ffmpeg by exec is noticed four ticks late.
 */
const YOUNG_MS = 2000;
const LAPS = 5;

/** What scan mode needs. */
export interface ScanOptions {
  /** PROC_MATCH. */
  readonly match: RegExp;
  /** Tells whether there can be new processes. */
  readonly births: BirthWatch;
  /** The processes under observation. */
  readonly followed: FollowedSet;
  /** Who is on the host. */
  readonly table: ProcessTable;
  /** Stamps what is seen. */
  readonly clock: Clock;
  /** Where each process is written down as an invocation. */
  readonly services: ServiceLog;
}

/** Finds processes by their names. */
export class Scan implements Finder {
  readonly mode = "scan";
  readonly #options: ScanOptions;
  #lap = 0;

  constructor(options: ScanOptions) {
    this.#options = options;
  }

  react(): void {}

  refresh(): void {
    const { births, clock, followed, match, services, table } = this.#options;
    const bootMs = clock.bootMs();
    const known = new Set([...table.entries].map(({ pid }) => pid));
    if (births.hasAny(bootMs)) table.refresh(births.lastPid, bootMs);
    this.#lap = (this.#lap + 1) % LAPS;
    for (const first of [...table.entries]) {
      if (followed.has(first.pid)) continue;
      const isDue = known.has(first.pid) && this.#isDue(first, bootMs);
      const stat = isDue ? table.examine(first.pid) : first;
      if (stat === null || !match.test(stat.comm)) continue;
      const subject = services.newSubject({ cgroup: null, hasDescendants: false });
      const isMeant = ({ startTicks }: PidStat) => startTicks === stat.startTicks;
      const { kind } = followed.follow(stat.pid, { subject, isMeant });
      if (kind === "followed") services.opened(subject, { first: stat });
    }
  }

  takeForeignCount(): number {
    return 0;
  }

  takeBornCount(): number {
    return this.#options.table.takeBornCount();
  }

  #isDue({ pid, isKernelThread, startTicks }: PidStat, bootMs: number): boolean {
    if (isKernelThread) return false;
    return bootMs - ticksToMs(startTicks) < YOUNG_MS || (pid + this.#lap) % LAPS === 0;
  }
}
