/**
 * One end of a TCP connection that is spoken byte for byte, and a service made of such ends: HTTP as it
 * is on the wire, with all that no library would send.
 */

/** Bytes as text, one character a byte. */
function fromBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** One end of a connection. Texts are Latin-1: one character a byte. */
export class RawPeer implements AsyncDisposable {
  readonly #conn: Deno.TcpConn;
  readonly #buffer = new Uint8Array(64 * 1024);
  /** What came and was not taken yet. */
  #rest = "";

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  /** Connect to 127.0.0.1. */
  static async connect(port: number): Promise<RawPeer> {
    return new RawPeer(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Send `text`. */
  async send(text: string): Promise<void> {
    await this.sendBytes(Uint8Array.from(text, (one) => one.charCodeAt(0)));
  }

  /** Send `bytes`; returns when the kernel has taken them. */
  async sendBytes(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) sent += await this.#conn.write(bytes.subarray(sent));
  }

  /** What comes up to and with `mark`; throws when the connection ends before. */
  async until(mark: string): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf(mark);
      if (end >= 0) {
        const taken = this.#rest.slice(0, end + mark.length);
        this.#rest = this.#rest.slice(end + mark.length);
        return taken;
      }
      if (!await this.#more()) {
        throw new Error(`Connection ended, got ${JSON.stringify(this.#rest)}`);
      }
    }
  }

  /** The head of a message. */
  head(): Promise<string> {
    return this.until("\r\n\r\n");
  }

  /** Exactly `count` bytes. */
  async take(count: number): Promise<string> {
    while (this.#rest.length < count) {
      if (!await this.#more()) throw new Error(`Connection ended, got ${this.#rest.length} bytes`);
    }
    const taken = this.#rest.slice(0, count);
    this.#rest = this.#rest.slice(count);
    return taken;
  }

  /** Skip `count` bytes. */
  async skip(count: number): Promise<void> {
    let left = count - this.#rest.length;
    this.#rest = left < 0 ? this.#rest.slice(count) : "";
    while (left > 0) {
      const got = await this.#conn.read(this.#buffer.subarray(0, Math.min(left, 64 * 1024)));
      if (got === null) throw new Error(`Connection ended ${left} bytes early`);
      left -= got;
    }
  }

  /** All that comes until the other side is done, and how it was done. */
  async toEnd(): Promise<{ readonly text: string; readonly isReset: boolean }> {
    let isReset = false;
    try {
      while (await this.#more());
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
      isReset = true;
    }
    const text = this.#rest;
    this.#rest = "";
    return { text, isReset };
  }

  /** Say that nothing more will be sent. */
  async shutdown(): Promise<void> {
    await this.#conn.closeWrite();
  }

  /** Close the connection. */
  close(): void {
    try {
      this.#conn.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  async #more(): Promise<boolean> {
    const count = await this.#conn.read(this.#buffer);
    if (count === null) return false;
    this.#rest += fromBytes(this.#buffer.subarray(0, count));
    return true;
  }
}

/** A listener whose connections the test speaks itself, in the order in which they come. */
export class RawService implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #peers: RawPeer[] = [];

  /** Its port on 127.0.0.1. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** How many connections were accepted. */
  get acceptedCount(): number {
    return this.#peers.length;
  }

  /** The next connection. */
  async accept(): Promise<RawPeer> {
    const peer = new RawPeer(await this.#listener.accept());
    this.#peers.push(peer);
    return peer;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const peer of this.#peers) peer.close();
    return Promise.resolve();
  }
}
