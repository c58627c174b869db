/**
 * One conversation with a Redis at the level of its wire protocol (RESP 2): what a stranger sees. The
 * client library serves the roles; it hides the very refusals that a check looks for.
 */

import type { RedisAddress } from "../../scheduler/queue/url.ts";
import { CommandError } from "../command/main.ts";

/** A reply: errors are values here. */
export type WireReply =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "error"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly WireReply[] };

/** How long a server may take to let us in or to answer, ms: one that speaks another protocol may never do. */
const REPLY_LIMIT_MS = 5000;

/** An open conversation. */
export class RedisWire implements Disposable {
  readonly #connection: Deno.TcpConn | Deno.TlsConn;
  readonly #decoder = new TextDecoder();
  #received = "";

  constructor(connection: Deno.TcpConn | Deno.TlsConn) {
    this.#connection = connection;
  }

  /**
   * Connect to `address`, without a word said yet.
   *
   * @throws {CommandError} when nothing listens there.
   * @throws {Error} when it speaks no TLS, or its certificate is not good; the message says why.
   */
  static async open({ host, port, isTls, tlsCa }: RedisAddress): Promise<RedisWire> {
    const connection = await connect({ host, port });
    if (!isTls) return new RedisWire(connection);
    const caCerts = tlsCa === null ? [] : [tlsCa];
    const secured = await Deno.startTls(connection, { hostname: host, caCerts });
    const wire = new RedisWire(secured);
    await wire.#limited(secured.handshake());
    return wire;
  }

  /** The reply to one command. */
  async ask(...words: readonly string[]): Promise<WireReply> {
    const encoder = new TextEncoder();
    const request = words.map((word) => `$${encoder.encode(word).length}\r\n${word}\r\n`).join("");
    return await this.#limited((async () => {
      await this.#connection.write(encoder.encode(`*${words.length}\r\n${request}`));
      return await this.#reply();
    })());
  }

  /** What `work` on the connection results in; a failed one, or one without an answer, is closed. */
  async #limited<T>(work: Promise<T>): Promise<T> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this[Symbol.dispose]();
    }, REPLY_LIMIT_MS);
    try {
      return await work;
    } catch (error) {
      this[Symbol.dispose]();
      if (!isLate) throw error;
      throw new Deno.errors.TimedOut(`no answer within ${REPLY_LIMIT_MS / 1000} s`, {
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch (error) {
      // Closed already, after a failure.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #reply(): Promise<WireReply> {
    const line = await this.#take(() => this.#received.indexOf("\r\n"), 2);
    const [kind, rest] = [line[0], line.slice(1)];
    if (kind === "+" || kind === ":") return { kind: "text", text: rest };
    if (kind === "-") return { kind: "error", text: rest };
    if (kind === "$") {
      const length = Number(rest);
      if (length < 0) return { kind: "text", text: "" };
      const isThere = () => (this.#received.length >= length + 2 ? length : -1);
      return { kind: "text", text: await this.#take(isThere, 2) };
    }
    if (kind === "*") {
      const items: WireReply[] = [];
      for (let left = Number(rest); left > 0; left--) items.push(await this.#reply());
      return { kind: "list", items };
    }
    throw new SyntaxError(`Cannot read the reply: RESP is required, got ${JSON.stringify(line)}`);
  }

  /** What was received up to where `end` says, `skip` more characters taken off; waits for it. */
  async #take(end: () => number, skip: number): Promise<string> {
    const buffer = new Uint8Array(4096);
    for (;;) {
      const at = end();
      if (at >= 0) {
        const taken = this.#received.slice(0, at);
        this.#received = this.#received.slice(at + skip);
        return taken;
      }
      const count = await this.#connection.read(buffer);
      if (count === null) throw new Deno.errors.ConnectionReset("the server closed the connection");
      this.#received += this.#decoder.decode(buffer.subarray(0, count), { stream: true });
    }
  }
}

async function connect({ host, port }: { host: string; port: number }): Promise<Deno.TcpConn> {
  try {
    const signal = AbortSignal.timeout(REPLY_LIMIT_MS);
    return await Deno.connect({ hostname: host, port, signal });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new CommandError(`Cannot reach ${host} port ${port}: ${error.message}`, { cause: error });
  }
}
