/**
 * Redis' wire protocol, RESP 2 (redis.io, Redis serialization protocol specification), over one socket.
 * It is for what the library cannot do: start within milliseconds, without third-party code, and show
 * the refusals of a server as they are.
 *
 * @module
 */

import type { RedisAddress } from "./url.ts";

/** An error that Redis replied with. */
export class ReplyError extends Error {
  /** Name of the class. */
  override readonly name = "ReplyError";
}

/** Nothing can be reached at an address; the message says why, without the address. */
export class UnreachableError extends Error {
  /** Name of the class. */
  override readonly name = "UnreachableError";
}

/** A reply; an error is a value here. */
export type RespReply = string | number | null | ReplyError | readonly RespReply[];

/** How {@linkcode RespConnection.open} connects. */
export interface RespOptions {
  /** How long the server may take to let us in, and then for each reply, ms. */
  readonly limitMs: number;
}

/** Bytes that are read at once. */
const CHUNK_BYTES = 64 * 1024;

const NEWLINE = "\n".charCodeAt(0);

/** An open socket to Redis; commands may be sent before earlier ones are answered. */
export class RespConnection implements Disposable {
  readonly #socket: Deno.TcpConn | Deno.TlsConn;
  readonly #limitMs: number;
  readonly #input: ByteReader;
  #written: Promise<void> = Promise.resolve();
  #answered: Promise<unknown> = Promise.resolve();

  private constructor(socket: Deno.TcpConn | Deno.TlsConn, { limitMs }: RespOptions) {
    this.#socket = socket;
    this.#limitMs = limitMs;
    this.#input = new ByteReader(socket);
  }

  /**
   * Connect to `address`, without sending anything yet.
   *
   * @throws {UnreachableError} when nothing listens there.
   * @throws {Error} when it does not use TLS, or its certificate is not valid; the message says why.
   */
  static async open(address: RedisAddress, options: RespOptions): Promise<RespConnection> {
    const { host, isTls, tlsCa } = address;
    const socket = await connect(address, options);
    if (!isTls) return new RespConnection(socket, options);
    const caCerts = tlsCa === null ? [] : [tlsCa];
    const secured = await Deno.startTls(socket, { hostname: host, caCerts });
    const connection = new RespConnection(secured, options);
    await connection.#limited(secured.handshake());
    return connection;
  }

  /** The reply to one command. A connection that fails or does not answer is closed. */
  send(words: readonly string[]): Promise<RespReply> {
    const request = encoded(words);
    const written = this.#written = this.#written.then(() => this.#write(request));
    // Its failure is told by the reply, for which an earlier command may still wait.
    written.catch((_error: Error) => {});
    const reply = this.#answered.then(() => written).then(() => this.#reply());
    // What is sent later waits for this reply, whatever becomes of it.
    this.#answered = Promise.allSettled([reply]);
    return this.#limited(reply);
  }

  /** Close the socket. */
  [Symbol.dispose](): void {
    try {
      this.#socket.close();
    } catch (error) {
      // Closed already, after a failure.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  /** What `work` on the connection results in; when it fails or takes too long, the socket is closed. */
  async #limited<T>(work: Promise<T>): Promise<T> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this[Symbol.dispose]();
    }, this.#limitMs);
    try {
      return await work;
    } catch (error) {
      this[Symbol.dispose]();
      if (!isLate) throw error;
      throw new Deno.errors.TimedOut(`no answer within ${this.#limitMs / 1000} s`, {
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      done += await this.#socket.write(bytes.subarray(done));
    }
  }

  async #reply(): Promise<RespReply> {
    const line = await this.#input.line();
    const [kind, rest] = [line[0], line.slice(1)];
    if (kind === "+") return rest;
    if (kind === "-") return new ReplyError(rest);
    if (kind === ":") return Number(rest);
    if (kind === "$") return rest === "-1" ? null : await this.#input.text(Number(rest));
    if (kind === "*") {
      if (rest === "-1") return null;
      const items: RespReply[] = [];
      for (let left = Number(rest); left > 0; left--) items.push(await this.#reply());
      return items;
    }
    throw new SyntaxError(`Cannot read the reply: RESP is required, got ${JSON.stringify(line)}`);
  }
}

async function connect(
  { host, port }: RedisAddress,
  { limitMs }: RespOptions,
): Promise<Deno.TcpConn> {
  try {
    return await Deno.connect({ hostname: host, port, signal: AbortSignal.timeout(limitMs) });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new UnreachableError(error.message, { cause: error });
  }
}

function encoded(words: readonly string[]): Uint8Array {
  const encoder = new TextEncoder();
  const parts = words.map((word) => `$${encoder.encode(word).length}\r\n${word}\r\n`);
  return encoder.encode(`*${words.length}\r\n${parts.join("")}`);
}

/** Lines and texts of a known length out of a stream of bytes. */
class ByteReader {
  readonly #source: Deno.TcpConn | Deno.TlsConn;
  readonly #decoder = new TextDecoder();
  #bytes = new Uint8Array(0);

  constructor(source: Deno.TcpConn | Deno.TlsConn) {
    this.#source = source;
  }

  /** The next line, without its end (CR LF). */
  async line(): Promise<string> {
    for (let from = 0;;) {
      const end = this.#bytes.indexOf(NEWLINE, from);
      if (end >= 0) return this.#take(end + 1).slice(0, -2);
      from = this.#bytes.length;
      await this.#more();
    }
  }

  /** The next `length` bytes, and the end of their line. */
  async text(length: number): Promise<string> {
    while (this.#bytes.length < length + 2) await this.#more();
    return this.#take(length + 2).slice(0, -2);
  }

  #take(length: number): string {
    const text = this.#decoder.decode(this.#bytes.subarray(0, length));
    this.#bytes = this.#bytes.subarray(length);
    return text;
  }

  async #more(): Promise<void> {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const count = await this.#source.read(chunk);
    if (count === null) throw new Deno.errors.ConnectionReset("the server closed the connection");
    const joined = new Uint8Array(this.#bytes.length + count);
    joined.set(this.#bytes);
    joined.set(chunk.subarray(0, count), this.#bytes.length);
    this.#bytes = joined;
  }
}
