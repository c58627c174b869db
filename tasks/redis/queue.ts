/** Opening the queue from a role's flags. */

import { openRedisQueue } from "../../scheduler/queue/open.ts";
import type { RedisQueue } from "../../scheduler/queue/redis_queue.ts";
import type { Io } from "../command/main.ts";
import type { RedisOptions } from "../flags/groups/redis.ts";
import { redisAddress } from "./address.ts";

/** Connect to the queue; waits for a Redis that is not there yet, until the command is interrupted. */
export async function openQueue(options: RedisOptions, io: Io): Promise<RedisQueue> {
  return await openRedisQueue({
    address: await redisAddress(options),
    keyPrefix: options["key-prefix"],
    report: io.say,
    signal: io.signal,
  });
}
