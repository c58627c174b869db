/**
 * The worker's side of the protocol: launches as promises.
 *
 * @module
 */

import {
  ADAPTER_DISK,
  ADAPTER_FAILED,
  ADAPTER_PROTOCOL,
  ADAPTER_READY,
  type AdapterHello,
  type AdapterReady,
  type AdapterRequest,
  CLOCK_TIME,
  type ClockTime,
  KEEPALIVE_INTERVAL_MS,
  LAUNCH_EXITED,
  LAUNCH_REFUSED,
  LAUNCH_STARTED,
  type LaunchStarted,
} from "../trace/adapter_protocol.ts";
import type { Launch, Launcher, LaunchOutcome } from "../trace/launcher.ts";
import { quote } from "../trace/schema.ts";
import type { Task } from "../trace/task.ts";
import { fitsMessage, MessageWriter, readMessages } from "./message_stream.ts";

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
  /** Told when the disk of the run directory is full, with the problem, and with null when it is not. */
  readonly onDisk?: (problem: string | null) => void;
}

interface Pending {
  readonly started: PromiseWithResolvers<LaunchStarted | null>;
  readonly outcome: PromiseWithResolvers<LaunchOutcome>;
}

/** Sends requests to an adapter, and tells it regularly that its worker is alive. */
export class AdapterClient implements Launcher {
  /** What the adapter can do on its machine. */
  readonly ready: AdapterReady;
  /** Resolves with the reason when the adapter is gone; what it ran has crashed then. */
  readonly closed: Promise<string>;
  readonly #writer: MessageWriter;
  readonly #onDisk: (problem: string | null) => void;
  readonly #pending = new Map<string, Pending>();
  #asked: PromiseWithResolvers<ClockTime | null>[] = [];
  readonly #keepalive: ReturnType<typeof setInterval>;
  #launches = 0;
  #closeReason: string | null = null;
  /** The launch after which it could not continue. */
  #fatalLaunch: string | null = null;
  /** It was told to end, or has said why it must: not the doing of what it runs. */
  #isExplained = false;

  private constructor(
    ready: AdapterReady,
    { writer, replies, mayKeepAlive = () => true, onDisk = () => {} }: ClientOptions & {
      readonly writer: MessageWriter;
      readonly replies: AsyncGenerator<unknown>;
    },
  ) {
    this.ready = ready;
    this.#writer = writer;
    this.#onDisk = onDisk;
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
  launch(task: Task): Launch {
    const launchId = String(++this.#launches);
    const started = Promise.withResolvers<LaunchStarted | null>();
    const outcome = Promise.withResolvers<LaunchOutcome>();
    const request: AdapterRequest = { type: "launch", launch_id: launchId, task };
    if (!fitsMessage(request)) {
      started.resolve(null);
      outcome.resolve({ kind: "refused", reason: "it is larger than a message to the adapter" });
    } else if (this.#closeReason === null) {
      this.#pending.set(launchId, { started, outcome });
      this.#send(request);
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

  /** Both clocks as the adapter reads them; null when it is gone. Never rejects. */
  readClocks(): Promise<ClockTime | null> {
    if (this.#closeReason !== null) return Promise.resolve(null);
    const asked = Promise.withResolvers<ClockTime | null>();
    this.#asked.push(asked);
    this.#send({ type: "clock" });
    return asked.promise;
  }

  /** End the service: the adapter ends what still runs, and itself. Resolves when it is gone. */
  async close(): Promise<void> {
    this.#isExplained = true;
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
    for (const [launchId, { started, outcome }] of this.#pending) {
      started.resolve(null);
      // It may say why, and die of the same task the next time.
      const isCrash = !this.#isExplained || launchId === this.#fatalLaunch;
      outcome.resolve({ kind: isCrash ? "crashed" : "lost", reason });
    }
    this.#pending.clear();
    for (const asked of this.#asked.splice(0)) asked.resolve(null);
    return reason;
  }

  /** Handle a reply; the reason when it says that the adapter cannot continue. */
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
      case "time":
        this.#asked.shift()?.resolve(CLOCK_TIME.decode(reply, "the adapter"));
        return null;
      case "disk":
        this.#onDisk(ADAPTER_DISK.decode(reply, "the adapter").problem);
        return null;
      case "failed": {
        const { message, launch_id } = ADAPTER_FAILED.decode(reply, "the adapter");
        this.#isExplained = true;
        this.#fatalLaunch = launch_id;
        return message;
      }
      default:
        throw new TypeError(`a reply of unknown type, ${quote(reply)}`);
    }
  }

  #settle(launchId: string, outcome: LaunchOutcome): void {
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
