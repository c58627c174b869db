/** Opening the queue from a command's flags. */

import { RedisQueue } from "../../scheduler/queue/redis_queue.ts";
import { QueueError } from "../../scheduler/queue/connection.ts";
import { describeAddress } from "../../scheduler/queue/url.ts";
import { CommandError, type Io } from "../command/main.ts";
import { redisAddress } from "./address.ts";
import type { RedisOptions } from "../flags/groups/redis.ts";

/** How long a command waits for a Redis that is not there, ms: a server that is just starting is in time. */
const REACH_LIMIT_MS = 5000;

/**
 * Connect to the queue for one command.
 *
 * @throws {CommandError} when no Redis answers within a few seconds.
 */
export async function reachQueue(options: RedisOptions, io: Io): Promise<RedisQueue> {
  const tooLong = new AbortController();
  const timer = setTimeout(() => tooLong.abort(), REACH_LIMIT_MS);
  let reason = "";
  try {
    const signal = AbortSignal.any([io.signal, tooLong.signal]);
    // Before the first answer a line about retrying would only stand before the one that says what to do.
    let isReached = false;
    const queue = await openQueue(options, {
      ...io,
      signal,
      say: (line) => {
        if (isReached) io.say(line);
        else reason = / \(.*\)/.exec(line)?.[0] ?? "";
      },
    });
    isReached = true;
    return queue;
  } catch (error) {
    if (!(error instanceof QueueError && error.code === "closed")) throw error;
    const place = describeAddress(await redisAddress(options));
    throw new CommandError(
      `no Redis answers at ${place}${reason}: start redis-server there, or name another with --redis`,
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Connect to the queue; waits for a Redis that is not there yet, until the command is interrupted. */
export async function openQueue(options: RedisOptions, io: Io): Promise<RedisQueue> {
  return await RedisQueue.open({
    address: await redisAddress(options),
    keyPrefix: options["key-prefix"],
    report: io.say,
    signal: io.signal,
  });
}
