/**
 * Where a task's processes live, and what keeps them within their limits there.
 *
 * @module
 */

import type { CpuShare } from "../../trace/records.ts";
import type { CpuLimits } from "../cpu/limits.ts";
import { type ProcessTree, SessionTree } from "../process_tree.ts";
import type { SpawnPlan } from "../start/spawn_plan.ts";
import type { CgroupCpu } from "./cpu_stat.ts";

/** What applies limits, as the records call it. */
export type LimitKind = CpuShare["control"];

/** What the cgroups of a task say about it at its end. */
export interface CgroupTotals extends CgroupCpu {
  /** Which kind of group knows the CPU time; null: none. */
  readonly cpuSource: "cgroup_v2" | "cgroup_v1" | null;
  /** Which kind of group knows how long it was held back; null: none. */
  readonly throttledSource: "cgroup_v2" | "cgroup_v1" | null;
  /** Peak memory of the group, page cache included. */
  readonly memoryPeakKb: number | null;
  /** Which kind of group knows that; null: none. */
  readonly memoryPeakSource: "cgroup_v2" | "cgroup_v1" | null;
}

/** The place of one task; disposal removes it. */
export interface TaskPlace extends Disposable {
  /** What applies limits here. */
  readonly kind: LimitKind;
  /** Directory whose `cgroup.procs` lists the task's processes; null: none, or not known yet. */
  readonly directory: string | null;
  /** Make limits take effect: before the start, and again when they change; false where they do not. */
  limit(limits: CpuLimits): boolean;
  /**
   * Make the place where that takes time; null: it is there. After this, `directory` is known.
   *
   * @throws {SpawnError} when it cannot be made.
   */
  open(): Promise<void> | null;
  /** `plan` with what it takes to start in this place. */
  place(plan: SpawnPlan): SpawnPlan;
  /** The processes of the task whose first one is `leader`. */
  tree(leader: number): ProcessTree;
  /** What was counted so far; null: nothing is. */
  totals(): CgroupTotals | null;
  /** Let what still runs continue elsewhere when the place is removed. */
  release(): void;
}

/** No cgroup at all: affinity is set before exec, and the session holds the processes together. */
export class PlainPlace implements TaskPlace {
  readonly kind = "affinity";
  readonly directory = null;
  #cpus: readonly number[] | null = null;

  limit({ cpus }: CpuLimits): boolean {
    this.#cpus = cpus;
    return cpus !== null;
  }

  open(): null {
    return null;
  }

  place(plan: SpawnPlan): SpawnPlan {
    return { ...plan, cpus: this.#cpus };
  }

  tree(leader: number): ProcessTree {
    return new SessionTree(leader);
  }

  totals(): null {
    return null;
  }

  release(): void {}

  [Symbol.dispose](): void {}
}
