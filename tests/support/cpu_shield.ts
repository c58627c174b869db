/** Takes the rest of the machine out of a measurement: whoever else runs here gets next to nothing. */

import { join } from "@std/path";
import { boundCommand } from "./bound_command.ts";
import { readHierarchies } from "../../adapter/place/cgroup_base.ts";
import { findSystemd } from "../../adapter/place/cpu_control.ts";
import { readText, writeValue } from "../../adapter/place/group_files.ts";
import { cgroupsOfAdapter } from "./cgroup_folders.ts";
import { has } from "./left_out.ts";

/** True where an adapter can limit CPU use: through systemd, or the files are there for root to write. */
export const CAN_LIMIT: boolean = has({
  "the right to limit CPU use": findSystemd(Deno.env.toObject()) !== null ||
    Deno.uid() === 0 &&
      readHierarchies().some(({ version, controllers, ownDirectory }) =>
        version === 1
          ? controllers.includes("cpu")
          : readText(join(ownDirectory, "cgroup.controllers"))?.split(/\s+/).includes("cpu")
      ),
});

/** Give the groups of the adapter `pid` the largest weight there is, until its next start or end. */
export function shieldAdapter(pid: number): void {
  for (const directory of cgroupsOfAdapter(pid)) {
    writeValue(join(directory, "cpu.shares"), "262144");
    writeValue(join(directory, "cpu.weight"), "10000");
  }
}

/**
 * Reads cpu.stat of cgroups at the two ends of a window during which the adapter's groups are shielded.
 * Without real-time priority it would wait for the very tasks that have the machine to itself, as this
 * process and the adapter do, and so it takes the shield away again before it ends.
 * $1: seconds; $2: cgroups to read, $3: groups to shield, each a list of paths, one a line.
 */
const MEASURE = `
IFS='
'
shield() {
  for group in $3; do
    [ ! -e "$group/cpu.shares" ] || echo "$4" >"$group/cpu.shares"
    [ ! -e "$group/cpu.weight" ] || echo "$5" >"$group/cpu.weight"
  done
}
look() {
  cat /proc/uptime
  for group in $2; do grep usage_usec "$group/cpu.stat"; done
}
shield "$@" 262144 10000
look "$@"
sleep "$1"
look "$@"
shield "$@" 1024 100
`;

/** A window in which nobody else runs, as far as weights can see to it. */
export interface ShieldedWindow {
  /** Pid of the adapter whose groups are shielded. */
  readonly adapterPid: number;
  /** Cgroups of the v2 hierarchy to read. */
  readonly cgroups: readonly string[];
  /** Length of the window, s. */
  readonly seconds: number;
}

/** Cores that each cgroup uses over the window. */
export async function coresWhileShielded(
  { adapterPid, cgroups, seconds }: ShieldedWindow,
): Promise<number[]> {
  const lists = [cgroups, [...cgroupsOfAdapter(adapterPid)]].map((paths) => paths.join("\n"));
  const { stdout } = await boundCommand("chrt", {
    args: ["--fifo", "1", "sh", "-c", MEASURE, "sh", String(seconds), ...lists],
    stdin: "null",
  }).output();
  const numbers = new TextDecoder().decode(stdout).trimEnd().split("\n")
    .map((line) => Number(/^(?:usage_usec )?([\d.]+)/.exec(line)?.[1]));
  const [before, after] = [numbers.slice(0, numbers.length / 2), numbers.slice(numbers.length / 2)];
  const [wallS = NaN, ...usedUs] = after.map((value, at) => value - (before[at] ?? NaN));
  return usedUs.map((us) => us / 1e6 / wallS);
}
