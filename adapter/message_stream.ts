/**
 * JSON Lines over a pair of byte streams.
 *
 * @module
 */

/**
 * Longest accepted message, bytes: a task with its whole environment is a few kB, and 16 MiB is beyond
 * any. Without a bound a peer that never sends a newline would fill the memory.
 */
const MESSAGE_LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * The messages of a stream, parsed, until it ends; a last line without its newline is dropped.
 *
 * @throws {SyntaxError} when a line is not JSON, or too long.
 */
export async function* readMessages(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MESSAGE_LIMIT_BYTES) {
      throw new SyntaxError(`Cannot read a message: at most ${MESSAGE_LIMIT_BYTES} bytes allowed`);
    }
    for (const line of lines) if (line !== "") yield JSON.parse(line);
  }
}

/** True when a reader accepts `message`. */
export function fitsMessage(message: object): boolean {
  return JSON.stringify(message).length < MESSAGE_LIMIT_BYTES;
}

/** Sends messages in order; those that wait go out in one write. */
export class MessageWriter {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #encoder = new TextEncoder();
  readonly #onBroken: (error: Error) => void;
  #waiting = "";
  #sending: Promise<void> | null = null;
  #isBroken = false;

  /** @param onBroken Called once, when the peer no longer reads. */
  constructor(
    stream: WritableStream<Uint8Array<ArrayBuffer>>,
    onBroken: (error: Error) => void,
  ) {
    this.#writer = stream.getWriter();
    this.#onBroken = onBroken;
    // The same failure rejects `closed`; it is reported by the write that meets it.
    this.#writer.closed.catch((error) => this.#fail(error));
  }

  /** Send a message; returns at once. Nothing happens when the peer is gone. */
  send(message: object): void {
    this.#waiting += JSON.stringify(message) + "\n";
    this.#sending ??= this.#sendAll();
  }

  /** Wait until everything is sent, then close the stream. */
  async close(): Promise<void> {
    await this.#sending;
    if (this.#isBroken) return;
    try {
      await this.#writer.close();
    } catch (error) {
      if (!isPeerGone(error)) throw error;
      this.#fail(error);
    }
  }

  async #sendAll(): Promise<void> {
    // Messages of one turn go out together.
    await Promise.resolve();
    try {
      while (this.#waiting !== "" && !this.#isBroken) {
        const text = this.#waiting;
        this.#waiting = "";
        await this.#writer.write(this.#encoder.encode(text));
      }
    } catch (error) {
      if (!isPeerGone(error)) throw error;
      this.#fail(error);
    }
    this.#sending = null;
  }

  #fail(error: Error): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#onBroken(error);
  }
}

/** A pipe without a reader, or a stream that was cancelled or closed meanwhile. */
function isPeerGone(error: unknown): error is Error {
  return error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.BadResource ||
    error instanceof TypeError;
}
