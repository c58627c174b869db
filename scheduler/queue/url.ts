/**
 * Where Redis is and how it is entered, from the URL forms that people use for it.
 *
 * @module
 */

/** A Redis server and the credentials for it. */
export interface RedisAddress {
  /** Host name or address, IPv6 without brackets. */
  readonly host: string;
  /** TCP port. */
  readonly port: number;
  /** Number of the database. */
  readonly database: number;
  /** User of an ACL; null: the default user. */
  readonly username: string | null;
  /** Password; null: none. Never to be printed. */
  readonly password: string | null;
  /** True for `rediss://`. */
  readonly isTls: boolean;
  /** Certificates of the authorities that may sign the server's certificate, PEM; null: those of the system. */
  readonly tlsCa: string | null;
}

/** What is beside the URL. */
export interface RedisUrlOptions {
  /** Password for a URL that has none (REDIS_PASSWORD, or a file). Default: none. */
  readonly password?: string | null;
  /** Certificates of authorities, PEM, for `rediss://`. Default: those of the system. */
  readonly tlsCa?: string | null;
}

/**
 * The address in `url`: `redis://[[user]:password@]host[:port][/db][?password=…][&username=…][&db=…]`, or
 * `rediss://` for TLS. A password in the authority wins over one in the query, and both over the
 * option's.
 *
 * @throws {RangeError} saying what is wrong, without any part of the URL that may hold a secret.
 */
export function parseRedisUrl(url: string, options: RedisUrlOptions = {}): RedisAddress {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw required("a URL like redis://:PASSWORD@HOST:6379/0");
  }
  const { protocol, searchParams } = parsed;
  if (protocol !== "redis:" && protocol !== "rediss:") {
    throw required("redis:// or rediss:// at its start", `${protocol}//`);
  }
  if (parsed.hostname === "") throw required("a host");
  for (const name of searchParams.keys()) {
    if (!["password", "username", "db"].includes(name)) {
      throw required("no parameter but password, username and db");
    }
  }
  const path = parsed.pathname.replace(/^\//, "");
  const database = path === "" ? searchParams.get("db") ?? "0" : path;
  if (!/^\d{1,5}$/.test(database)) {
    // What is here may be the rest of a password with an unencoded slash: it is not repeated.
    throw required("a database number after the host (in a password, / is written %2F)");
  }
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: parsed.port === "" ? 6379 : Number(parsed.port),
    database: Number(database),
    username: decoded(parsed.username) || searchParams.get("username") || null,
    password: decoded(parsed.password) || searchParams.get("password") || options.password || null,
    isTls: protocol === "rediss:",
    tlsCa: options.tlsCa ?? null,
  };
}

/** `address` for people: host, port and database, no secret. */
export function describeAddress({ host, port, database }: RedisAddress): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}/${database}`;
}

/** A percent sign that encodes nothing is the sign itself: people paste passwords as they are. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return text;
  }
}

function required(what: string, got: string | null = null): RangeError {
  const current = got === null ? "" : `, got ${JSON.stringify(got)}`;
  return new RangeError(`Cannot use the URL of Redis: ${what} is required${current}`);
}
