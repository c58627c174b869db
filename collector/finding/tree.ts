/**
 * Tree mode and cgroup mode: a process with all its descendants, or the processes of a cgroup and of those
 * inside it.
 *
 * @module
 */

import { basename, join } from "@std/path";
import type { Clock } from "../../trace/clock.ts";
import type { BirthWatch } from "./birth_watch.ts";
import { followCgroup, followChildren } from "./descendants.ts";
import type { Finder } from "./finder.ts";
import type { FollowedSet, FollowOutcome, Subject } from "../following/followed_set.ts";
import type { ProcessTable } from "./process_table.ts";
import type { ServiceLog } from "./service_log.ts";

/** What tree mode needs. */
export interface TreeOptions {
  /** The process at the top. */
  readonly pid: number;
  /** Tells whether there can be new processes. */
  readonly births: BirthWatch;
  /** The processes under observation. */
  readonly followed: FollowedSet;
  /** Who is on the host. */
  readonly table: ProcessTable;
  /** Stamps what is seen. */
  readonly clock: Clock;
  /** Where the tree is written down as an invocation. */
  readonly services: ServiceLog;
}

/** Finds the descendants of a process. */
export class Tree implements Finder {
  readonly mode = "tree";
  readonly #options: TreeOptions;

  constructor(options: TreeOptions) {
    this.#options = options;
  }

  /** Follow the process at the top. */
  start(): FollowOutcome {
    const { followed, pid, services } = this.#options;
    const subject = services.newSubject({ cgroup: null, hasDescendants: true });
    const outcome = followed.follow(pid, { subject });
    if (outcome.kind === "followed") services.opened(subject, { first: followed.statOf(pid) });
    return outcome;
  }

  react(): void {}

  refresh(): void {
    const { births, clock, followed, table } = this.#options;
    const bootMs = clock.bootMs();
    if (!births.hasAny(bootMs)) return;
    table.refresh(births.lastPid, bootMs);
    followChildren(followed, table);
  }

  takeForeignCount(): number {
    return 0;
  }

  takeBornCount(): number {
    return this.#options.table.takeBornCount();
  }
}

/** What cgroup mode needs. */
export interface CgroupOptions {
  /** Directory of the cgroup. */
  readonly path: string;
  /** The processes under observation. */
  readonly followed: FollowedSet;
  /** Where the cgroup is written down as an invocation. */
  readonly services: ServiceLog;
}

/** Finds the processes of a cgroup. */
export class Cgroup implements Finder {
  readonly mode = "cgroup";
  readonly #options: CgroupOptions;
  readonly #subject: Subject;

  constructor(options: CgroupOptions) {
    this.#options = options;
    const { path, services } = options;
    this.#subject = services.newSubject({ cgroup: path, hasDescendants: false });
    services.opened(this.#subject, { first: null, name: basename(path) });
  }

  react(): void {}

  refresh(): void {
    const { followed, path } = this.#options;
    for (const folder of cgroupFolders(path)) followCgroup(followed, folder, this.#subject);
  }

  takeForeignCount(): number {
    return 0;
  }

  takeBornCount(): null {
    return null;
  }
}

/** `path` and every cgroup inside it; those that vanish in the meantime are left out. */
function cgroupFolders(path: string): string[] {
  const folders = [path];
  try {
    for (const { name, isDirectory } of Deno.readDirSync(path)) {
      if (isDirectory) folders.push(...cgroupFolders(join(path, name)));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return folders;
}
