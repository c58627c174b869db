/**
 * What a process is to be at its first instruction.
 *
 * @module
 */

/** User and groups that a process runs as. */
export interface Rights {
  /** User id. */
  readonly uid: number;
  /** Group id. */
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
}

/** Everything about a process before it exists. */
export interface SpawnPlan {
  /** The program, an absolute path. */
  readonly program: string;
  /** Its arguments, its own name first. */
  readonly argv: readonly string[];
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Its working directory; null: the adapter's. */
  readonly cwd: string | null;
  /**
   * A file that takes stdout and stderr, appended, with /dev/null as stdin and a session of its own;
   * null: the adapter's own streams and session.
   */
  readonly logFile: string | null;
  /** CPUs that it may run on; null: the adapter's. */
  readonly cpus: readonly number[] | null;
  /** Its rights; null: the adapter's. */
  readonly rights: Rights | null;
  /** Directory of its v2 cgroup; null: the adapter's cgroup. */
  readonly cgroup: string | null;
  /** `tasks` files of its v1 cgroups. */
  readonly cgroupTasksFiles: readonly string[];
  /** A descriptor that becomes its stdin; null: /dev/null beside a log, else the adapter's own. */
  readonly stdin: number | null;
  /** Numbers of the signals that it ignores; all others have their default action. */
  readonly ignoredSignals: readonly number[];
  /** True for a process that continues when the adapter is killed. */
  readonly outlivesAdapter: boolean;
}

/** A process with nothing special about it: its program, arguments and environment are to be added. */
export const PLAIN_PLAN: Omit<SpawnPlan, "program" | "argv" | "env"> = {
  cwd: null,
  logFile: null,
  cpus: null,
  rights: null,
  cgroup: null,
  cgroupTasksFiles: [],
  stdin: null,
  ignoredSignals: [],
  outlivesAdapter: false,
};

/** A process could not be started. */
export class SpawnError extends Error {
  override readonly name = "SpawnError";
}
