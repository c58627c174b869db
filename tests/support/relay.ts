/**
 * A TCP relay that fails as networks do: it swallows everything without a word, loses what one side
 * says, holds messages back and delivers them late, or cuts connections.
 */

interface Pair {
  readonly client: Deno.TcpConn;
  readonly server: Deno.TcpConn;
  /** Replies are swallowed. */
  isDeaf: boolean;
}

/** Replies that are to be lost from a request on. */
interface Trap {
  readonly text: string;
  readonly sprung: PromiseWithResolvers<void>;
}

/** A relay to one port of this machine. */
export class Relay implements AsyncDisposable {
  /** Where to connect to. */
  readonly port: number;
  readonly #target: number;
  readonly #listener: Deno.TcpListener;
  readonly #pairs = new Set<Pair>();
  readonly #work: Promise<void>;
  #mode: "open" | "stalled" | "cut" = "open";
  #gate = Promise.withResolvers<void>();
  #trap: Trap | null = null;
  #edit: ((text: string) => string) | null = null;

  private constructor(target: number) {
    this.#target = target;
    this.#gate.resolve();
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#work = this.#accept();
  }

  /** Relay to `target`. */
  static to(target: number): Relay {
    return new Relay(target);
  }

  /** Put `edit` between the server and who listens to it: each chunk of a reply, as bytes in Latin-1. */
  editReplies(edit: (text: string) => string): void {
    this.#edit = edit;
  }

  /** `url` with the relay's port instead of that of the server. */
  through(url: string): string {
    return url.replace(`:${this.#target}`, `:${this.port}`);
  }

  /** Swallow everything from now on; new connections are accepted and never answered. */
  stall(): void {
    this.#mode = "stalled";
  }

  /** Close all connections; new ones are closed at once. */
  cut(): void {
    this.#mode = "cut";
    this.#closeAll();
  }

  /** Let requests through from now on, and swallow every reply. */
  loseReplies(): void {
    for (const pair of this.#pairs) pair.isDeaf = true;
  }

  /** Swallow all replies to the connection that says `text`, from that request on; resolves then. */
  loseReplyTo(text: string): Promise<void> {
    this.#trap = { text, sprung: Promise.withResolvers<void>() };
    return this.#trap.sprung.promise;
  }

  /** Keep requests back until {@linkcode release}. */
  hold(): void {
    this.#gate = Promise.withResolvers<void>();
  }

  /** Deliver what was held back. */
  release(): void {
    this.#gate.resolve();
  }

  /** Relay again: new connections; what was swallowed is gone, so the old ones are cut. */
  open(): void {
    this.#mode = "open";
    this.#closeAll();
    this.release();
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      const server = await this.#connect();
      if (server === null || this.#mode === "cut") {
        client.close();
        server?.close();
        continue;
      }
      const pair = { client, server, isDeaf: false };
      this.#pairs.add(pair);
      this.#relay(pair, "requests");
      this.#relay(pair, "replies");
    }
  }

  /** A connection to the server; null when it is gone. */
  async #connect(): Promise<Deno.TcpConn | null> {
    try {
      return await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return null;
    }
  }

  async #relay(pair: Pair, what: "requests" | "replies"): Promise<void> {
    const [from, to] = what === "requests"
      ? [pair.client, pair.server]
      : [pair.server, pair.client];
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) break;
        const chunk = buffer.subarray(0, count);
        if (what === "requests") {
          await this.#gate.promise;
          this.#springTrap(pair, chunk);
        }
        const isSwallowed = this.#mode === "stalled" || (what === "replies" && pair.isDeaf);
        const isEdited = what === "replies" && this.#edit !== null;
        if (!isSwallowed) await writeAll(to, isEdited ? this.#edited(chunk) : chunk);
      }
    } catch (error) {
      // Closed by us, or by either side: then the other one ends too.
      if (!(error instanceof Error)) throw error;
    }
    this.#close(pair);
  }

  #edited(chunk: Uint8Array): Uint8Array {
    const text = String.fromCharCode(...chunk);
    return Uint8Array.from(this.#edit?.(text) ?? text, (one) => one.charCodeAt(0));
  }

  #springTrap(pair: Pair, chunk: Uint8Array): void {
    if (this.#trap === null || !new TextDecoder().decode(chunk).includes(this.#trap.text)) return;
    pair.isDeaf = true;
    this.#trap.sprung.resolve();
    this.#trap = null;
  }

  #close(pair: Pair): void {
    if (!this.#pairs.delete(pair)) return;
    pair.client.close();
    pair.server.close();
  }

  #closeAll(): void {
    for (const pair of this.#pairs) this.#close(pair);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.open();
    await this.#work;
  }
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await to.write(bytes.subarray(written));
  }
}
