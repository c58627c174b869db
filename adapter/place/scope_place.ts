/**
 * A task in a systemd scope of its own.
 *
 * systemd removes a scope with its last process, and with it what its groups have counted: too early to
 * read the totals of a task. So one stopped process is in the scope before the task and after it, for as
 * long as this place is there. The task itself is started into a group below the scope's, as into any
 * other group: pid, start and totals are its own, and not those of systemd-run.
 *
 * @module
 */

import { join } from "@std/path";
import type { CpuLimits } from "../cpu/limits.ts";
import { readProcessStat, signalProcess } from "../../trace/linux/processes.ts";
import { type ProcessTree, SessionTree } from "../process_tree.ts";
import { PLAIN_PLAN, SpawnError, type SpawnPlan } from "../start/spawn_plan.ts";
import type { Started, Starter } from "../start/starter.ts";
import { readHierarchies } from "./cgroup_base.ts";
import {
  type Scope,
  scopeName,
  setPropertyArguments,
  type SystemdManager,
  systemdRunArguments,
} from "./systemd.ts";
import { TaskCgroup, type TaskCgroupPaths } from "./task_cgroup.ts";
import type { CgroupTotals, TaskPlace } from "./task_place.ts";

/** How systemd is reached. */
export interface SystemdAccess {
  /** Which one it is. */
  readonly manager: SystemdManager;
  /** Absolute path of systemd-run. */
  readonly systemdRun: string;
  /** Absolute path of systemctl. */
  readonly systemctl: string;
  /** Absolute path of busctl. */
  readonly busctl: string;
  /** Variables that they need to find the manager. */
  readonly env: Readonly<Record<string, string>>;
}

/** Looks at a scope that is being made, ms apart: systemd takes 10 ms and more. */
const OPENING_PAUSE_MS = 2;

const NO_LIMITS: CpuLimits = { cpus: null, quotaCores: null, weight: null };

/** A scope that is there. */
interface OpenScope {
  /** Its own groups, which limit, and have counted what it took to make the scope. */
  readonly scope: TaskCgroup;
  /** The groups of the task, below them. */
  readonly task: TaskCgroup;
  /** The process that holds it. */
  readonly holder: number;
}

/** The scope of one task. */
export class ScopePlace implements TaskPlace {
  readonly kind = "systemd";
  readonly #unit: string;
  readonly #access: SystemdAccess;
  readonly #starter: Starter;
  #limits = NO_LIMITS;
  #appliedLimits = NO_LIMITS;
  #open: OpenScope | null = null;
  #isSetting = false;
  #isReleased = false;

  constructor(
    unit: string,
    options: { readonly access: SystemdAccess; readonly starter: Starter },
  ) {
    this.#unit = unit;
    this.#access = options.access;
    this.#starter = options.starter;
  }

  get directory(): string | null {
    return this.#open?.task.directory ?? null;
  }

  limit(limits: CpuLimits): boolean {
    this.#limits = limits;
    this.#applyLimits();
    return true;
  }

  async open(): Promise<void> {
    this.#appliedLimits = this.#limits;
    const holder = this.#starter.start({
      ...PLAIN_PLAN,
      program: this.#access.systemdRun,
      argv: systemdRunArguments(this.#scope()),
      env: this.#access.env,
      logFile: "/dev/null",
    });
    await this.#untilHeld(holder);
    const paths = scopePaths(this.#unit, holder.pid);
    if (paths === null) {
      signalProcess(holder.pid, "SIGKILL");
      throw new SpawnError(`Cannot use the scope "${this.#unit}": no cgroup of it is mounted here`);
    }
    const task = TaskCgroup.create(below(paths));
    this.#open = { scope: TaskCgroup.at(paths), task, holder: holder.pid };
    this.#applyLimits();
  }

  place(plan: SpawnPlan): SpawnPlan {
    const placed = this.#open?.task.place(plan) ?? plan;
    // systemd sets CPUs on the unified hierarchy only: affinity holds everywhere.
    return { ...placed, cpus: this.#limits.cpus };
  }

  tree(leader: number): ProcessTree {
    return this.#open?.task ?? new SessionTree(leader);
  }

  totals(): CgroupTotals | null {
    if (this.#open === null) return null;
    const { scope, task } = this.#open;
    // The holder's two pages of a shell are in this peak.
    const { throttledMs, memoryPeakKb } = scope.totals();
    return { ...task.totals(), throttledMs, memoryPeakKb };
  }

  /** systemd keeps a scope as long as a process is in it. */
  release(): void {
    this.#isReleased = true;
  }

  /** Ends what is left in the scope, unless it was released; systemd removes it. */
  [Symbol.dispose](): void {
    if (this.#open === null) return;
    const { task, holder } = this.#open;
    this.#open = null;
    if (!this.#isReleased) task.kill();
    signalProcess(holder, "SIGKILL");
  }

  async #untilHeld({ pid, exit }: Started): Promise<void> {
    let status: number | null = null;
    exit.then((ended) => status = ended.status ?? -1);
    while (readProcessStat(pid)?.state !== "T") {
      if (status !== null) {
        throw new SpawnError(
          `Cannot make the scope "${this.#unit}": systemd-run ended with status ${status}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, OPENING_PAUSE_MS));
    }
  }

  #scope(): Scope {
    return { unit: this.#unit, manager: this.#access.manager, limits: this.#limits };
  }

  /** One command at a time, so that the last limits are the ones that stay. */
  async #applyLimits(): Promise<void> {
    if (this.#isSetting) return;
    this.#isSetting = true;
    while (this.#open !== null && this.#appliedLimits !== this.#limits) {
      this.#appliedLimits = this.#limits;
      await this.#starter.start({
        ...PLAIN_PLAN,
        program: this.#access.systemctl,
        argv: setPropertyArguments(this.#scope()),
        env: this.#access.env,
        logFile: "/dev/null",
      }).exit;
    }
    this.#isSetting = false;
  }
}

/** The groups of a scope, by where a process in it is. */
function scopePaths(unit: string, pid: number): TaskCgroupPaths | null {
  const own = join("/", scopeName(unit));
  const places = readHierarchies(pid).filter(({ ownDirectory }) => ownDirectory.endsWith(own));
  if (places.length === 0) return null;
  const v1 = places.filter(({ version }) => version === 1).flatMap((
    { controllers, ownDirectory },
  ) => controllers.map((controller): [string, string] => [controller, ownDirectory]));
  const unified = places.find(({ version }) => version === 2)?.ownDirectory ?? null;
  return { unified, v1: new Map(v1), limitingVersion: null };
}

function below({ unified, v1, limitingVersion }: TaskCgroupPaths): TaskCgroupPaths {
  const task = (directory: string): string => join(directory, "task");
  return {
    unified: unified && task(unified),
    v1: new Map([...v1].map(([controller, directory]) => [controller, task(directory)])),
    limitingVersion,
  };
}
