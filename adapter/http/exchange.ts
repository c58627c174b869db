/**
 * One request and its response on their way through: bodies stream both ways, held back by whoever is
 * slower, and what one side breaks off the other side sees broken off.
 *
 * @module
 */

import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  request,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { Socket } from "node:net";
import {
  CLIENT_GONE,
  CLOSED,
  type Failure,
  failureOf,
  inAnswer,
  type ServiceAddress,
  UNASKED,
} from "./failure.ts";
import { forwardedHeaders, headText, requestHeaders, valuesOf, without } from "./headers.ts";
import type { RequestRecord } from "./recorder.ts";

/** What an exchange needs of the proxy. */
export interface ExchangeOptions {
  /** Where the service listens. */
  readonly target: ServiceAddress;
  /** The client connection's own connection to the service. */
  readonly agent: Agent;
  /** Takes what happens to the request. */
  readonly record: RequestRecord;
  /** Largest head of a response, bytes. */
  readonly maxHeadBytes: number;
  /** True when the client asked to change the protocol. */
  readonly isUpgrade: boolean;
}

/** A response that goes before the one that counts. */
interface InterimResponse {
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly rawHeaders: readonly string[];
}

/** One request and its response. */
export class Exchange {
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #options: ExchangeOptions;
  #request: ClientRequest | null = null;
  readonly #onOver: () => void;
  #response: IncomingMessage | null = null;
  #tunnel: Socket | null = null;
  #bytesIn = 0;
  #bytesOut = 0;
  #failure: Failure | null = null;
  #hasClientEnded = false;
  #isOver = false;
  /** True where it goes over a connection that has served a request before. */
  #isReused = false;
  /** True where the end of the connection is the end of the response's body. */
  #isEndedByClose = false;
  /** What had moved when {@linkcode waitedMs} looked last, and for how long nothing has since. */
  #seen = "";
  #waitedMs = 0;

  /** Before {@linkcode begin}; `onOver` is called when the response has left or broken off. */
  constructor(
    messages: { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse },
    options: ExchangeOptions & { readonly onOver: () => void },
  ) {
    this.#incoming = messages.incoming;
    this.#outgoing = messages.outgoing;
    this.#options = options;
    this.#onOver = options.onOver;
  }

  /** Pass the request on. */
  begin(): void {
    this.#outgoing.once("close", this.#guarded(() => this.#over()));
    this.#guarded(() => {
      const request = this.#open();
      this.#request = request;
      this.#sendBody(request);
    })();
  }

  /** Break off on both sides, or answer with `failure` where no head was passed on yet. */
  fail(failure: Failure): void {
    this.#failure ??= failure;
    try {
      this.#request?.destroy();
      if (this.#tunnel !== null) this.#tunnel.destroy();
      else if (this.#outgoing.headersSent || this.#isForClientToRetry()) this.#breakOff();
      else this.#answerWith(this.#failure);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#outgoing.destroy(error);
    }
  }

  /**
   * The client sends nothing more. TCP does not tell a client that waits for its answer from one that is
   * gone, so the service hears the same and decides, as it would without the proxy.
   */
  clientEnded(): void {
    this.#hasClientEnded = true;
    const request = this.#request;
    if (request === null || this.#tunnel !== null) return;
    // In the middle of its body: what is missing will never come.
    if (!this.#incoming.complete) this.#outgoing.destroy();
    else if (request.writableFinished) request.socket?.end();
    else request.once("finish", () => request.socket?.end());
  }

  /**
   * For how long the service alone has kept this exchange waiting, ms; called every `elapsedMs`. A
   * client that is slow to send or to take is not the service's fault, and a tunnel may be silent.
   */
  waitedMs(elapsedMs: number): number {
    const moved = `${this.#bytesIn} ${this.#bytesOut} ${this.#response !== null}`;
    const isWaiting = moved === this.#seen && this.#tunnel === null && this.#isWaitingForService();
    this.#waitedMs = isWaiting ? this.#waitedMs + elapsedMs : 0;
    this.#seen = moved;
    return this.#waitedMs;
  }

  #isWaitingForService(): boolean {
    if (this.#response !== null) return !this.#outgoing.writableNeedDrain;
    return this.#incoming.readableEnded || this.#request?.writableNeedDrain === true;
  }

  /**
   * `handler`, but what it throws ends this exchange alone: the runtime calls it from its own loop, where
   * an exception would end the proxy with everybody's requests.
   */
  #guarded<A extends readonly unknown[]>(handler: (...args: A) => void): (...args: A) => void {
    return (...args) => {
      try {
        handler(...args);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        this.fail({ reason: `the message cannot be passed on: ${error.message}`, status: 502 });
      }
    };
  }

  #open(): ClientRequest {
    const { target, agent, record, maxHeadBytes, isUpgrade } = this.#options;
    const incoming = this.#incoming;
    const headers = requestHeaders(incoming.rawHeaders, { context: record.context, isUpgrade });
    // A request of HTTP/1.0 may do without, but it continues as HTTP/1.1 (RFC 9112 section 3.2).
    if (incoming.httpVersion === "1.0" && incoming.headers.host === undefined) {
      headers.push("Host", `${target.hostname}:${target.port}`);
    }
    // Said for the sender, who need not say that there is no body; the runtime would begin a chunked one.
    if (!hasBody(incoming) && BODY_METHODS.has(incoming.method ?? "")) {
      if (incoming.headers["content-length"] === undefined) headers.push("Content-Length", "0");
    }
    const outbound = request({
      agent,
      host: target.hostname,
      port: target.port,
      method: incoming.method ?? "",
      path: incoming.url ?? "",
      headers,
      setHost: false,
      maxHeaderSize: maxHeadBytes,
    });
    outbound.maxHeadersCount = 0;
    outbound.once(
      "socket",
      this.#guarded((socket: Socket) => {
        // Deno 2.9.6 would send any request again, a POST too, whose kept connection was closed under it;
        // only the client can know that this does no harm (RFC 9110 section 9.2.2).
        this.#isReused = outbound.reusedSocket;
        outbound.reusedSocket = false;
        if (socket.connecting) socket.once("connect", () => record.forwarded());
        else record.forwarded();
      }),
    );
    outbound.on("information", this.#guarded((interim: InterimResponse) => this.#inform(interim)));
    outbound.once("response", this.#guarded((response: IncomingMessage) => this.#pass(response)));
    outbound.once(
      "upgrade",
      this.#guarded((response: IncomingMessage, socket: Socket, head: Uint8Array) =>
        this.#tunnelTo(response, socket, head)
      ),
    );
    outbound.on("error", (error: NodeJS.ErrnoException) => {
      // With a whole response in hand the rest of the request is of no interest to the service.
      if (this.#response?.complete) this.#incoming.unpipe().resume();
      else if (this.#hasClientEnded) this.fail(CLIENT_GONE);
      else this.fail(failureOf(error, target));
    });
    return outbound;
  }

  /** Pass an interim response on, as 100 (Continue) is one. */
  #inform({ statusCode, statusMessage, rawHeaders }: InterimResponse): void {
    // An old client would take it for the response (RFC 9110 section 15.2).
    if (this.#incoming.httpVersion === "1.0") return;
    const startLine = `HTTP/1.1 ${statusCode} ${statusMessage}`;
    this.#outgoing.socket?.write(headText(startLine, rawHeaders), "latin1");
  }

  #sendBody(request: ClientRequest): void {
    const incoming = this.#incoming;
    if (!hasBody(incoming)) {
      request.end();
      incoming.resume();
      return;
    }
    incoming.on("data", (chunk: Uint8Array) => this.#bytesIn += chunk.length);
    incoming.once(
      "end",
      this.#guarded(() => {
        if (incoming.rawTrailers.length > 0) request.addTrailers(pairs(incoming.rawTrailers));
      }),
    );
    incoming.on("error", (error: NodeJS.ErrnoException) => {
      // The client went away in the middle of its request: the close of the response tells.
      if (error.code !== "ECONNRESET") this.fail({ reason: error.message, status: 502 });
    });
    incoming.pipe(request);
    setImmediate(this.#guarded(() => {
      if (this.#bytesIn === 0) sendHead(request);
    }));
  }

  /** Pass the service's response to the client. */
  #pass(response: IncomingMessage): void {
    this.#response = response;
    const { record, target } = this.#options;
    const outgoing = this.#outgoing;
    if (!isSpoken(response)) {
      const reason = `the service's response is of HTTP/${response.httpVersion}, not HTTP/1`;
      this.fail({ reason, status: 502 });
      return;
    }
    // A 101 without `Connection: upgrade`; other interim responses do not come this way.
    if ((response.statusCode ?? 0) === SWITCHING_PROTOCOLS) {
      this.fail(UNASKED);
      return;
    }
    record.answered(response.statusCode ?? 0);
    const isOld = this.#incoming.httpVersion === "1.0";
    const kept = forwardedHeaders(response.rawHeaders);
    // An old client knows no chunks: for it the body ends with the connection (RFC 9112 section 6.1).
    const headers = isOld ? without(kept, "transfer-encoding") : kept;
    outgoing.sendDate = false;
    // The runtime would add a `Connection: keep-alive` of its own; HTTP/1.1 means that without a word.
    if (!isOld) outgoing.removeHeader("connection");
    try {
      outgoing.writeHead(response.statusCode ?? 0, response.statusMessage ?? "", headers);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      this.fail({ reason: `the service's response is not HTTP: ${error.message}`, status: 502 });
      return;
    }
    this.#isEndedByClose = !outgoing.chunkedEncoding &&
      valuesOf(headers, "content-length").length === 0;
    response.on("data", (chunk: Uint8Array) => this.#bytesOut += chunk.length);
    response.once(
      "end",
      this.#guarded(() => {
        record.served();
        if (response.rawTrailers.length > 0) outgoing.addTrailers(pairs(response.rawTrailers));
      }),
    );
    response.once("error", (error) => this.fail(inAnswer(failureOf(error, target))));
    response.pipe(outgoing);
    setImmediate(this.#guarded(() => {
      if (this.#bytesOut === 0) sendHead(outgoing);
    }));
  }

  /** The service changes the protocol: from now on bytes pass as they are. */
  #tunnelTo(response: IncomingMessage, service: Socket, head: Uint8Array): void {
    const { record, isUpgrade } = this.#options;
    const client = this.#outgoing.socket;
    if (!isUpgrade || client === null) {
      service.destroy();
      this.fail(UNASKED);
      return;
    }
    this.#response = response;
    this.#tunnel = service;
    record.answered(response.statusCode ?? 0);
    record.served();
    this.#outgoing.detachSocket(client);
    const startLine = `HTTP/1.1 ${response.statusCode} ${response.statusMessage}`;
    client.write(headText(startLine, forwardedHeaders(response.rawHeaders)), "latin1");
    client.on("data", (chunk: Uint8Array) => this.#bytesIn += chunk.length);
    service.on("data", (chunk: Uint8Array) => this.#bytesOut += chunk.length);
    client.pipe(service);
    service.pipe(client);
    // What the service said right behind its head is the first of the new protocol; it passes at once,
    // so that whoever takes it must be there.
    if (head.length > 0) service.unshift(head);
    for (const [socket, other] of [[client, service], [service, client]] as const) {
      socket.on("error", (error) => this.#failure ??= failureOf(error, this.#options.target));
      socket.once("close", () => other.destroySoon());
    }
    client.once("close", () => this.#over());
  }

  #answerWith({ reason, status }: Failure): void {
    const outgoing = this.#outgoing;
    // The rest of the request is nobody's any more; reading it lets the client see the answer.
    this.#incoming.unpipe().resume();
    this.#options.record.answered(status);
    const text = `tracekit: ${reason}\n`;
    // The phrase by name: the response may already have the one of the service.
    outgoing.writeHead(status, STATUS_CODES[status] ?? "", {
      "Content-Type": "text/plain; charset=utf-8",
      "Content-Length": new TextEncoder().encode(text).length,
      "Connection": "close",
    });
    outgoing.end(text);
  }

  #breakOff(): void {
    // Where a close is the end of the body, only a reset tells that it broke off.
    if (this.#isEndedByClose) this.#outgoing.socket?.resetAndDestroy();
    else this.#outgoing.destroy();
  }

  /**
   * The service closed a connection that it had kept open, as the request was on its way: directly
   * connected, the client would see the same close, and knows whether it may repeat the request.
   */
  #isForClientToRetry(): boolean {
    return this.#isReused && this.#failure?.reason === CLOSED;
  }

  /**
   * The client's connection is closed. The runtime closes the response that it was writing, and forgets
   * those behind it in a pipeline.
   */
  abandon(): void {
    this.#over();
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const isWhole = this.#outgoing.writableFinished || this.#tunnel !== null;
    if (!isWhole) this.#request?.destroy();
    const isAborted = this.#failure !== null || !isWhole;
    this.#options.record.over({
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      isAborted,
      reason: this.#failure?.reason ?? (isAborted ? CLIENT_GONE.reason : null),
    });
    this.#onOver();
  }
}

/**
 * Send the head of `message` without waiting for its body. The runtime holds it back for the first piece,
 * which saves a packet where that is there already; and it would flush it as UTF-8, where bytes are meant.
 */
function sendHead(message: ClientRequest | ServerResponse): void {
  if (!message.writableEnded && !message.destroyed) message.write("", "latin1");
}

/** The status by which a service changes the protocol. */
const SWITCHING_PROTOCOLS = 101;

/** Methods for which the runtime expects a body (RFC 9110 section 9). */
const BODY_METHODS = new Set(["POST", "PUT", "PATCH"]);

/** True when `message` is of a version that the proxy speaks (RFC 9112 section 2.3). */
export function isSpoken({ httpVersion }: IncomingMessage): boolean {
  return httpVersion === "1.1" || httpVersion === "1.0";
}

/** True when `message` has a body: its head says so (RFC 9112 section 6). */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function pairs(headers: readonly string[]): [string, string][] {
  return Array.from(
    { length: headers.length / 2 },
    (_, at) => [headers[2 * at] as string, headers[2 * at + 1] as string],
  );
}
