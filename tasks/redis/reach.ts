/** Reaching the queue for one command, which does not wait for a Redis that is absent. */

import type { ClientKind } from "../../scheduler/queue/client.ts";
import { QueueError } from "../../scheduler/queue/connection.ts";
import { RedisQueue } from "../../scheduler/queue/redis_queue.ts";
import { describeAddress, type RedisAddress } from "../../scheduler/queue/url.ts";
import { messageOf } from "../../trace/atomic_file.ts";
import { CommandError, type Io } from "../command/main.ts";
import type { RedisOptions } from "../flags/groups/redis.ts";
import { redisAddress } from "./address.ts";

/**
 * How long a command waits where nothing listens, ms: a server that is just starting is in time. Only the
 * kernel of the other machine says that nothing listens, so that a busy server is never taken for absent.
 */
const ABSENT_LIMIT_MS = 2000;

/** How long a command waits for a server that is there and does not answer, ms. */
const SILENT_LIMIT_MS = 15_000;

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
 * @throws {CommandError} when no Redis answers within 2 s where nothing listens, or within 15 s.
 */
export async function reachQueue(
  options: RedisOptions,
  { io, client }: ReachOptions,
): Promise<RedisQueue> {
  const address = await redisAddress(options);
  const tooLong = new AbortController();
  const silent = setTimeout(() => tooLong.abort(), SILENT_LIMIT_MS);
  const absent = setTimeout(async () => {
    if (!await listens(address)) return tooLong.abort();
    const limit = (SILENT_LIMIT_MS - ABSENT_LIMIT_MS) / 1000;
    if (!isReached) {
      io.say(`Redis at ${describeAddress(address)} does not answer: waiting ${limit} s more`);
    }
  }, ABSENT_LIMIT_MS);
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
    clearTimeout(silent);
    clearTimeout(absent);
  }
}

/** True where something listens, whether it answers or not. */
async function listens({ host, port }: RedisAddress): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(ABSENT_LIMIT_MS);
    (await Deno.connect({ hostname: host, port, signal })).close();
    return true;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // No answer at all may be a busy machine; a refusal or an unknown name is none.
    return error.name === "TimeoutError" || error.name === "AbortError";
  }
}
