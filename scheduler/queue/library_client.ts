/**
 * The client of the roles: npm's redis.
 *
 * @module
 */

import {
  ClientClosedError,
  createClient,
  DisconnectsClientError,
  ErrorReply,
  ReconnectStrategyError,
} from "redis";
import {
  type ClientErrorKind,
  type ClientKind,
  CONNECT_LIMIT_MS,
  type RedisClient,
  retryPauseMs,
  SILENCE_LIMIT_MS,
} from "./client.ts";
import type { RedisAddress } from "./url.ts";

function create(address: RedisAddress, isFinal: (error: Error) => boolean): RedisClient {
  const { host, port, database, username, password, isTls, tlsCa } = address;
  return createClient({
    // RESP 2: pushes of RESP 3 cost a parse per reply and are not used.
    RESP: 2,
    // The default timeout of each command holds 600 B per command for as long as it could fire.
    commandOptions: { timeout: 0 },
    maintNotifications: "disabled",
    // CLIENT SETINFO would be one more right that each role needs.
    disableClientInfo: true,
    database,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    pingInterval: SILENCE_LIMIT_MS / 2,
    socket: {
      host,
      port,
      ...(isTls ? { tls: true as const, ...(tlsCa === null ? {} : { ca: tlsCa }) } : {}),
      connectTimeout: CONNECT_LIMIT_MS,
      socketTimeout: SILENCE_LIMIT_MS,
      reconnectStrategy: (retries: number, cause: Error) =>
        isFinal(cause) ? false : retryPauseMs(retries),
    },
  });
}

function kindOf(error: Error): ClientErrorKind {
  if (error instanceof ErrorReply) return "reply";
  if (error instanceof ClientClosedError || error instanceof DisconnectsClientError) {
    return "closed";
  }
  return error instanceof ReconnectStrategyError ? "refused" : "lost";
}

/** npm's redis. */
export const LIBRARY_CLIENT: ClientKind = { create, kindOf };
