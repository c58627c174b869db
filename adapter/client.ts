/**
 * The worker's side of the protocol: launches as promises.
 *
 * @module
 */

import {
  ADAPTER_FAILED,
  ADAPTER_PROTOCOL,
  ADAPTER_READY,
  type AdapterHello,
  type AdapterReady,
  type AdapterRequest,
  KEEPALIVE_INTERVAL_MS,
  LAUNCH_EXITED,
  LAUNCH_REFUSED,
  LAUNCH_STARTED,
  type LaunchStarted,
} from "../trace/adapter_protocol.ts";
import type { InvocationEvent } from "../trace/records.ts";
import { quote } from "../trace/schema.ts";
import type { Task } from "../trace/task.ts";
import { MessageWriter, readMessages } from "./message_stream.ts";

/** How one attempt ended. */
export type ClientOutcome =
  /** The process ran; `isDone` when it exited 0 with its outputs in place. */
  | { readonly kind: "exited"; readonly isDone: boolean; readonly event: InvocationEvent }
  /** The task was not acceptable: running it again would not help. */
  | { readonly kind: "refused"; readonly reason: string }
  /** It did not come to its end, through no fault of its own. */
  | { readonly kind: "lost"; readonly reason: string };

/** One attempt that was handed to the adapter. */
export interface ClientLaunch {
  /** Identity of this launch within its adapter. */
  readonly launchId: string;
  /** Resolves when the process runs; null when it never did. Never rejects. */
  readonly started: Promise<LaunchStarted | null>;
  /** Resolves when it ended. Never rejects. */
  readonly outcome: Promise<ClientOutcome>;
  /** End its whole process tree: SIGTERM, then SIGKILL after `graceMs`. */
  stop(options: { readonly reason: string; readonly graceMs: number }): void;
}

/** The adapter did not begin its service. */
export class AdapterStartError extends Error {
  override readonly name = "AdapterStartError";
}

/** The adapter's stdin and stdout, as its parent sees them. */
export interface ClientStreams {
  /** The adapter's stdin. */
  readonly requests: WritableStream<Uint8Array<ArrayBuffer>>;
  /** The adapter's stdout. */
  readonly replies: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** What a client may be told. */
export interface ClientOptions {
  /** Asked before each keepalive: false withholds it, and then the adapter ends its tasks in time. */
  readonly mayKeepAlive?: () => boolean;
}

interface Pending {
  readonly started: PromiseWithResolvers<LaunchStarted | null>;
  readonly outcome: PromiseWithResolvers<ClientOutcome>;
}

/** Talks to an adapter, and tells it all the time that its worker lives. */
export class AdapterClient {
  /** What the adapter can do on its machine. */
  readonly ready: AdapterReady;
  /** Resolves with the reason when the adapter is gone; launches then resolve as lost. */
  readonly closed: Promise<string>;
  readonly #writer: MessageWriter;
  readonly #pending = new Map<string, Pending>();
  readonly #keepalive: ReturnType<typeof setInterval>;
  #launches = 0;
  #closeReason: string | null = null;

  private constructor(
    ready: AdapterReady,
    { writer, replies, mayKeepAlive = () => true }: ClientOptions & {
      readonly writer: MessageWriter;
      readonly replies: AsyncGenerator<unknown>;
    },
  ) {
    this.ready = ready;
    this.#writer = writer;
    this.#keepalive = setInterval(() => {
      if (mayKeepAlive()) this.#send({ type: "keepalive" });
    }, KEEPALIVE_INTERVAL_MS);
    this.closed = this.#readReplies(replies);
  }

  /**
   * Begin: say `hello` and wait for the answer.
   *
   * @throws {AdapterStartError} when the adapter refuses, or is gone.
   */
  static async open(
    streams: ClientStreams,
    hello: Omit<AdapterHello, "type" | "protocol">,
    options: ClientOptions = {},
  ): Promise<AdapterClient> {
    // A writer without a reader is noticed by the replies ending.
    const writer = new MessageWriter(streams.requests, () => {});
    const greeting: AdapterRequest = { type: "hello", protocol: ADAPTER_PROTOCOL, ...hello };
    writer.send(greeting);
    const replies = readMessages(streams.replies);
    try {
      return new AdapterClient(readyIn(await replies.next()), { writer, replies, ...options });
    } catch (error) {
      await writer.close();
      await replies.return(null);
      throw error;
    }
  }

  /** Start one attempt; returns at once. */
  launch(task: Task): ClientLaunch {
    const launchId = String(++this.#launches);
    const started = Promise.withResolvers<LaunchStarted | null>();
    const outcome = Promise.withResolvers<ClientOutcome>();
    if (this.#closeReason === null) {
      this.#pending.set(launchId, { started, outcome });
      this.#send({ type: "launch", launch_id: launchId, task });
    } else {
      started.resolve(null);
      outcome.resolve({ kind: "lost", reason: this.#closeReason });
    }
    return {
      launchId,
      started: started.promise,
      outcome: outcome.promise,
      stop: ({ reason, graceMs }) =>
        this.#send({ type: "stop", launch_id: launchId, reason, grace_ms: graceMs }),
    };
  }

  /** End the service: the adapter ends what still runs, and itself. Resolves when it is gone. */
  async close(): Promise<void> {
    clearInterval(this.#keepalive);
    await this.#writer.close();
    await this.closed;
  }

  #send(request: AdapterRequest): void {
    this.#writer.send(request);
  }

  async #readReplies(replies: AsyncGenerator<unknown>): Promise<string> {
    let reason = "the adapter is gone";
    try {
      for await (const reply of replies) reason = this.#handle(reply) ?? reason;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      reason = `the adapter is not understood: ${error.message}`;
    }
    clearInterval(this.#keepalive);
    this.#closeReason = reason;
    for (const { started, outcome } of this.#pending.values()) {
      started.resolve(null);
      outcome.resolve({ kind: "lost", reason });
    }
    this.#pending.clear();
    return reason;
  }

  /** Handle a reply; the reason when it says that the adapter cannot go on. */
  #handle(reply: unknown): string | null {
    switch (typeOf(reply)) {
      case "started": {
        const started = LAUNCH_STARTED.decode(reply, "the adapter");
        this.#pending.get(started.launch_id)?.started.resolve(started);
        return null;
      }
      case "exited": {
        const { launch_id, is_done, is_interrupted, event } = LAUNCH_EXITED.decode(
          reply,
          "the adapter",
        );
        const reason = event.reason ?? "the adapter ended it";
        this.#settle(
          launch_id,
          is_interrupted ? { kind: "lost", reason } : { kind: "exited", isDone: is_done, event },
        );
        return null;
      }
      case "refused": {
        const { launch_id, reason } = LAUNCH_REFUSED.decode(reply, "the adapter");
        this.#settle(launch_id, { kind: "refused", reason });
        return null;
      }
      case "failed":
        return ADAPTER_FAILED.decode(reply, "the adapter").message;
      default:
        throw new TypeError(`a reply of unknown type, ${quote(reply)}`);
    }
  }

  #settle(launchId: string, outcome: ClientOutcome): void {
    const pending = this.#pending.get(launchId);
    this.#pending.delete(launchId);
    pending?.started.resolve(null);
    pending?.outcome.resolve(outcome);
  }
}

function readyIn({ value: reply, done }: IteratorResult<unknown>): AdapterReady {
  if (done) throw new AdapterStartError("Cannot start tasks: the adapter ended at once");
  if (typeOf(reply) === "failed") {
    const { message } = ADAPTER_FAILED.decode(reply, "the adapter");
    throw new AdapterStartError(`Cannot start tasks: ${message}`);
  }
  return ADAPTER_READY.decode(reply, "the adapter");
}

function typeOf(message: unknown): unknown {
  return (message as { readonly type?: unknown } | null)?.type;
}
