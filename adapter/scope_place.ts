/**
 * A task in a systemd scope of its own, which systemd makes at the start and removes with the task's
 * last process.
 *
 * @module
 */

import { join } from "@std/path";
import type { CpuLimits } from "./cpu_limits.ts";
import { readHierarchies } from "./cgroup_base.ts";
import type { ProcessTree } from "./process_tree.ts";
import { killUntilGone } from "./process_tree.ts";
import { PLAIN_PLAN, type SpawnPlan } from "./spawn_plan.ts";
import type { Starter } from "./starter.ts";
import {
  type Scope,
  scopeName,
  setPropertyArguments,
  type SystemdManager,
  systemdRunArguments,
} from "./systemd.ts";
import { type CgroupTotals, readPids, TaskCgroup } from "./task_cgroup.ts";
import type { TaskPlace } from "./task_place.ts";

/** How systemd is reached. */
export interface SystemdAccess {
  /** Which one it is. */
  readonly manager: SystemdManager;
  /** Absolute path of systemd-run. */
  readonly systemdRun: string;
  /** Absolute path of systemctl. */
  readonly systemctl: string;
  /** Variables that they need to find the manager. */
  readonly env: Readonly<Record<string, string>>;
}

const NO_LIMITS: CpuLimits = { cpus: null, quotaCores: null, weight: null };

/** The scope of one task. */
export class ScopePlace implements TaskPlace {
  readonly #unit: string;
  readonly #access: SystemdAccess;
  readonly #starter: Starter;
  #limits = NO_LIMITS;
  #isStarted = false;
  #isSetting = false;
  #leader: number | null = null;
  #directory: string | null = null;

  constructor(
    unit: string,
    options: { readonly access: SystemdAccess; readonly starter: Starter },
  ) {
    this.#unit = unit;
    this.#access = options.access;
    this.#starter = options.starter;
  }

  get directory(): string | null {
    this.#directory ??= this.#leader === null ? null : scopeDirectory(this.#leader, this.#unit);
    return this.#directory;
  }

  limit(limits: CpuLimits): boolean {
    this.#limits = limits;
    if (this.#isStarted) this.#setProperties();
    return true;
  }

  place(plan: SpawnPlan): SpawnPlan {
    this.#isStarted = true;
    return {
      ...plan,
      program: this.#access.systemdRun,
      argv: systemdRunArguments(this.#scope(plan), [plan.program, ...plan.argv.slice(1)]),
      env: { ...plan.env, ...this.#access.env },
      rights: null,
    };
  }

  tree(leader: number): ProcessTree {
    this.#leader = leader;
    const tree = {
      pids: () => this.directory === null ? [leader] : readPids(this.directory),
      kill: () => killUntilGone(tree),
    };
    return tree;
  }

  /** Null when systemd was quicker to remove the scope than we to read it. */
  totals(): CgroupTotals | null {
    if (this.directory === null) return null;
    const paths = { unified: this.directory, v1: new Map(), limitingVersion: null };
    const totals = TaskCgroup.at(paths).totals();
    return totals.cpuSource === null ? null : totals;
  }

  /** systemd keeps a scope as long as a process is in it. */
  release(): void {}

  [Symbol.dispose](): void {
    this.#isStarted = false;
  }

  #scope(plan: Pick<SpawnPlan, "rights"> | null): Scope {
    return {
      unit: this.#unit,
      manager: this.#access.manager,
      limits: this.#limits,
      rights: plan?.rights ?? null,
    };
  }

  /** One command at a time, so that the last limits are the ones that stay. */
  async #setProperties(): Promise<void> {
    if (this.#isSetting) return;
    this.#isSetting = true;
    let applied: CpuLimits | null = null;
    while (this.#isStarted && applied !== this.#limits) {
      applied = this.#limits;
      await this.#starter.start({
        ...PLAIN_PLAN,
        program: this.#access.systemctl,
        argv: setPropertyArguments(this.#scope(null)),
        env: this.#access.env,
        logFile: "/dev/null",
      }).exit;
    }
    this.#isSetting = false;
  }
}

/** The cgroup of a process, once it is that of its scope. */
function scopeDirectory(pid: number, unit: string): string | null {
  const found = readHierarchies(pid).find(({ ownDirectory }) =>
    ownDirectory.endsWith(join("/", scopeName(unit)))
  );
  return found?.ownDirectory ?? null;
}
