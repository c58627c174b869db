/**
 * Flags that several roles share, with what follows from their values.
 */

import { isAbsolute, join, resolve } from "@std/path";
import { parseNodeId, parseRunId, RunDir } from "../../trace/run_dir.ts";
import { parseRedisUrl } from "../../scheduler/redis_url.ts";
import { type OptionsOf, text, toggle, UsageError } from "../_command.ts";
import type { RolePlace } from "./_role.ts";

/** Which run, where it lies, and whose part of it this is. */
export const RUN_FLAGS = {
  "run-id": text("Identity of the run, shared by all nodes.", {
    env: "RUN_ID",
    placeholder: "ID",
  }),
  "node-id": text("Identity of this node; else the host name.", {
    env: "NODE_ID",
    placeholder: "ID",
  }),
  "stage": text("Tag of the environment.", { env: "STAGE", fallback: "cloud", placeholder: "TAG" }),
  "logs": text("Folder of all runs.", { env: "LOGS_DIR", fallback: "logs", placeholder: "DIR" }),
  "per-node": toggle("Use logs/RUN_ID/NODE_ID/ instead of logs/RUN_ID/.", { env: "PER_NODE" }),
} as const;

/** Values of {@linkcode RUN_FLAGS}. */
export interface RunOptions {
  readonly "run-id": string | null;
  readonly "node-id": string | null;
  readonly "logs": string;
  readonly "per-node": boolean;
}

/** How the queue is reached. The password may stand in the URL, in REDIS_PASSWORD or in a file. */
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
  "tls-ca": text("Certificate of the authority that vouches for a rediss:// server, PEM.", {
    env: "REDIS_TLS_CA",
    placeholder: "FILE",
  }),
  "key-prefix": text("Put before every key: separates two experiments on one Redis.", {
    env: "KEY_PREFIX",
    fallback: "",
    placeholder: "TEXT",
    isEmptyGiven: true,
  }),
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
    read: files.filter((file) => file !== null).map(absolute),
    env: [REDIS_PASSWORD],
  };
}

/**
 * The RUN_ID that was given.
 *
 * @throws {UsageError} when none was given, or it is not valid.
 */
export function requireRunId(options: Pick<RunOptions, "run-id">): string {
  const runId = options["run-id"];
  if (runId === null) {
    throw new UsageError(
      "RUN_ID is required: RUN_ID=…, --run-id …, or a line RUN_ID=… in run_id.env",
    );
  }
  return asUsage(() => parseRunId(runId));
}

/**
 * NODE_ID, by default the host name.
 *
 * @throws {UsageError} when it is not valid.
 */
export function nodeIdOf(options: RunOptions): string {
  return asUsage(() => parseNodeId(options["node-id"] ?? Deno.hostname()));
}

/** The run directory of this node, absolute. */
export function runDirOf(options: RunOptions): RunDir {
  const runId = requireRunId(options);
  const logs = resolve(options.logs);
  return options["per-node"] ? RunDir.of(logs, runId, nodeIdOf(options)) : RunDir.of(logs, runId);
}

/** Where a role of a node registers. */
export function placeOf(options: RunOptions): RolePlace {
  return { runDir: runDirOf(options), runId: requireRunId(options), nodeId: nodeIdOf(options) };
}

/** `path` made absolute against the current folder. */
export function absolute(path: string): string {
  return isAbsolute(path) ? path : join(Deno.cwd(), path);
}

/** Run `check`; a RangeError of it is wrong use. */
export function asUsage<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
