/**
 * One conversation with a Redis at the level of its wire protocol: what a stranger sees. The client
 * of the roles retries; it hides the refusals that a check looks for.
 */

import {
  ReplyError,
  RespConnection,
  type RespReply,
  UnreachableError,
} from "../../scheduler/queue/resp.ts";
import type { RedisAddress } from "../../scheduler/queue/url.ts";
import { CommandError } from "../command/main.ts";

/** A reply: errors are values here. */
export type WireReply =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "error"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly WireReply[] };

/** How long a server may take to let us in or to answer, ms: one that uses another protocol may never do. */
const REPLY_LIMIT_MS = 5000;

/** An open conversation. */
export class RedisWire implements Disposable {
  readonly #connection: RespConnection;

  private constructor(connection: RespConnection) {
    this.#connection = connection;
  }

  /**
   * Connect to `address`, without sending anything yet.
   *
   * @throws {CommandError} when nothing listens there.
   * @throws {Error} when it does not use TLS, or its certificate is not valid; the message says why.
   */
  static async open(address: RedisAddress): Promise<RedisWire> {
    try {
      return new RedisWire(await RespConnection.open(address, { limitMs: REPLY_LIMIT_MS }));
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      const { host, port } = address;
      throw new CommandError(`Cannot reach ${host} port ${port}: ${error.message}`, {
        cause: error,
      });
    }
  }

  /** The reply to one command. */
  async ask(...words: readonly string[]): Promise<WireReply> {
    return wireReply(await this.#connection.send(words));
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }
}

function wireReply(reply: RespReply): WireReply {
  if (reply instanceof ReplyError) return { kind: "error", text: reply.message };
  if (reply === null) return { kind: "text", text: "" };
  if (typeof reply === "object") return { kind: "list", items: reply.map(wireReply) };
  return { kind: "text", text: String(reply) };
}
