/**
 * What the collector itself costs.
 *
 * @module
 */

import { ticksToMs } from "../trace/units.ts";
import type { SamplingCalls } from "./sampling_calls.ts";
import { ProcessDeniedError, ProcessGoneError } from "./proc/errors.ts";
import { parsePidStat } from "../trace/linux/pid_stat.ts";
import { parseForkCount } from "./proc/stat.ts";
import type { Procfs } from "./proc/procfs.ts";

/** Counters of this process and of the host since their start. */
export interface OwnAccount {
  /** CPU time of this process, ms; null where it cannot be read. */
  readonly cpuMs: number | null;
  /** Resident memory of this process, kB. */
  readonly rssKb: number;
  /** Processes and threads born on the host since boot; null where /proc/stat is not readable. */
  readonly forks: number | null;
}

/** The counters now. */
export function readOwnAccount(procfs: Procfs, libc: SamplingCalls | null): OwnAccount {
  return {
    cpuMs: libc === null ? ownTicksMs(procfs) : libc.ownCpuMs(),
    rssKb: Math.round(Deno.memoryUsage().rss / 1024),
    forks: procfs.parseIfThere("stat", parseForkCount),
  };
}

function ownTicksMs(procfs: Procfs): number | null {
  try {
    const { utimeTicks, stimeTicks } = parsePidStat(procfs.readProcess(Deno.pid, "stat"));
    return ticksToMs(utimeTicks + stimeTicks);
  } catch (error) {
    // A mount of another pid namespace does not have this process.
    if (error instanceof ProcessGoneError || error instanceof ProcessDeniedError) return null;
    throw error;
  }
}
