/**
 * The adapter's side of the protocol: requests in, replies out, and an end when the worker is gone.
 *
 * @module
 */

import {
  ADAPTER_HELLO,
  type AdapterReply,
  CLOCK_REQUEST,
  KEEPALIVE,
  KEEPALIVE_INTERVAL_MS,
  KEEPALIVE_LIMIT_MS,
  LAUNCH_REQUEST,
  STOP_REQUEST,
} from "../trace/adapter_protocol.ts";
import type { Clock } from "../trace/clock.ts";
import { quote } from "../trace/schema.ts";
import { Adapter, AttemptError } from "./adapter.ts";
import type { AdapterMeans } from "./open_node.ts";
import { AdapterError } from "./tasks_user.ts";
import { MessageWriter, readMessages } from "./message_stream.ts";

/**
 * Time between SIGTERM and SIGKILL when the worker is gone, ms: with the limit of the keepalive it is
 * over before the worker's lease of 8 s, after which other nodes may start the same tasks.
 */
const ORPHAN_GRACE_MS = 1000;

/** A pair of byte streams to the worker. */
export interface Streams {
  /** Requests. */
  readonly input: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Replies. */
  readonly output: WritableStream<Uint8Array<ArrayBuffer>>;
}

/** What a server works with: everything of an adapter but where replies go. */
export type ServerMeans = Omit<AdapterMeans, "report"> & {
  /** Aborted: end everything. */
  readonly signal: AbortSignal;
};

/**
 * Serve one worker until its stream ends; every task is over when this returns.
 *
 * @returns False when it could not continue, and the worker was told why: it asked for what cannot be
 * done, or the run's files can no longer be written.
 */
export async function serveAdapter(streams: Streams, means: ServerMeans): Promise<boolean> {
  const gone = Promise.withResolvers<string>();
  const replies = new MessageWriter(streams.output, () => gone.resolve("the worker is gone"));
  const report = (reply: AdapterReply): void => replies.send(reply);
  means.signal.addEventListener("abort", () => gone.resolve("the adapter was told to stop"));
  try {
    const requests = readMessages(streams.input);
    const { value: first, done } = await requests.next();
    if (done) return true;
    const hello = ADAPTER_HELLO.decode(first, "the worker's first message");
    using adapter = await Adapter.open(hello, { ...means, report });
    report(adapter.ready);
    using keepalive = new KeepaliveWatch(adapter, means.clock);
    const tellTime = () => {
      const { tsMs, bootMs } = means.clock.now();
      report({ type: "time", ts_ms: tsMs, boot_ms: bootMs });
    };
    const asked = handleRequests(requests, { adapter, keepalive, tellTime })
      .then(() => "the worker closed its stream");
    const reason = await Promise.race([asked, gone.promise, adapter.failed]);
    await adapter.stopAll({ reason, graceMs: ORPHAN_GRACE_MS, isInterruption: true });
    return true;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const launch_id = error instanceof AttemptError ? error.launchId : null;
    report({ type: "failed", message: error.message, launch_id });
    return false;
  } finally {
    await replies.close();
  }
}

async function handleRequests(
  requests: AsyncIterable<unknown>,
  { adapter, keepalive, tellTime }: {
    readonly adapter: Adapter;
    readonly keepalive: KeepaliveWatch;
    readonly tellTime: () => void;
  },
): Promise<void> {
  for await (const request of requests) {
    keepalive.heard();
    const type = (request as { readonly type?: unknown } | null)?.type;
    if (type === "launch") {
      adapter.launch(LAUNCH_REQUEST.decode(request, "a request of the worker"));
    } else if (type === "stop") {
      const stop = STOP_REQUEST.decode(request, "a request of the worker");
      adapter.stop(stop.launch_id, { reason: stop.reason, graceMs: stop.grace_ms });
    } else if (type === "keepalive") {
      KEEPALIVE.decode(request, "a request of the worker");
    } else if (type === "clock") {
      CLOCK_REQUEST.decode(request, "a request of the worker");
      tellTime();
    } else {
      throw new AdapterError(`Cannot handle a request: its type is unknown, got ${quote(request)}`);
    }
  }
}

/** Ends all tasks when the worker was silent for too long: it may have been stopped, or its machine. */
class KeepaliveWatch implements Disposable {
  readonly #adapter: Adapter;
  readonly #clock: Clock;
  readonly #timer: ReturnType<typeof setInterval>;
  #heardBootMs: number;
  #checkedBootMs: number;

  constructor(adapter: Adapter, clock: Clock) {
    this.#adapter = adapter;
    this.#clock = clock;
    this.#heardBootMs = this.#checkedBootMs = clock.bootMs();
    this.#timer = setInterval(() => this.#check(), KEEPALIVE_INTERVAL_MS / 4);
  }

  heard(): void {
    this.#heardBootMs = this.#clock.bootMs();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    const bootMs = this.#clock.bootMs();
    const hasSlept = bootMs - this.#checkedBootMs > KEEPALIVE_INTERVAL_MS;
    this.#checkedBootMs = bootMs;
    // This process itself was paused: what the worker sent meanwhile is unread.
    if (hasSlept) {
      this.#heardBootMs = Math.max(
        this.#heardBootMs,
        bootMs - KEEPALIVE_LIMIT_MS + KEEPALIVE_INTERVAL_MS,
      );
    }
    if (bootMs - this.#heardBootMs <= KEEPALIVE_LIMIT_MS) return;
    const reason = `the worker was silent for ${KEEPALIVE_LIMIT_MS / 1000} s`;
    this.#adapter.stop(null, { reason, graceMs: ORPHAN_GRACE_MS, isInterruption: true });
    // Once per silence: what the worker starts when it is back is not for this one to end.
    this.heard();
  }
}
