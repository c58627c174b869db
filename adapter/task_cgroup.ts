/**
 * The cgroups of one task, in every hierarchy that helps: they hold its processes together, account
 * for them, and are removed after it.
 *
 * @module
 */

import { join } from "@std/path";
import { bytesToKb, nsToMs } from "../trace/units.ts";
import { type CgroupCpu, parseCpuStat } from "./cpu_stat.ts";
import { killUntilGone, type ProcessTree } from "./process_tree.ts";

/** What the cgroups of a task say about it at its end. */
export interface CgroupTotals extends CgroupCpu {
  /** Which kind of group knows the CPU time; null: none. */
  readonly cpuSource: "cgroup_v2" | "cgroup_v1" | null;
  /** Peak memory of the group, page cache included. */
  readonly memoryPeakKb: number | null;
}

/** Where a task's groups lie; at least one is given. */
export interface TaskCgroupPaths {
  /** In the v2 hierarchy. */
  readonly unified: string | null;
  /** In v1 hierarchies, by controller; controllers mounted together share a directory. */
  readonly v1: ReadonlyMap<string, string>;
}

/** The groups of one task. */
export class TaskCgroup implements ProcessTree, Disposable {
  readonly paths: TaskCgroupPaths;
  readonly #directories: readonly string[];

  private constructor(paths: TaskCgroupPaths) {
    this.paths = paths;
    const all = [...(paths.unified === null ? [] : [paths.unified]), ...paths.v1.values()];
    this.#directories = [...new Set(all)];
  }

  /** Make the groups. */
  static create(paths: TaskCgroupPaths): TaskCgroup {
    const group = new TaskCgroup(paths);
    for (const directory of group.#directories) Deno.mkdirSync(directory, { recursive: true });
    return group;
  }

  /** The directory whose `cgroup.procs` lists the task's processes. */
  get directory(): string {
    return this.#directories[0] ?? "";
  }

  /** The `tasks` files that a process enters the v1 groups by. */
  get tasksFiles(): string[] {
    return [...new Set(this.paths.v1.values())].map((directory) => join(directory, "tasks"));
  }

  pids(): number[] {
    return pidsIn(this.directory);
  }

  kill(): void {
    // cgroup.kill (v2, Linux 5.14) leaves no gap for a process that forks in between.
    if (!writeIfThere(join(this.directory, "cgroup.kill"), "1")) killUntilGone(this);
  }

  /** What the groups counted so far. */
  totals(): CgroupTotals {
    const unified = readIn(this.paths.unified, "cpu.stat");
    const cpu = unified === null ? this.#cpuacct() : parseCpuStat(unified);
    const v1Quota = readIn(this.paths.v1.get("cpu"), "cpu.stat");
    return {
      ...cpu,
      throttledMs: v1Quota === null ? cpu.throttledMs : parseCpuStat(v1Quota).throttledMs,
      cpuSource: cpu.userMs === null ? null : unified === null ? "cgroup_v1" : "cgroup_v2",
      memoryPeakKb: this.#memoryPeakKb(),
    };
  }

  /** Let the processes that are left go on in the group above. */
  release(): void {
    for (const directory of this.#directories) {
      for (const pid of pidsIn(directory)) {
        writeIfThere(join(directory, "..", "..", "cgroup.procs"), String(pid));
      }
    }
  }

  /** Remove the groups; false when a process is still in one. */
  remove(): boolean {
    return this.#directories.map(removeGroup).every(Boolean);
  }

  /** Removes the groups; one that still has a process stays for the adapter's end. */
  [Symbol.dispose](): void {
    this.remove();
  }

  #cpuacct(): CgroupCpu {
    const inMs = (name: string): number | null => {
      const text = readIn(this.paths.v1.get("cpuacct"), name);
      return text === null ? null : nsToMs(Number(text));
    };
    return {
      userMs: inMs("cpuacct.usage_user"),
      systemMs: inMs("cpuacct.usage_sys"),
      throttledMs: null,
    };
  }

  #memoryPeakKb(): number | null {
    const { unified, v1 } = this.paths;
    const text = readIn(unified, "memory.peak") ??
      readIn(v1.get("memory"), "memory.max_usage_in_bytes");
    return text === null ? null : bytesToKb(Number(text));
  }
}

function pidsIn(group: string): number[] {
  const lines = (readIn(group, "cgroup.procs") ?? "").split("\n");
  return lines.filter((line) => line !== "").map(Number);
}

/** Remove an empty group; false when it is not empty yet. */
export function removeGroup(directory: string): boolean {
  try {
    Deno.removeSync(directory);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    // EBUSY: a process is in it.
    if (error instanceof Error && /os error 16\)/.test(error.message)) return false;
    throw error;
  }
}

/** A file of a group, or null when the group or the file is not there. */
function readIn(group: string | null | undefined, name: string): string | null {
  if (group === null || group === undefined) return null;
  try {
    return Deno.readTextFileSync(join(group, name));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function writeIfThere(path: string, text: string): boolean {
  try {
    Deno.writeTextFileSync(path, text, { create: false });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
      return false;
    }
    // ESRCH: the process to move has ended meanwhile.
    if (error instanceof Error && /os error 3\)/.test(error.message)) return false;
    throw error;
  }
}
