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
  // By hand: the platform's URL class cuts at #, and encodes or reads + and blanks in its own way.
  const [, scheme, rest = ""] = /^([a-z][a-z0-9+.-]*:)(?:\/\/(.*))?$/is.exec(url) ?? [];
  if (scheme === undefined) throw required("a URL like redis://:PASSWORD@HOST:6379/0");
  if (!/^rediss?:$/i.test(scheme)) throw required("redis:// or rediss:// at its start");
  if (rest.includes("#")) throw required("no # (in a password it is written %23)");
  const [, authority = "", path = "", query = ""] = /^([^/?]*)([^?]*)\??(.*)$/s.exec(rest) ?? [];
  const at = authority.lastIndexOf("@");
  const { host, port } = parseHost(authority.slice(at + 1));
  const [user = "", ...secret] = authority.slice(0, Math.max(0, at)).split(":");
  const parameters = parseQuery(query);
  const database = /^\/?$/.test(path) ? parameters.get("db") ?? "0" : path.slice(1);
  if (!/^\d{1,5}$/.test(database)) {
    // What is here may be the rest of a password with an unencoded slash: it is not repeated.
    throw required("a database number after the host (in a password, / is written %2F)");
  }
  const password = decoded(secret.join(":")) || parameters.get("password");
  return {
    host,
    port,
    database: Number(database),
    username: decoded(user) || parameters.get("username") || null,
    password: password || options.password || null,
    isTls: scheme.toLowerCase() === "rediss:",
    tlsCa: options.tlsCa ?? null,
  };
}

/** `address` as a URL without the password. */
export function urlWithoutPassword(address: RedisAddress): string {
  const user = address.username === null ? "" : `${encodeURIComponent(address.username)}@`;
  return `${address.isTls ? "rediss" : "redis"}://${user}${describeAddress(address)}`;
}

/** Host and port; the host is never a piece of a password that was cut in the wrong place. */
function parseHost(text: string): Pick<RedisAddress, "host" | "port"> {
  if (text === "") throw required("a host");
  const found = /^(?:\[([\da-f:.%]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i.exec(text);
  const port = Number(found?.[3] ?? 6379);
  if (found === null || port > 65_535) {
    throw required("HOST:PORT after the password (in a password, / ? # are written %2F %3F %23)");
  }
  return { host: found[1] ?? found[2] ?? "", port };
}

function parseQuery(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const one of query === "" ? [] : query.split("&")) {
    const [name = "", ...value] = one.split("=");
    if (!["password", "username", "db"].includes(name)) {
      throw required(
        "no parameter but password, username and db (in a password, & is written %26)",
      );
    }
    parameters.set(name, decoded(value.join("=")));
  }
  return parameters;
}

/** `address` for people: host, port and database, no secret. */
export function describeAddress({ host, port, database }: RedisAddress): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}/${database}`;
}

/**
 * What `text` of a URL means. A percent sign that encodes nothing is the sign itself, as people paste
 * passwords; where it could be either, nothing is guessed.
 */
function decoded(text: string): string {
  const signs = text.match(/%/g)?.length ?? 0;
  const escapes = text.match(/%[\da-f]{2}/gi) ?? [];
  if (escapes.length === 0) return text;
  // No encoder encodes these: such a text is a password that has not been encoded.
  const isPlain = escapes.some((one) =>
    /[\w.~-]/.test(String.fromCharCode(parseInt(one.slice(1), 16)))
  );
  try {
    if (escapes.length === signs && !isPlain) return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
  }
  throw required("%25 for each % of the password (or REDIS_PASSWORD, which takes it as it is)");
}

function required(what: string): RangeError {
  return new RangeError(`Cannot use the URL of Redis: ${what} is required`);
}
