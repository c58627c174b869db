/**
 * The cgroups of one task, in every hierarchy that helps: they hold its processes together, account
 * for them, and are removed after it.
 *
 * @module
 */

import { join } from "@std/path";
import { standingPlace } from "./delegation.ts";
import { readPids, readText, removeGroup, writeValue } from "./group_files.ts";
import { bytesToKb, nsToMs } from "../../trace/units.ts";
import {
  cgroupV1CpuValues,
  cgroupV2Values,
  type CpuLimits,
  cpusetValues,
  type FileValue,
} from "../cpu/limits.ts";
import { type CgroupCpu, parseCpuStat } from "./cpu_stat.ts";
import { killUntilGone, type ProcessTree } from "../process_tree.ts";
import type { SpawnPlan } from "../start/spawn_plan.ts";
import type { CgroupTotals, LimitKind, TaskPlace } from "./task_place.ts";

/** Where a task's groups are; at least one is given. */
export interface TaskCgroupPaths {
  /** In the v2 hierarchy. */
  readonly unified: string | null;
  /** In v1 hierarchies, by controller; controllers mounted together share a directory. */
  readonly v1: ReadonlyMap<string, string>;
  /** The version whose controllers limit; null: the groups account only. */
  readonly limitingVersion: 1 | 2 | null;
}

/** The groups of one task. */
export class TaskCgroup implements TaskPlace, ProcessTree {
  readonly #paths: TaskCgroupPaths;
  readonly #directories: readonly string[];
  readonly #written = new Map<string, string>();
  #cpus: readonly number[] | null = null;

  private constructor(paths: TaskCgroupPaths) {
    this.#paths = paths;
    const all = [...(paths.unified === null ? [] : [paths.unified]), ...paths.v1.values()];
    this.#directories = [...new Set(all)];
  }

  /** Groups that are there. */
  static at(paths: TaskCgroupPaths): TaskCgroup {
    return new TaskCgroup(paths);
  }

  /** Make the groups. */
  static create(paths: TaskCgroupPaths): TaskCgroup {
    const group = new TaskCgroup(paths);
    for (const directory of group.#directories) Deno.mkdirSync(directory, { recursive: true });
    return group;
  }

  get kind(): LimitKind {
    const { limitingVersion } = this.#paths;
    return limitingVersion === null ? "affinity" : `cgroup_v${limitingVersion}`;
  }

  get directory(): string {
    return this.#directories[0] ?? "";
  }

  limit(limits: CpuLimits): boolean {
    const { unified, v1, limitingVersion } = this.#paths;
    this.#cpus = limits.cpus;
    if (limitingVersion === 2) return this.#write(unified, cgroupV2Values(limits));
    if (limitingVersion === null) return limits.cpus !== null;
    return this.#write(v1.get("cpu"), cgroupV1CpuValues(limits)) &&
      this.#write(v1.get("cpuset"), cpusetValues(limits));
  }

  open(): null {
    return null;
  }

  place(plan: SpawnPlan): SpawnPlan {
    const { unified, v1, limitingVersion } = this.#paths;
    const tasksFiles = [...new Set(v1.values())].map((directory) => join(directory, "tasks"));
    // A cpuset group holds what affinity only begins with.
    const cpus = limitingVersion === null ? this.#cpus : null;
    return { ...plan, cpus, cgroup: unified, cgroupTasksFiles: tasksFiles };
  }

  tree(): ProcessTree {
    return this;
  }

  pids(): number[] {
    return readPids(this.directory);
  }

  kill(): void {
    // cgroup.kill (v2, Linux 5.14) leaves no gap for a process that forks in between.
    if (!writeValue(join(this.directory, "cgroup.kill"), "1")) killUntilGone(this);
  }

  /** What the groups counted so far. */
  totals(): CgroupTotals {
    const unified = readIn(this.#paths.unified, "cpu.stat");
    const cpu = unified === null ? this.#cpuacct() : parseCpuStat(unified);
    const version = unified === null ? "cgroup_v1" : "cgroup_v2";
    return {
      ...cpu,
      cpuSource: cpu.userMs === null ? null : version,
      ...this.#throttled(cpu.throttledMs),
      ...this.#memoryPeak(),
    };
  }

  /** Let the processes that are left continue in the group above. */
  release(): void {
    for (const directory of this.#directories) {
      const above = standingPlace(join(directory, "..", ".."));
      for (const pid of readPids(directory)) writeValue(join(above, "cgroup.procs"), String(pid));
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

  /** Write those values that are not in force already; false when the kernel refuses one. */
  #write(group: string | null | undefined, values: readonly FileValue[]): boolean {
    if (group === null || group === undefined) return false;
    return values.every(([file, value]) => {
      const isNew = this.#written.get(file) !== value;
      const isWritten = !isNew || writeValue(join(group, file), value);
      if (isWritten) this.#written.set(file, value);
      return isWritten;
    });
  }

  #cpuacct(): CgroupCpu {
    const inMs = (name: string): number | null => {
      const text = readIn(this.#paths.v1.get("cpuacct"), name);
      return text === null ? null : nsToMs(Number(text));
    };
    return {
      userMs: inMs("cpuacct.usage_user"),
      systemMs: inMs("cpuacct.usage_sys"),
      throttledMs: null,
    };
  }

  #throttled(
    unifiedMs: number | null,
  ): Pick<CgroupTotals, "throttledMs" | "throttledSource"> {
    const text = readIn(this.#paths.v1.get("cpu"), "cpu.stat");
    if (text !== null) {
      return { throttledMs: parseCpuStat(text).throttledMs, throttledSource: "cgroup_v1" };
    }
    return { throttledMs: unifiedMs, throttledSource: unifiedMs === null ? null : "cgroup_v2" };
  }

  #memoryPeak(): Pick<CgroupTotals, "memoryPeakKb" | "memoryPeakSource"> {
    const { unified, v1 } = this.#paths;
    const peak = readIn(unified, "memory.peak");
    const text = peak ?? readIn(v1.get("memory"), "memory.max_usage_in_bytes");
    if (text === null) return { memoryPeakKb: null, memoryPeakSource: null };
    const memoryPeakSource = peak === null ? "cgroup_v1" : "cgroup_v2";
    return { memoryPeakKb: bytesToKb(Number(text)), memoryPeakSource };
  }
}

/** A file of a group, or null when the group or the file is not there. */
function readIn(group: string | null | undefined, name: string): string | null {
  return group === null || group === undefined ? null : readText(join(group, name));
}
