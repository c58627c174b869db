/** Reaching the queue for one command, which does not wait for a Redis that is absent. */

import type { ClientKind } from "../../scheduler/queue/client.ts";
import { QueueError } from "../../scheduler/queue/connection.ts";
import { RedisQueue } from "../../scheduler/queue/redis_queue.ts";
import { describeAddress } from "../../scheduler/queue/url.ts";
import { messageOf } from "../../trace/atomic_file.ts";
import { CommandError, type Io } from "../command/main.ts";
import type { RedisOptions } from "../flags/groups/redis.ts";
import { redisAddress } from "./address.ts";

/** How long a command waits for a Redis that is absent, ms: a server that is just starting is in time. */
const REACH_LIMIT_MS = 5000;

/** How {@linkcode reachQueue} connects. */
export interface ReachOptions {
  /** Log messages, and the signal that ends the wait. */
  readonly io: Io;
  /** What carries the commands. */
  readonly client: ClientKind;
}

/**
 * Connect to the queue for one command.
 *
 * @throws {CommandError} when no Redis answers within a few seconds.
 */
export async function reachQueue(
  options: RedisOptions,
  { io, client }: ReachOptions,
): Promise<RedisQueue> {
  const address = await redisAddress(options);
  const tooLong = new AbortController();
  const timer = setTimeout(() => tooLong.abort(), REACH_LIMIT_MS);
  let isReached = false;
  try {
    const queue = await RedisQueue.open({
      client,
      address,
      keyPrefix: options["key-prefix"],
      // Before the first answer the error says it all, and what to do.
      report: (line) => isReached && io.say(line),
      signal: AbortSignal.any([io.signal, tooLong.signal]),
    });
    isReached = true;
    return queue;
  } catch (error) {
    if (!(error instanceof QueueError && error.code === "closed")) throw error;
    throw new CommandError(
      `no Redis answers at ${describeAddress(address)} (${messageOf(error.cause)}): ` +
        "start redis-server there, or name another with --redis",
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
  }
}
