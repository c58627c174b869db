/**
 * What each role may do in Redis, as rules of its ACL: the keys of the queue, the commands that its
 * scripts are made of, and nothing else. The commands are read off the scripts themselves, so that a
 * changed script cannot be forgotten here.
 *
 * @module
 */

import { Keys } from "./keys.ts";
import { type Script, SCRIPTS } from "./scripts.ts";

/** Users of the queue; the default user is the administrator's. */
export const QUEUE_USERS = ["dispatcher", "scheduler", "worker", "operator"] as const;

/** One of {@linkcode QUEUE_USERS}. */
export type QueueUser = typeof QUEUE_USERS[number];

/** What every connection says: who it is, whether the server lives, which script to run. */
const CONNECTION_COMMANDS = [
  "auth",
  "hello",
  "ping",
  "select",
  "info",
  "time",
  "evalsha",
  "script|load",
  "subscribe",
  "unsubscribe",
];

/** What `status`, `submit` and `wait` read with. */
const READING = [
  ...["exists", "get", "hexists", "hget", "hgetall", "hlen", "hmget", "lindex", "llen", "lpos"],
  ...["lrange", "scan", "smembers", "zcard", "zrange", "zscore"],
];

/** Scripts of each user, and the plain commands that it reads with. */
const USES: Readonly<
  Record<QueueUser, { readonly scripts: readonly Script[]; readonly commands: readonly string[] }>
> = {
  dispatcher: {
    scripts: [SCRIPTS.enqueue],
    commands: READING,
  },
  scheduler: {
    scripts: [
      SCRIPTS.adopt,
      SCRIPTS.assign,
      SCRIPTS.bury,
      SCRIPTS.cancelRemoved,
      SCRIPTS.configure,
      SCRIPTS.disown,
      SCRIPTS.lead,
      SCRIPTS.lose,
      SCRIPTS.readNodes,
      SCRIPTS.resign,
      SCRIPTS.settle,
      SCRIPTS.trimResults,
    ],
    commands: ["llen", "lrange", "zrange", "hget", "hmget", "hlen"],
  },
  worker: {
    scripts: [
      SCRIPTS.adopt,
      SCRIPTS.bury,
      SCRIPTS.cancelRemoved,
      SCRIPTS.claim,
      SCRIPTS.claimDirect,
      SCRIPTS.drain,
      SCRIPTS.finish,
      SCRIPTS.heartbeat,
      SCRIPTS.leave,
      SCRIPTS.register,
      SCRIPTS.resume,
    ],
    commands: ["lrange", "hget", "hkeys", "hmget"],
  },
  operator: {
    scripts: [
      SCRIPTS.bury,
      SCRIPTS.cancel,
      SCRIPTS.drain,
      SCRIPTS.enqueue,
      SCRIPTS.readNodes,
      SCRIPTS.requeue,
    ],
    commands: [...READING, "lrem"],
  },
};

/** The commands that `script` may call, in lower case. */
function commandsOf({ source }: Script): string[] {
  return [...source.matchAll(/\bcall\('([A-Z]+)'/g)].map(([, name = ""]) => name.toLowerCase());
}

/** Which keys a user of the queue may touch. */
export interface AccessOptions {
  /** Put before every key. */
  readonly prefix: string;
  /** Lists of slot tokens other than the usual one. Default: none. */
  readonly slotsKeys?: readonly string[];
}

/** Patterns of the queue's keys and channels. */
function patterns({ prefix, slotsKeys = [] }: AccessOptions): string[] {
  // A prefix may hold what a pattern takes for its own.
  const escaped = prefix.replace(/[\\*?[\]^]/g, "\\$&");
  const lists = ["q:*", "cap:*", "cap_total:*", "run_count:*", "phys:*", "ratio:*", "tk:*"];
  return [
    // Scripts get the prefix itself as their only declared key.
    `~${escaped}`,
    ...[...lists, Keys.SLOTS, ...slotsKeys].map((name) => `~${escaped}${name}`),
    `&${escaped}tk:wake*`,
  ];
}

/**
 * Rules of `user` for `ACL SETUSER` or a line `user NAME …` of redis.conf, without name and password
 * (redis.io, ACL).
 */
export function accessRules(user: QueueUser, options: AccessOptions): string[] {
  const { scripts, commands } = USES[user];
  const allowed = new Set([...CONNECTION_COMMANDS, ...commands, ...scripts.flatMap(commandsOf)]);
  return [
    "resetkeys",
    "resetchannels",
    ...patterns(options),
    "-@all",
    ...[...allowed].sort().map((name) => `+${name}`),
  ];
}
