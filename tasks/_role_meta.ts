/** What a role of the queue writes about itself when it starts. */

import { writeJsonAtomic } from "../trace/atomic_file.ts";
import { FORMAT_VERSION, type RunMeta } from "../trace/records.ts";
import { describeAddress } from "../scheduler/redis_url.ts";
import { VERSION } from "./_main.ts";
import { redisAddress } from "./_redis_address.ts";
import type { RedisOptions } from "./flags/_redis_flags.ts";
import type { RolePlace } from "./flags/_role.ts";

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

/** Write `run_meta.<role>.json`: versions and flags, without the password of Redis. */
export async function writeRoleMeta(
  role: string,
  { place, options, worker = NO_WORKER }: {
    readonly place: RolePlace;
    readonly options: RedisOptions;
    readonly worker?: WorkerMeta;
  },
): Promise<void> {
  const address = await redisAddress(options);
  const flags = { ...options, redis: `redis://${describeAddress(address)}` };
  const given = Object.entries(flags).filter(([, value]) => value !== null);
  const meta: RunMeta = {
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
  await writeJsonAtomic(place.runDir.runMeta(role), meta);
}
