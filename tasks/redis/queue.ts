/** Opening the queue from a role's flags. */

import { openRedisQueue } from "../../scheduler/queue/open.ts";
import type { RedisQueue } from "../../scheduler/queue/redis_queue.ts";
import type { Io } from "../command/main.ts";
import type { RedisOptions } from "../flags/groups/redis.ts";
import { redisAddress } from "./address.ts";
import { checkDurability, type Durability } from "./durability.ts";

/** What a role's flags say about the queue. */
export type QueueOptions = RedisOptions & Durability;

/** Connect to the queue; waits for a Redis that is not there yet, until the command is interrupted. */
export async function openQueue(options: QueueOptions, io: Io): Promise<RedisQueue> {
  const queue = await openRedisQueue({
    address: await redisAddress(options),
    keyPrefix: options["key-prefix"],
    report: io.say,
    signal: io.signal,
  });
  try {
    await checkDurability(queue, { isRequired: options["require-durable"], say: io.say });
    return queue;
  } catch (error) {
    await queue[Symbol.asyncDispose]();
    throw error;
  }
}
