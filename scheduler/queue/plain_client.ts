/**
 * The client of a command that asks a few things and ends. The library costs 70 ms and Deno's Node
 * layer at each start; this is the part of it that such a command uses.
 *
 * @module
 */

import {
  type ClientErrorKind,
  type ClientKind,
  type RedisClient,
  retryPauseMs,
  SILENCE_LIMIT_MS,
} from "./client.ts";
import { ReplyError, RespConnection } from "./resp.ts";
import type { RedisAddress } from "./url.ts";

class ClosedError extends Error {
  override readonly name = "ClosedError";
}

/** Connects again after each loss; commands wait meanwhile. It cannot subscribe. */
class PlainClient implements RedisClient {
  readonly #address: RedisAddress;
  readonly #isFinal: (error: Error) => boolean;
  readonly #onError: ((error: Error) => void)[] = [];
  readonly #onReady: (() => void)[] = [];
  readonly #closed = new AbortController();
  #wire: RespConnection | null = null;
  #reaching: Promise<RespConnection> | null = null;

  constructor(address: RedisAddress, isFinal: (error: Error) => boolean) {
    this.#address = address;
    this.#isFinal = isFinal;
  }

  get isOpen(): boolean {
    return !this.#closed.signal.aborted;
  }

  get isReady(): boolean {
    return this.#wire !== null;
  }

  async connect(): Promise<void> {
    await this.#reach();
  }

  ping(): Promise<unknown> {
    return this.sendCommand(["PING"]);
  }

  async sendCommand<T>(args: readonly string[]): Promise<T> {
    const wire = await this.#reach();
    try {
      const reply = await wire.send(args);
      if (reply instanceof ReplyError) throw reply;
      return reply as T;
    } catch (error) {
      if (!(error instanceof Error) || error instanceof ReplyError) throw error;
      this.#requireOpen();
      if (this.#wire === wire) {
        this.#wire = null;
        this.#tell(error);
      }
      throw error;
    }
  }

  subscribe(): Promise<void> {
    throw new TypeError("Cannot subscribe with a plain client: the library client is required");
  }

  destroy(): void {
    this.#closed.abort();
    this.#wire?.[Symbol.dispose]();
    this.#wire = null;
  }

  on(event: "error" | "ready", listener: (error: Error) => void): void {
    if (event === "error") this.#onError.push(listener);
    else this.#onReady.push(listener as () => void);
  }

  #tell(error: Error): void {
    for (const listener of this.#onError) listener(error);
  }

  #requireOpen(): void {
    if (!this.isOpen) throw new ClosedError("The client is closed");
  }

  /** The socket; commands that come while it is being opened wait for the same one. */
  async #reach(): Promise<RespConnection> {
    this.#requireOpen();
    if (this.#wire !== null) return this.#wire;
    this.#reaching ??= this.#establish();
    try {
      return await this.#reaching;
    } finally {
      this.#reaching = null;
    }
  }

  async #establish(): Promise<RespConnection> {
    for (let retries = 0;; retries++) {
      try {
        const wire = await this.#enter();
        this.#wire = wire;
        for (const listener of this.#onReady) listener();
        return wire;
      } catch (error) {
        this.#requireOpen();
        if (!(error instanceof Error) || this.#isFinal(error)) throw error;
        this.#tell(error);
        await pause(retryPauseMs(retries), this.#closed.signal);
        this.#requireOpen();
      }
    }
  }

  /** Connect, log in, and choose the database. */
  async #enter(): Promise<RespConnection> {
    const { username, password, database } = this.#address;
    const wire = await RespConnection.open(this.#address, { limitMs: SILENCE_LIMIT_MS });
    const entry: (readonly string[])[] = [];
    if (password !== null) entry.push(["AUTH", ...username === null ? [] : [username], password]);
    if (database !== 0) entry.push(["SELECT", String(database)]);
    for (const words of entry) {
      const reply = await wire.send(words);
      if (!(reply instanceof ReplyError)) continue;
      wire[Symbol.dispose]();
      throw reply;
    }
    if (this.isOpen) return wire;
    wire[Symbol.dispose]();
    throw new ClosedError("The client is closed");
  }
}

/** Resolves after `durationMs`, or as soon as `signal` is aborted. */
function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, durationMs);
    signal.addEventListener("abort", finish, { once: true });
  });
}

function create(address: RedisAddress, isFinal: (error: Error) => boolean): RedisClient {
  return new PlainClient(address, isFinal);
}

function kindOf(error: Error): ClientErrorKind {
  if (error instanceof ReplyError) return "reply";
  return error instanceof ClosedError ? "closed" : "lost";
}

/** The client of a command that asks a few things and ends. */
export const PLAIN_CLIENT: ClientKind = { create, kindOf };
