/**
 * The little that an adapter needs of /proc/<pid>: who a process is, and its memory's high-water mark.
 *
 * @module
 */

import { parseCpuList } from "../trace/cpu_list.ts";

/** Identity and place of a process, proc_pid_stat(5). */
export interface ProcessStat {
  /** Its name, at most 15 bytes. */
  readonly comm: string;
  /** State letter; `Z` has ended. */
  readonly state: string;
  /** Its session, the pid of its leader. */
  readonly session: number;
  /** When it started, clock ticks since boot. */
  readonly startTicks: number;
}

/** The text of a `stat` file. comm may contain blanks and parentheses: fields count from the last one. */
export function parseProcessStat(text: string): ProcessStat {
  const end = text.lastIndexOf(")");
  const fields = text.slice(end + 2).split(" ");
  return {
    comm: text.slice(text.indexOf("(") + 1, end),
    state: fields[0] ?? "?",
    session: Number(fields[3]),
    startTicks: Number(fields[19]),
  };
}

/** A process, or null when there is none. */
export function readProcessStat(pid: number): ProcessStat | null {
  const text = readIfAlive(`/proc/${pid}/stat`);
  return text === null ? null : parseProcessStat(text);
}

/**
 * CPU time of the children that this process has waited for, and of theirs, clock ticks: cutime and cstime
 * of proc_pid_stat(5).
 */
export function readChildrenTicks(): [user: number, system: number] {
  const text = Deno.readTextFileSync("/proc/self/stat");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return [Number(fields[13]), Number(fields[14])];
}

/** This process, and the boot in which its pid is valid. */
export function readSelf(): {
  readonly pid: number;
  /** When it started, clock ticks since boot. */
  readonly startTicks: number;
  readonly bootId: string;
} {
  const stat = parseProcessStat(Deno.readTextFileSync("/proc/self/stat"));
  const bootId = Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
  return { pid: Deno.pid, startTicks: stat.startTicks, bootId };
}

/** VmHWM of a process, kB, or null when it is over (a zombie has no memory). */
export function readHighWaterKb(pid: number): number | null {
  const [, value] = /^VmHWM:\s+(\d+) kB$/m.exec(readIfAlive(`/proc/${pid}/status`) ?? "") ?? [];
  return value === undefined ? null : Number(value);
}

/** True while the process with this pid and start time runs. */
export function isSameProcess(pid: number, startTicks: number): boolean {
  const stat = readProcessStat(pid);
  return stat !== null && stat.startTicks === startTicks && stat.state !== "Z";
}

/** Pids of every process. */
export function listProcesses(): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Number.isInteger);
}

/** Send a signal; nothing happens when the process has ended. */
export function signalProcess(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function readIfAlive(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || isNoSuchProcess(error)) return null;
    throw error;
  }
}

/** ESRCH: the process ended between open and read; Deno has no class for it. */
function isNoSuchProcess(error: unknown): boolean {
  return error instanceof Error && /os error 3\)/.test(error.message);
}

/** Signals below the real-time ones, signal(7). */
const STANDARD_SIGNALS = 31;

/**
 * Numbers of the standard signals that this process ignores, SigIgn of proc_pid_status(5): before it
 * listens to any, those that its caller ignores, and SIGPIPE, which the runtime ignores.
 */
export function readIgnoredSignals(): number[] {
  const [, mask = "0"] = /^SigIgn:\s+(\w+)$/m.exec(Deno.readTextFileSync("/proc/self/status")) ??
    [];
  const bits = BigInt(`0x${mask}`);
  return Array.from({ length: STANDARD_SIGNALS }, (_, bit) => bit + 1)
    .filter((signal) => (bits >> BigInt(signal - 1)) & 1n);
}

/** CPUs that this process may use, Cpus_allowed_list of proc_pid_status(5). */
export function readAllowedCpus(): number[] {
  const [, cpus = ""] = /^Cpus_allowed_list:\s+(\S+)$/m.exec(
    Deno.readTextFileSync("/proc/self/status"),
  ) ?? [];
  return parseCpuList(cpus);
}
