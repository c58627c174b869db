/**
 * The adapter's own place in the cgroup hierarchies: one group `tracekit-<pid>-<start_ticks>` in each
 * that helps, with a group for each task below it. The name says which adapter owns it, so that the
 * left-overs of a crashed one are known as such.
 *
 * @module
 */

import { join } from "@std/path";
import { type Hierarchy, parseHierarchies } from "./cgroup_mounts.ts";
import { isSameProcess } from "./proc_pid.ts";
import { removeGroup, TaskCgroup } from "./task_cgroup.ts";

/** Names of adapters' groups. */
const OWNER = /^tracekit-(\d+)-(\d+)$/;

/** v1 controllers that account: CPU time where there is no v2 hierarchy, and peak memory. */
const ACCOUNTING_CONTROLLERS = ["cpuacct", "memory"];

/** The hierarchies of this machine. */
export function readHierarchies(): Hierarchy[] {
  return parseHierarchies(
    Deno.readTextFileSync("/proc/self/mountinfo"),
    Deno.readTextFileSync("/proc/self/cgroup"),
  );
}

/** The groups of one adapter. */
export class CgroupBase implements Disposable {
  readonly #unified: string | null;
  readonly #v1: ReadonlyMap<string, string>;

  private constructor(unified: string | null, v1: ReadonlyMap<string, string>) {
    this.#unified = unified;
    this.#v1 = v1;
  }

  /** Make the adapter's groups; null when no hierarchy lets it. */
  static create(
    hierarchies: readonly Hierarchy[],
    owner: { readonly pid: number; readonly startTicks: number },
  ): CgroupBase | null {
    const name = `tracekit-${owner.pid}-${owner.startTicks}`;
    let unified: string | null = null;
    const v1 = new Map<string, string>();
    for (const hierarchy of hierarchies) {
      const useful = ACCOUNTING_CONTROLLERS.filter((one) => hierarchy.controllers.includes(one));
      if (hierarchy.version === 1 && useful.length === 0) continue;
      const directory = join(hierarchy.ownDirectory, name);
      if (!makeGroup(directory)) continue;
      if (hierarchy.version === 2) unified = directory;
      else for (const controller of useful) v1.set(controller, directory);
    }
    if (unified !== null) v1.delete("cpuacct");
    return unified === null && v1.size === 0 ? null : new CgroupBase(unified, v1);
  }

  /** Which hierarchies account, in words. */
  get description(): string {
    const v1 = [...this.#v1.keys()].map((controller) => `cgroup v1 ${controller}`);
    return [...(this.#unified === null ? [] : ["cgroup v2 cpu.stat"]), ...v1].join(", ");
  }

  /** Make the groups of a task. */
  taskGroup(name: string): TaskCgroup {
    return TaskCgroup.create({
      unified: this.#unified === null ? null : join(this.#unified, name),
      v1: new Map([...this.#v1].map(([controller, base]) => [controller, join(base, name)])),
    });
  }

  [Symbol.dispose](): void {
    for (const base of [this.#unified, ...this.#v1.values()]) if (base !== null) sweepGroup(base);
  }
}

/**
 * End what adapters that are gone left in their cgroups, and remove these.
 *
 * @returns How many task groups were left over.
 */
export function sweepCgroups(hierarchies: readonly Hierarchy[]): number {
  let swept = 0;
  for (const { ownDirectory } of hierarchies) {
    for (const name of subgroups(ownDirectory)) {
      const [, pid, startTicks] = OWNER.exec(name) ?? [];
      if (pid === undefined || isSameProcess(Number(pid), Number(startTicks))) continue;
      swept += sweepGroup(join(ownDirectory, name));
    }
  }
  return swept;
}

function sweepGroup(base: string): number {
  const names = subgroups(base);
  for (const name of names) {
    const directory = join(base, name);
    const group = TaskCgroup.create({ unified: directory, v1: new Map() });
    group.kill();
    group.remove();
  }
  removeGroup(base);
  return names.length;
}

function subgroups(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].filter((one) => one.isDirectory).map((one) => one.name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function makeGroup(directory: string): boolean {
  try {
    Deno.mkdirSync(directory);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return true;
    // A read-only cgroup file system, as containers have it, is EROFS.
    if (
      error instanceof Deno.errors.PermissionDenied ||
      error instanceof Error && /os error 30\)/.test(error.message)
    ) return false;
    throw error;
  }
}
