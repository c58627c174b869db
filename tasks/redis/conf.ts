/** The configuration of a controller's Redis, as text. Pure. */

import { accessRules, QUEUE_USERS, type QueueUser } from "../../scheduler/queue/access.ts";

/** What a controller's redis.conf says. */
export interface RedisConf {
  /** Addresses to listen on. */
  readonly bind: readonly string[];
  /** Port. */
  readonly port: number;
  /** Connections at most. */
  readonly maxClients: number;
  /** Folder of the append-only file, absolute. */
  readonly dataDir: string;
  /** File that takes the server's pid, absolute. */
  readonly pidFile: string;
  /** Log file, absolute. */
  readonly logFile: string;
  /** Password of the default user, who may do everything. */
  readonly adminPassword: string;
  /** SHA-256 of each role's password, hex. */
  readonly passwordHashes: Readonly<Record<QueueUser, string>>;
  /** Put before every key. */
  readonly keyPrefix: string;
  /** Lists of slot tokens other than the usual one. */
  readonly slotsKeys: readonly string[];
  /** Files of the server's certificate; null: no TLS. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string } | null;
}

/** A path or password as redis.conf takes it (sdssplitargs: double quotes, backslash escapes). */
function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

/** The text of redis.conf. */
export function redisConf(conf: RedisConf): string {
  const { bind, port, tls } = conf;
  const transport = tls === null ? [`port ${port}`] : [
    "port 0",
    `tls-port ${port}`,
    `tls-cert-file ${quoted(tls.cert)}`,
    `tls-key-file ${quoted(tls.key)}`,
    `tls-ca-cert-file ${quoted(tls.ca)}`,
    // Roles prove themselves by user and password.
    "tls-auth-clients no",
    'tls-protocols "TLSv1.2 TLSv1.3"',
  ];
  return [
    "# Written by deno task controller; a new start writes it again.",
    `bind ${bind.join(" ")}`,
    "protected-mode yes",
    ...transport,
    `maxclients ${conf.maxClients}`,
    "daemonize yes",
    `dir ${quoted(conf.dataDir)}`,
    `pidfile ${quoted(conf.pidFile)}`,
    `logfile ${quoted(conf.logFile)}`,
    "",
    "# A crash loses at most the last second, which the roles repeat; nothing is ever evicted.",
    "appendonly yes",
    "appendfsync everysec",
    'save ""',
    "maxmemory-policy noeviction",
    "",
    "# The default user is the administrator; each role may touch what its scripts need.",
    `requirepass ${quoted(conf.adminPassword)}`,
    ...QUEUE_USERS.map((user) =>
      ["user", user, "on", `#${conf.passwordHashes[user]}`]
        .concat(
          accessRules(user, { prefix: conf.keyPrefix, slotsKeys: conf.slotsKeys }).map((rule) =>
            rule === "~" ? '"~"' : rule
          ),
        )
        .join(" ")
    ),
    "",
  ].join("\n");
}
