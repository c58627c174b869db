/**
 * Which cgroup hierarchies are mounted, and where this process is in them: from
 * proc_pid_mountinfo(5) and proc_pid_cgroup(5).
 *
 * @module
 */

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

/** Where a process's group is below a mount point. */
export interface GroupPlace {
  /** Folders on the way whose names are not known: they are above the process's cgroup namespace. */
  readonly hiddenDepth: number;
  /** The path from there. */
  readonly below: string;
}

/** A hierarchy as the kernel's texts have it, before the folders are read. */
export type HierarchyPlace = Omit<Hierarchy, "ownDirectory"> & GroupPlace;

/**
 * The hierarchies in the text of /proc/self/mountinfo, with the place that /proc/self/cgroup gives
 * this process. A line that is not of a cgroup is skipped, and so is a mount in which the process
 * has no place.
 */
export function parseHierarchies(mountinfo: string, cgroup: string): HierarchyPlace[] {
  const own = cgroup.trim().split("\n").map((line) => {
    const [, controllers = "", path = "/"] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    return { controllers: controllers.split(","), path };
  });
  // A mount hides an earlier one at the same place.
  const found = new Map<string, HierarchyPlace>();
  for (const { root, path: mountPoint, type, superOptions } of parseMountinfo(mountinfo)) {
    if (type !== "cgroup" && type !== "cgroup2") continue;
    const place = own.find(({ controllers }) =>
      type === "cgroup2" ? controllers[0] === "" : superOptions.includes(controllers[0] ?? "")
    );
    if (place === undefined) continue;
    found.delete(mountPoint);
    const group = placeBelow(root, place.path);
    if (group === null) continue;
    found.set(mountPoint, {
      version: type === "cgroup2" ? 2 : 1,
      controllers: type === "cgroup2" ? [] : place.controllers,
      mountPoint,
      ...group,
    });
  }
  return [...found.values()];
}

/**
 * Where the group `path` is below a mount of the group `root`; null when it is not below it. Both count
 * from the root of the process's cgroup namespace, above which the kernel writes `..` for each folder,
 * cgroup_namespaces(7).
 */
export function placeBelow(root: string, path: string): GroupPlace | null {
  const roots = root.split("/").filter((name) => name !== "");
  const paths = path.split("/").filter((name) => name !== "");
  let shared = 0;
  while (shared < roots.length && roots[shared] === paths[shared]) shared++;
  const above = roots.slice(shared);
  const below = paths.slice(shared);
  if (above.some((name) => name !== "..") || below.includes("..")) return null;
  return { hiddenDepth: above.length, below: below.join("/") };
}
