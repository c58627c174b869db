/** What a role of the queue writes about itself when it starts. */

import { writeJsonAtomic } from "../../trace/atomic_file.ts";
import { FORMAT_VERSION, type RunMeta } from "../../trace/records.ts";
import { describeAddress } from "../../scheduler/queue/url.ts";
import { VERSION } from "../command/main.ts";
import { redisAddress } from "../redis/address.ts";
import type { RedisOptions } from "../flags/groups/redis.ts";
import type { RolePlace } from "../command/role.ts";

/** What is known of a worker besides. */
export type WorkerMeta = Pick<
  RunMeta,
  "capacity_units" | "slots" | "allocation_ratio" | "cpu_binding"
>;

const NO_WORKER: WorkerMeta = {
  capacity_units: null,
  slots: null,
  allocation_ratio: null,
  cpu_binding: null,
};

/** What a role is started with. */
export interface RoleStart {
  /** Where its run is. */
  readonly place: RolePlace;
  /** Its flags. */
  readonly options: RedisOptions;
  /** What a worker offers. */
  readonly worker?: WorkerMeta;
}

/** Write `run_meta.<role>.json`. */
export async function writeRoleMeta(role: string, start: RoleStart): Promise<void> {
  await writeJsonAtomic(start.place.runDir.runMeta(role), await roleMeta(role, start));
}

/** Versions and flags of a role that starts now, without the password of Redis. */
export async function roleMeta(
  role: string,
  { place, options, worker = NO_WORKER }: RoleStart,
): Promise<RunMeta> {
  const address = await redisAddress(options);
  const flags = {
    ...options,
    redis: `${address.isTls ? "rediss" : "redis"}://${describeAddress(address)}`,
  };
  const given = Object.entries(flags).filter(([, value]) => value !== null);
  return {
    format_version: FORMAT_VERSION,
    run_id: place.runId,
    node_id: place.nodeId,
    role,
    version: VERSION,
    deno_version: Deno.version.deno,
    ts_start: Date.now(),
    flags: Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
    ...worker,
  };
}
