/**
 * The adapter's own place in the cgroup hierarchies: one group `tracekit-<instance>` in each that helps,
 * with a group for each task below it. The name says which adapter owns it, and the adapter holds it open
 * and locked, so that the left-overs of a crashed one are known as such.
 *
 * @module
 */

import { basename, dirname, join } from "@std/path";
import {
  hold,
  INSTANCE_PATTERN,
  instanceId,
  isAbandoned,
  type Owner,
  parseInstanceId,
} from "../owner.ts";
import type { Sweep } from "../sweep.ts";
import { formatCpuList } from "../../trace/cpu_list.ts";
import { type Hierarchy, type HierarchyPlace, parseHierarchies } from "./cgroup_mounts.ts";
import { weightValue } from "../cpu/limits.ts";
import { hasRoom, setAside, takeBack, withoutAside } from "./delegation.ts";
import { makeGroup, readPids, readText, removeGroup, writeValue } from "./group_files.ts";
import { TaskCgroup } from "./task_cgroup.ts";

/** Names of adapters' groups. */
const OWNED = new RegExp(`^tracekit-${INSTANCE_PATTERN}$`);

/** v1 controllers that account: CPU time where there is no v2 hierarchy, and peak memory. */
const ACCOUNTING_CONTROLLERS = ["cpuacct", "memory"];

/** v1 controllers that limit. */
const LIMITING_CONTROLLERS = ["cpu", "cpuset"];

/** The hierarchies of this machine, and where process `pid` is in them. */
export function readHierarchies(pid: number | "self" = "self"): Hierarchy[] {
  const cgroup = readText(`/proc/${pid}/cgroup`);
  if (cgroup === null) return [];
  const places = parseHierarchies(Deno.readTextFileSync("/proc/self/mountinfo"), cgroup);
  const own = pid === "self" ? Deno.pid : pid;
  // A mount that another one hides, as in a container over a bound /sys, is listed all the same.
  return places
    .flatMap((place) => findGroup(place, own).map((ownDirectory) => ({ ...place, ownDirectory })))
    .filter(({ ownDirectory }) => readText(join(ownDirectory, "cgroup.procs")) !== null)
    .map((one) => ({ ...one, ownDirectory: withoutAside(one.ownDirectory) }));
}

/** Most groups that are looked through for a process: on a larger machine its group stays unknown. */
const SEARCH_LIMIT = 10_000;

/**
 * The directory of the group that `pid` is in. In a cgroup namespace over a mount from outside of it, the
 * names on the way are not in any text: there the group is the one that has the process in it.
 */
function findGroup({ mountPoint, hiddenDepth, below }: HierarchyPlace, pid: number): string[] {
  if (hiddenDepth === 0) return [join(mountPoint, below)];
  let level = [mountPoint];
  for (let depth = 0; depth < hiddenDepth; depth++) {
    level = level.flatMap((group) => subgroups(group).map((name) => join(group, name)))
      .slice(0, SEARCH_LIMIT);
  }
  const found = level.map((group) => join(group, below)).find((one) => readPids(one).includes(pid));
  return found === undefined ? [] : [found];
}

/** For two seconds: longer only for a process that hangs in the kernel, which the next sweep finds. */
const SWEEP_PAUSE_MS = 20;
const SWEEP_ROUNDS = 100;

/** Who owns the groups, and what for. */
export interface CgroupBaseOptions {
  /** The adapter. */
  readonly owner: Owner;
  /** CPUs of the node, to which `cpuset` groups are confined. */
  readonly cpus: readonly number[];
  /** True when tasks are to be limited, too. */
  readonly isLimiting: boolean;
  /** True when the processes in the adapter's own v2 group may be set aside for that. */
  readonly mayMakeRoom: boolean;
}

/** The groups of one adapter. */
export class CgroupBase implements Disposable {
  /** The version that limits tasks; null: none can, or none is to. */
  readonly limitingVersion: 1 | 2 | null;
  readonly #unified: string | null;
  readonly #v1: ReadonlyMap<string, string>;
  readonly #locks: readonly Deno.FsFile[];

  private constructor(
    unified: string | null,
    { v1, limitingVersion, locks }: {
      readonly v1: ReadonlyMap<string, string>;
      readonly limitingVersion: 1 | 2 | null;
      readonly locks: readonly Deno.FsFile[];
    },
  ) {
    this.#locks = locks;
    this.#unified = unified;
    this.#v1 = v1;
    this.limitingVersion = limitingVersion;
  }

  /** Make the adapter's groups; null when no hierarchy lets it. */
  static create(
    hierarchies: readonly Hierarchy[],
    { owner, cpus, isLimiting, mayMakeRoom }: CgroupBaseOptions,
  ): CgroupBase | null {
    const name = `tracekit-${instanceId(owner)}`;
    const locks: Deno.FsFile[] = [];
    let unified: string | null = null;
    let limitingVersion: 1 | 2 | null = null;
    const v1 = new Map<string, string>();
    const wanted = [...ACCOUNTING_CONTROLLERS, ...(isLimiting ? LIMITING_CONTROLLERS : [])];
    // The v2 hierarchy first: where it accounts, cpuacct is not needed.
    for (const hierarchy of hierarchies.toSorted((a, b) => b.version - a.version)) {
      const { version, ownDirectory, controllers } = hierarchy;
      const useful = controllers.filter((one) =>
        wanted.includes(one) && !(one === "cpuacct" && unified !== null)
      );
      if (version === 1 && useful.length === 0) continue;
      const directory = join(ownDirectory, name);
      if (version === 2 && isLimiting && handDown(ownDirectory, { mayMakeRoom })) {
        limitingVersion = 2;
      }
      if (!makeGroup(directory)) continue;
      locks.push(holdGroup(directory));
      if (version === 2) unified = directory;
      else for (const controller of useful) v1.set(controller, directory);
    }
    if (limitingVersion === 2 && unified !== null) {
      enableControllers(unified);
    } else if (LIMITING_CONTROLLERS.every((controller) => v1.has(controller))) {
      limitingVersion = 1;
      confine(v1.get("cpuset") ?? "", cpus);
    }
    if (unified === null && v1.size === 0) return null;
    return new CgroupBase(unified, { v1, limitingVersion, locks });
  }

  /** The adapter's groups, the one that knows all processes first. */
  get directories(): string[] {
    const all = [...(this.#unified === null ? [] : [this.#unified]), ...this.#v1.values()];
    return [...new Set(all)];
  }

  /** Which hierarchies account, in words. */
  get description(): string {
    const v1 = ACCOUNTING_CONTROLLERS.filter((controller) => this.#v1.has(controller))
      .map((controller) => `cgroup v1 ${controller}`);
    return [...(this.#unified === null ? [] : ["cgroup v2 cpu.stat"]), ...v1].join(", ");
  }

  /** What all tasks weigh together against the rest of the machine. */
  setWeight(weight: number): void {
    const group = this.limitingVersion === 2 ? this.#unified : this.#v1.get("cpu");
    if (this.limitingVersion === null || !group) return;
    const [file, value] = weightValue(weight, this.limitingVersion);
    writeValue(join(group, file), value);
  }

  /** Make the groups of a task. */
  taskGroup(name: string): TaskCgroup {
    const v1 = new Map([...this.#v1].map(([controller, base]) => [controller, join(base, name)]));
    const unified = this.#unified === null ? null : join(this.#unified, name);
    return TaskCgroup.create({ unified, v1, limitingVersion: this.limitingVersion });
  }

  [Symbol.dispose](): void {
    for (const directory of this.directories) sweepGroup(directory);
    for (const lock of this.#locks) lock.close();
    if (this.#unified === null) return;
    const above = dirname(this.#unified);
    if (!subgroups(above).some((name) => OWNED.test(name))) takeBack(above);
  }
}

/** End what adapters that are gone left in their cgroups, and remove these. */
export async function sweepCgroups(
  hierarchies: readonly Hierarchy[],
  { self, sweep }: { readonly self: Owner; readonly sweep: Sweep },
): Promise<void> {
  for (const { ownDirectory } of hierarchies) {
    for (const name of subgroups(ownDirectory)) {
      const base = join(ownDirectory, name);
      if (sweep.try(() => isLeftOver(base, self)) !== true) continue;
      sweep.count += subgroups(base).length;
      // What was killed is in its group until the kernel has taken it down.
      for (let round = 0; round < SWEEP_ROUNDS; round++) {
        if (sweep.try(() => sweepGroup(base)) !== false) break;
        await new Promise((resolve) => setTimeout(resolve, SWEEP_PAUSE_MS));
      }
    }
  }
}

/** True for a group of an adapter that is gone. */
function isLeftOver(base: string, self: Owner): boolean {
  const [, id = ""] = new RegExp(`^tracekit-(${INSTANCE_PATTERN})$`).exec(basename(base)) ?? [];
  const owner = parseInstanceId(id);
  if (owner === null) return false;
  using file = Deno.openSync(base);
  return isAbandoned(owner, { file, self });
}

/** Hold a group that was just made, so that an adapter of another namespace knows that we live. */
function holdGroup(directory: string): Deno.FsFile {
  const file = Deno.openSync(directory);
  hold(file);
  return file;
}

/** Kill and remove an adapter's groups; false when a process is still in one. */
function sweepGroup(base: string): boolean {
  for (const name of subgroups(base)) {
    const paths = { unified: join(base, name), v1: new Map(), limitingVersion: null };
    const group = TaskCgroup.at(paths);
    group.kill();
    group.remove();
  }
  return removeGroup(base);
}

/** Hand the controllers of the adapter's own v2 group down, in which it is itself. */
function handDown(group: string, { mayMakeRoom }: Pick<CgroupBaseOptions, "mayMakeRoom">): boolean {
  const there = readText(join(group, "cgroup.controllers"))?.trim().split(" ") ?? [];
  if (!LIMITING_CONTROLLERS.every((controller) => there.includes(controller))) return false;
  return (hasRoom(group) || mayMakeRoom && setAside(group)) && enableControllers(group);
}

/** Hand the controllers of a v2 group down to its children; false when the kernel refuses. */
function enableControllers(group: string): boolean {
  return ["+cpu", "+cpuset", "+memory"]
    .map((change) => writeValue(join(group, "cgroup.subtree_control"), change))
    .slice(0, LIMITING_CONTROLLERS.length).every(Boolean);
}

/** A v1 cpuset takes no process before it has CPUs and memory nodes, cpusets.rst. */
function confine(group: string, cpus: readonly number[]): void {
  const mems = readText(join(group, "..", "cpuset.mems"))?.trim() ?? "0";
  writeValue(join(group, "cpuset.mems"), mems);
  writeValue(join(group, "cpuset.cpus"), formatCpuList(cpus));
  // Children start with the same values.
  writeValue(join(group, "cgroup.clone_children"), "1");
}

function subgroups(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].filter((one) => one.isDirectory).map((one) => one.name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
