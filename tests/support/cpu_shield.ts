/** Takes the rest of the machine out of a measurement: whoever else runs here gets next to nothing. */

import { join } from "@std/path";
import { readHierarchies } from "../../adapter/place/cgroup_base.ts";
import { findSystemd } from "../../adapter/place/cpu_control.ts";
import { readText, writeValue } from "../../adapter/place/group_files.ts";
import { cgroupsOfAdapter } from "./cgroup_folders.ts";

/** True where an adapter can limit CPU use: through systemd, or the files are there for root to write. */
export const CAN_LIMIT: boolean = findSystemd(Deno.env.toObject()) !== null ||
  Deno.uid() === 0 &&
    readHierarchies().some(({ version, controllers, ownDirectory }) =>
      version === 1
        ? controllers.includes("cpu")
        : readText(join(ownDirectory, "cgroup.controllers"))?.split(/\s+/).includes("cpu")
    );

/** Give the groups of the adapter `pid` the largest weight there is, until its next start or end. */
export function shieldAdapter(pid: number): void {
  for (const directory of cgroupsOfAdapter(pid)) {
    writeValue(join(directory, "cpu.shares"), "262144");
    writeValue(join(directory, "cpu.weight"), "10000");
  }
}
