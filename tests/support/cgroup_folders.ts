/** The cgroups that adapters have on this machine. */

import { join } from "@std/path";
import { readHierarchies } from "../../adapter/place/cgroup_base.ts";

/** Directories of the groups of the adapter `pid`, in every hierarchy. */
export function cgroupsOfAdapter(pid: number): string[] {
  return readHierarchies().flatMap(({ ownDirectory }) =>
    [...Deno.readDirSync(ownDirectory)].filter(({ name }) => name.startsWith(`tracekit-${pid}-`))
      .map(({ name }) => join(ownDirectory, name))
  );
}
