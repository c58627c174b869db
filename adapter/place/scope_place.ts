/**
 * A task in a systemd scope of its own, which systemd makes at the start and removes with the task's
 * last process.
 *
 * @module
 */

import { join } from "@std/path";
import type { CpuLimits } from "../cpu/limits.ts";
import { readHierarchies } from "./cgroup_base.ts";
import { isFolder } from "../job_paths.ts";
import { readProcessStat } from "../proc_pid.ts";
import { killUntilGone, type ProcessTree } from "../process_tree.ts";
import { PLAIN_PLAN, type SpawnPlan } from "../start/spawn_plan.ts";
import type { Starter } from "../start/starter.ts";
import {
  type Scope,
  scopeName,
  setPropertyArguments,
  type SystemdManager,
  systemdRunArguments,
} from "./systemd.ts";
import { TaskCgroup } from "./task_cgroup.ts";
import type { CgroupTotals, TaskPlace } from "./task_place.ts";

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
  readonly kind = "systemd";
  readonly #unit: string;
  readonly #access: SystemdAccess;
  readonly #starter: Starter;
  #limits = NO_LIMITS;
  #isStarted = false;
  #isSetting = false;
  #leader: number | null = null;
  #group: TaskCgroup | null = null;

  constructor(
    unit: string,
    options: { readonly access: SystemdAccess; readonly starter: Starter },
  ) {
    this.#unit = unit;
    this.#access = options.access;
    this.#starter = options.starter;
  }

  get directory(): string | null {
    const { manager } = this.#access;
    if (this.#leader !== null) {
      this.#group ??= scopeGroup(this.#unit, { manager, leader: this.#leader });
    }
    return this.#group?.directory ?? null;
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
      // systemd sets CPUs on the unified hierarchy only; affinity is inherited through systemd-run.
      cpus: this.#limits.cpus,
    };
  }

  tree(leader: number): ProcessTree {
    this.#leader = leader;
    const tree = {
      pids: () => {
        const inScope = this.directory === null ? [] : this.#group?.pids() ?? [];
        // Until systemd has moved it, or where the scope cannot be seen, there is the process itself.
        return inScope.length === 0 && isRunning(leader) ? [leader] : inScope;
      },
      kill: () => killUntilGone(tree),
    };
    return tree;
  }

  /** Null when systemd was quicker to remove the scope than we to read it. */
  totals(): CgroupTotals | null {
    const totals = this.directory === null ? null : this.#group?.totals() ?? null;
    return totals?.cpuSource === null ? null : totals;
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

/**
 * The groups of a scope, once it is there. The machine's manager puts scopes into system.slice; where a
 * user's manager puts them, the first process tells while it lives.
 */
function scopeGroup(
  unit: string,
  { manager, leader }: { readonly manager: SystemdManager; readonly leader: number },
): TaskCgroup | null {
  const name = scopeName(unit);
  const places = manager === "system"
    ? readHierarchies().map((one) => ({
      ...one,
      ownDirectory: join(one.mountPoint, "system.slice", name),
    })).filter(({ ownDirectory }) => isFolder(ownDirectory))
    : readHierarchies(leader).filter(({ ownDirectory }) => ownDirectory.endsWith(join("/", name)));
  if (places.length === 0) return null;
  const v1 = places.filter(({ version }) => version === 1).flatMap((
    { controllers, ownDirectory },
  ) => controllers.map((controller): [string, string] => [controller, ownDirectory]));
  const unified = places.find(({ version }) => version === 2)?.ownDirectory ?? null;
  return TaskCgroup.at({ unified, v1: new Map(v1), limitingVersion: null });
}

function isRunning(pid: number): boolean {
  const stat = readProcessStat(pid);
  return stat !== null && stat.state !== "Z";
}
