/**
 * Which command sets the clock before a run.
 *
 * @module
 */

/** What this machine has, and what it may do. */
export interface TimeSyncMeans {
  /** Programs of {@linkcode TIME_SYNC_PROGRAMS} that are installed. */
  readonly programs: readonly string[];
  /** What to put before a command so that it runs as root; null when this user may not. */
  readonly privilege: readonly string[] | null;
  /** NTP_POOL. */
  readonly pool: string;
}

/** What to run, one command after the other, or why nothing is run. */
export type TimeSyncPlan =
  | { readonly kind: "run"; readonly commands: readonly (readonly string[])[] }
  | { readonly kind: "skip"; readonly reason: string };

/** Arguments of each program; the clients of a running daemon ask the servers that it has. */
const COMMANDS: Readonly<Record<string, (pool: string) => readonly string[][]>> = {
  chronyc: () => [["chronyc", "burst", "4/4"], ["chronyc", "makestep"]],
  timedatectl: () => [["timedatectl", "set-ntp", "true"]],
  ntpdate: (pool) => [["ntpdate", "-u", pool]],
  sntp: (pool) => [["sntp", "-S", pool]],
};

/** Programs that can set the clock, the preferred one first. */
export const TIME_SYNC_PROGRAMS: readonly string[] = Object.keys(COMMANDS);

/** The commands that set the clock, or the reason to leave it. */
export function planTimeSync({ programs, privilege, pool }: TimeSyncMeans): TimeSyncPlan {
  if (privilege === null) {
    return { kind: "skip", reason: "root or passwordless sudo is needed to set the clock" };
  }
  const program = TIME_SYNC_PROGRAMS.find((one) => programs.includes(one));
  if (program === undefined) {
    return { kind: "skip", reason: `none of ${TIME_SYNC_PROGRAMS.join(", ")} is installed` };
  }
  const commands = COMMANDS[program]?.(pool) ?? [];
  return { kind: "run", commands: commands.map((one) => [...privilege, ...one]) };
}
