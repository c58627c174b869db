/** Opening the queue from a command's flags. */

import { RedisQueue } from "../scheduler/redis_queue.ts";
import { parseRedisUrl, type RedisAddress } from "../scheduler/redis_url.ts";
import { CommandError, type Io } from "./_main.ts";
import { asUsage, REDIS_PASSWORD, type RedisOptions } from "./flags/_common.ts";

/** Where Redis is; the password from the URL, else from the file, else from the environment. */
export async function redisAddress(options: RedisOptions): Promise<RedisAddress> {
  const file = options["redis-password-file"];
  const password = file === null ? Deno.env.get(REDIS_PASSWORD) : await firstLine(file);
  return asUsage(() => parseRedisUrl(options.redis, { password: password ?? null }));
}

async function firstLine(path: string): Promise<string> {
  try {
    return (await Deno.readTextFile(path)).split("\n", 1)[0]?.trimEnd() ?? "";
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new CommandError(`cannot read the password of Redis: ${error.message}`, { cause: error });
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
