/**
 * Which cgroup hierarchies are mounted, and where this process is in them: from
 * proc_pid_mountinfo(5) and proc_pid_cgroup(5).
 *
 * @module
 */

import { join } from "@std/path";
import { parseMountinfo } from "../../trace/linux/mounts.ts";

/** A mounted cgroup hierarchy. */
export interface Hierarchy {
  /** 2 for the unified hierarchy. */
  readonly version: 1 | 2;
  /** v1: the controllers that it carries. v2 names its own in `cgroup.controllers`. */
  readonly controllers: readonly string[];
  /** Where it is mounted. */
  readonly mountPoint: string;
  /** Directory of this process's own group in it. */
  readonly ownDirectory: string;
}

/**
 * The hierarchies in the text of /proc/self/mountinfo, with the place that /proc/self/cgroup gives
 * this process. A line that is not of a cgroup is passed over.
 */
export function parseHierarchies(mountinfo: string, cgroup: string): Hierarchy[] {
  const own = cgroup.trim().split("\n").map((line) => {
    const [, controllers = "", path = "/"] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    return { controllers: controllers.split(","), path };
  });
  // A mount hides an earlier one at the same place.
  const found = new Map<string, Hierarchy>();
  for (const { root, path: mountPoint, type, superOptions } of parseMountinfo(mountinfo)) {
    if (type !== "cgroup" && type !== "cgroup2") continue;
    const place = own.find(({ controllers }) =>
      type === "cgroup2" ? controllers[0] === "" : superOptions.includes(controllers[0] ?? "")
    );
    if (place === undefined) continue;
    // A container may see a part of the hierarchy only: the path counts from the mount's root.
    const path = place.path.startsWith(root) ? place.path.slice(root.length) : "";
    found.delete(mountPoint);
    // Outside of its cgroup namespace a process has no place in the hierarchy, cgroup_namespaces(7).
    if (place.path.split("/").includes("..")) continue;
    found.set(mountPoint, {
      version: type === "cgroup2" ? 2 : 1,
      controllers: type === "cgroup2" ? [] : place.controllers,
      mountPoint,
      ownDirectory: join(mountPoint, path),
    });
  }
  return [...found.values()];
}
