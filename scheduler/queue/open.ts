/**
 * Opening the queue as a role does, with the library's client.
 *
 * @module
 */

import { type ConnectionOptions, RedisConnection } from "./connection.ts";
import { LIBRARY_CLIENT } from "./library_client.ts";
import { RedisQueue, type RedisQueueOptions } from "./redis_queue.ts";

/** Connect to Redis; see {@linkcode RedisConnection.open}. */
export function openRedisConnection(
  options: Omit<ConnectionOptions, "client">,
): Promise<RedisConnection> {
  return RedisConnection.open({ ...options, client: LIBRARY_CLIENT });
}

/** Connect to the queue; see {@linkcode RedisQueue.open}. */
export function openRedisQueue(options: Omit<RedisQueueOptions, "client">): Promise<RedisQueue> {
  return RedisQueue.open({ ...options, client: LIBRARY_CLIENT });
}
