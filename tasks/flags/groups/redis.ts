/** Flags that say how the queue is reached, and what follows from their values. */

import { resolve } from "@std/path";
import { parseRedisUrl } from "../../../scheduler/queue/url.ts";
import { asUsage } from "../../command/usage_error.ts";
import { type OptionsOf, text, toggle } from "../../command/flag_table.ts";

/** How the queue is reached. The password may be in the URL, in REDIS_PASSWORD or in a file. */
export const REDIS_FLAGS = {
  "redis": text("Redis of the controller, redis://[:PASSWORD@]HOST:PORT/DB.", {
    env: "REDIS_URL",
    fallback: "redis://localhost:6379/0",
    placeholder: "URL",
  }),
  "redis-password-file": text("File whose first line is the password.", {
    env: "REDIS_PASSWORD_FILE",
    placeholder: "FILE",
  }),
  "tls-ca": text("Certificate authority of a rediss:// server, PEM.", {
    env: "REDIS_TLS_CA",
    placeholder: "FILE",
  }),
  "key-prefix": text("Prefix of all keys, to separate experiments on one Redis.", {
    env: "KEY_PREFIX",
    fallback: "",
    placeholder: "TEXT",
    isEmptyGiven: true,
  }),
} as const;

/** What roles ask of a Redis that holds their tasks. */
export const DURABILITY_FLAGS = {
  "require-durable": toggle("Refuse a Redis without appendonly yes, or one that evicts keys."),
} as const;

/** Values of {@linkcode REDIS_FLAGS}. */
export type RedisOptions = OptionsOf<typeof REDIS_FLAGS>;

/** Variable that may hold the password of Redis; it is never a flag, which everybody could read. */
export const REDIS_PASSWORD = "REDIS_PASSWORD";

/** Permissions that reaching Redis needs. */
export interface RedisGrant {
  /** The server. */
  readonly net: readonly string[];
  /** The files of the password and of the certificate. */
  readonly read: readonly string[];
  /** The variable of the password. */
  readonly env: readonly string[];
}

/** What a role needs to reach Redis. */
export function redisGrant(options: RedisOptions): RedisGrant {
  const { host, port } = asUsage(() => parseRedisUrl(options.redis));
  const files = [options["redis-password-file"], options["tls-ca"]];
  return {
    // A host name is looked up first, and Deno checks the addresses found against names without a port.
    net: [
      /^[\d.]+$/.test(host) ? `${host}:${port}` : host.includes(":") ? `[${host}]:${port}` : host,
    ],
    read: files.filter((file) => file !== null).map((file) => resolve(file)),
    env: [REDIS_PASSWORD],
  };
}
