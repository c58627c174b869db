/**
 * One conversation with a Redis at the level of its wire protocol (RESP 2): what a stranger sees. The
 * client library serves the roles; it hides the very refusals that a check looks for.
 */

import type { RedisAddress } from "../scheduler/redis_url.ts";

/** A reply: errors are values here. */
export type WireReply =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "error"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly WireReply[] };

/** How long a server may take to answer, ms: one that speaks another protocol may never do. */
const REPLY_LIMIT_MS = 5000;

/** An open conversation. */
export class RedisWire implements Disposable {
  readonly #connection: Deno.TcpConn | Deno.TlsConn;
  readonly #decoder = new TextDecoder();
  #received = "";

  constructor(connection: Deno.TcpConn | Deno.TlsConn) {
    this.#connection = connection;
  }

  /** Connect to `address`, without a word said yet. */
  static async open({ host: hostname, port, isTls, tlsCa }: RedisAddress): Promise<RedisWire> {
    if (!isTls) return new RedisWire(await Deno.connect({ hostname, port }));
    const caCerts = tlsCa === null ? {} : { caCerts: [tlsCa] };
    return new RedisWire(await Deno.connectTls({ hostname, port, ...caCerts }));
  }

  /** The reply to one command. */
  async ask(...words: readonly string[]): Promise<WireReply> {
    const encoder = new TextEncoder();
    const request = words.map((word) => `$${encoder.encode(word).length}\r\n${word}\r\n`).join("");
    const timer = setTimeout(() => this[Symbol.dispose](), REPLY_LIMIT_MS);
    try {
      await this.#connection.write(encoder.encode(`*${words.length}\r\n${request}`));
      return await this.#reply();
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch (error) {
      // Closed already, by the time limit.
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
