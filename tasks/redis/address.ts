/** Where Redis is and how one gets in, from flags and environment; without the client library. */

import { parseRedisUrl, type RedisAddress } from "../../scheduler/queue/url.ts";
import { CommandError } from "../command/main.ts";
import { asUsage } from "../command/usage_error.ts";
import { REDIS_PASSWORD, type RedisOptions } from "../flags/groups/redis.ts";

/** Where Redis is; the password from the URL, else from the file, else from the environment. */
export async function redisAddress(options: RedisOptions): Promise<RedisAddress> {
  const file = options["redis-password-file"];
  const password = file === null ? Deno.env.get(REDIS_PASSWORD) : await firstLine(file);
  const ca = options["tls-ca"];
  const tlsCa = ca === null ? null : await contentOf(ca, "the certificate of Redis");
  return asUsage(() => parseRedisUrl(options.redis, { password: password ?? null, tlsCa }));
}

async function firstLine(path: string): Promise<string> {
  const content = await contentOf(path, "the password of Redis");
  return content.split(/\r?\n/, 1)[0] ?? "";
}

async function contentOf(path: string, what: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new CommandError(`cannot read ${what}: ${error.message}`, { cause: error });
  }
}
