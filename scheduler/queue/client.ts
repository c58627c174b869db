/**
 * What {@linkcode RedisConnection} needs of a client of Redis. Roles use the library; a command that
 * asks a few things and ends uses {@linkcode PlainClient}, which starts ten times as fast.
 *
 * @module
 */

import type { RedisAddress } from "./url.ts";

/**
 * What an error of a client means: Redis replied with it; the client was closed by its owner; the client
 * gave up on a server that refuses it; or, for any other, the connection was lost.
 */
export type ClientErrorKind = "reply" | "closed" | "refused" | "lost";

/** A client that connects again after each loss; commands wait meanwhile. */
export interface RedisClient {
  /** True from {@linkcode connect} to {@linkcode destroy}. */
  readonly isOpen: boolean;
  /** True while the server can be reached. */
  readonly isReady: boolean;
  /** Connect; resolves when the server is ready, rejects when it refuses us. */
  connect(): Promise<unknown>;
  /** The reply to PING. */
  ping(): Promise<unknown>;
  /** The reply to one command; rejects when Redis replies with an error or the connection is lost. */
  sendCommand<T>(args: readonly string[]): Promise<T>;
  /** Call `listener` for each message on `channel`. */
  subscribe(channel: string, listener: (message: string) => void): Promise<void>;
  /** Close at once; what is under way is rejected. */
  destroy(): void;
  /** Called for each failed attempt to connect, and for each loss. */
  on(event: "error", listener: (error: Error) => void): unknown;
  /** Called each time the server is ready. */
  on(event: "ready", listener: () => void): unknown;
}

/** A kind of client. */
export interface ClientKind {
  /** A client of `address`, not connected yet; it gives up after an error of which `isFinal` is true. */
  readonly create: (address: RedisAddress, isFinal: (error: Error) => boolean) => RedisClient;
  /** What an error of such a client means. */
  readonly kindOf: (error: Error) => ClientErrorKind;
}

/**
 * A connection without any traffic for this long is taken for dead, ms. Every role sends something
 * each 2 s; without the limit a peer that vanished without a word would be waited for by TCP's own
 * timers (15 minutes).
 */
export const SILENCE_LIMIT_MS = 10_000;

/** How long an attempt to connect may take, ms. */
export const CONNECT_LIMIT_MS = 5000;

/** Longest pause between two attempts to reach a lost server, ms: a run resumes within it. */
const RETRY_MAX_MS = 1000;

/** Pause before attempt `retries` (from 0) to reach a lost server, ms. */
export function retryPauseMs(retries: number): number {
  return Math.min(50 * 2 ** retries, RETRY_MAX_MS);
}
