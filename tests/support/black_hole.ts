/**
 * A TCP relay that can swallow everything without a word, as a network does that fails: no end of
 * stream, no reset, nothing.
 */

/** A relay to one port of this machine. */
export class BlackHole implements AsyncDisposable {
  /** Where to connect to. */
  readonly port: number;
  readonly #target: number;
  readonly #listener: Deno.TcpListener;
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #work: Promise<void>;
  #isOpen = true;

  private constructor(target: number) {
    this.#target = target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#work = this.#accept();
  }

  /** Relay to `target`. */
  static to(target: number): BlackHole {
    return new BlackHole(target);
  }

  /** Swallow everything from now on; new connections are accepted and never answered. */
  close(): void {
    this.#isOpen = false;
  }

  /** Relay again: new connections; what was swallowed is gone, so the old ones are cut. */
  open(): void {
    this.#isOpen = true;
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
  }

  async #accept(): Promise<void> {
    for await (const inner of this.#listener) {
      const outer = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
      this.#connections.add(inner).add(outer);
      this.#relay(inner, outer);
      this.#relay(outer, inner);
    }
  }

  async #relay(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) break;
        if (this.#isOpen) await to.write(buffer.subarray(0, count));
      }
    } catch (error) {
      // Closed by us, or by either side: then the other one ends too.
      if (!(error instanceof Error)) throw error;
    }
    for (const one of [from, to]) {
      if (this.#connections.delete(one)) one.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.open();
    await this.#work;
  }
}
