/** The node's description for runs without a collector: a run cannot be exported without one. */

import { availableCores } from "../../trace/linux/cores.ts";
import { readNodeMeta } from "../../collector/node_meta.ts";
import { Procfs } from "../../collector/proc/procfs.ts";
import { writeJsonAtomic } from "../../trace/atomic_file.ts";
import { openClock } from "../../trace/clock.ts";
import type { RolePlace } from "../command/role.ts";

/** Write `node_meta.json` of this node unless a collector has. Needs every permission: /proc and /sys. */
export async function ensureNodeMeta(
  { runDir, runId, nodeId }: RolePlace,
  stage: string,
): Promise<void> {
  try {
    await Deno.stat(runDir.nodeMeta);
    return;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  using clock = openClock();
  await writeJsonAtomic(
    runDir.nodeMeta,
    readNodeMeta(new Procfs("/proc"), {
      runId,
      nodeId: nodeId ?? Deno.hostname(),
      stage,
      sysfs: "/sys",
      cpus: null,
      availableCores: availableCores(),
      frequencyMhz: null,
      address: null,
      interface: null,
      now: clock.now(),
    }),
  );
}
