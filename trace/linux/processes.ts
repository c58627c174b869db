/**
 * Processes of this machine, as `/proc` has them. A process is known by its pid and its start time.
 *
 * @module
 */

import { readBootId } from "./boot_id.ts";
import { errnoOf, isNoSuchProcess } from "./errno.ts";
import { parsePidStat, type PidStat } from "./pid_stat.ts";
import {
  parseAllowedCpus,
  parseIgnoredSignals,
  parseUids,
  parseVmHwm,
  parseVmRss,
} from "./pid_status.ts";

/** A process, or null when there is none. */
export function readProcessStat(pid: number | "self"): PidStat | null {
  const text = readIfAlive(`/proc/${pid}/stat`);
  return text === null ? null : parsePidStat(text);
}

/** True while the process with this pid and start time runs; a zombie does not. */
export function isSameProcess(pid: number, startTicks: number): boolean {
  const stat = readProcessStat(pid);
  return stat !== null && stat.startTicks === startTicks && stat.state !== "Z";
}

/** This process, and the boot in which its pid is valid. */
export function readSelf(): {
  readonly pid: number;
  /** When it started, clock ticks since boot. */
  readonly startTicks: number;
  readonly bootId: string;
} {
  const { startTicks } = parsePidStat(Deno.readTextFileSync("/proc/self/stat"));
  return { pid: Deno.pid, startTicks, bootId: readBootId() };
}

/**
 * CPU time of the children that this process has waited for, and of theirs, clock ticks: cutime and cstime
 * of proc_pid_stat(5).
 */
export function readChildrenTicks(): [user: number, system: number] {
  const stat = parsePidStat(Deno.readTextFileSync("/proc/self/stat"));
  return [stat.childrenUtimeTicks, stat.childrenStimeTicks];
}

/** VmHWM of a process, kB, or null when it is over (a zombie has no memory). */
export function readHighWaterKb(pid: number): number | null {
  return parseVmHwm(readIfAlive(`/proc/${pid}/status`) ?? "");
}

/** Memory of a process, kB: its high-water mark and what is resident now; null when it cannot be read. */
export function readMemory(
  pid: number,
): { readonly highWaterKb: number; readonly residentKb: number } | null {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/status`);
    const highWaterKb = parseVmHwm(text);
    const residentKb = parseVmRss(text);
    return highWaterKb === null || residentKb === null ? null : { highWaterKb, residentKb };
  } catch (error) {
    if (errnoOf(error) !== null) return null;
    throw error;
  }
}

/** User ids of a process, real, effective, saved and file system; NaN when it has ended. */
export function readUids(pid: number): number[] {
  const ids = parseUids(readIfAlive(`/proc/${pid}/status`) ?? "");
  return ids.length === 0 ? [NaN] : ids;
}

/**
 * Numbers of the standard signals that this process ignores: before it listens to any, those that its
 * caller ignores, and SIGPIPE, which the runtime ignores.
 */
export function readIgnoredSignals(): number[] {
  return parseIgnoredSignals(Deno.readTextFileSync("/proc/self/status"));
}

/** CPUs that this process may use. */
export function readAllowedCpus(): number[] {
  return parseAllowedCpus(Deno.readTextFileSync("/proc/self/status"));
}

/** Pids of every process. */
export function listProcesses(): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Number.isInteger);
}

/** Pids of the children of `pid`, whichever of its threads started them; none when it is gone. */
export function childrenOf(pid: number): number[] {
  const folder = `/proc/${pid}/task`;
  try {
    return [...Deno.readDirSync(folder)].flatMap(({ name }) =>
      (readIfAlive(`${folder}/${name}/children`) ?? "").split(" ").filter((one) => one !== "")
    ).map(Number);
  } catch (error) {
    if (isNoSuchProcess(error)) return [];
    throw error;
  }
}

/** Send a signal; nothing happens when the process has ended. */
export function signalProcess(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!isNoSuchProcess(error)) throw error;
  }
}

function readIfAlive(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (isNoSuchProcess(error)) return null;
    throw error;
  }
}
