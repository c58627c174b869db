/**
 * A transparent reverse proxy in front of a service that speaks HTTP/1: what passes is the service's
 * own, byte for byte, and each request leaves a record.
 *
 * Each client connection has a connection to the service of its own, opened with its first request and
 * closed with it: the service sees as many connections as it would without the proxy, requests of a
 * pipeline reach it one after the other, and a close travels to the other side, also that of one
 * direction alone.
 *
 * Nothing but `traceparent` is added, also not the `Via` and `X-Forwarded-For` of gateways that want to
 * be seen (RFC 9110 section 7.6.3): the service is to do what it does without the proxy.
 *
 * @module
 */

import {
  Agent,
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import { messageOf } from "../../trace/atomic_file.ts";
import { Exchange, hasBody, isSpoken } from "./exchange.ts";
import type { Failure, ServiceAddress } from "./failure.ts";
import { headText, valuesOf } from "./headers.ts";
import type { Recorder } from "./recorder.ts";
import { contextOf } from "../trace_context.ts";

/**
 * Largest head of a request or response, bytes. Services take 8 to 32 kB (Apache 8190 a line, node 16384,
 * nginx 4 × 8192), so that their own limit speaks first; beyond this a flood of headers is refused.
 */
const MAX_HEAD_BYTES = 64 * 1024;

/** Time for the head of a request to arrive, ms: a client that dribbles headers holds a socket only so long. */
const HEAD_TIMEOUT_MS = 60_000;

/** A refused client that does not close is let go after this, ms: time enough to read the answer. */
const LINGER_MS = 5000;

/** A service is found to stall after its limit plus at most this part of it. */
const STALL_CHECKS = 8;

/** An address that cannot be listened on. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/** What a request hears that the adapter does not let end. */
const STOPPED: Failure = { reason: "the adapter was stopped", status: 502 };

/** How a {@linkcode HttpProxy} is opened. */
export interface HttpProxyOptions {
  /** Where to listen; port 0 takes a free one. */
  readonly listen: ServiceAddress;
  /** Where the service listens. */
  readonly target: ServiceAddress;
  /** Longest silence of the service with a request before it, ms; 0: any. */
  readonly stallMs: number;
  /** Takes what happens. */
  readonly recorder: Recorder;
}

/** An option of `createServer` that the runtime has and its type declarations lack (Node 24.9). */
interface UpgradeOption {
  readonly shouldUpgradeCallback: (incoming: IncomingMessage) => boolean;
}

/** A property of the runtime's server that its type declarations lack. */
interface HalfOpenOption {
  httpAllowHalfOpen: boolean;
}

/** One client connection. */
interface Connection {
  /** Makes its own connection to the service. */
  readonly agent: Agent;
  /** That connection, once it has served a request. */
  service: Socket | null;
  /** Requests on their way. */
  readonly exchanges: Set<Exchange>;
  /** True once the client sends nothing more. */
  hasEnded: boolean;
}

/** The proxy. */
export class HttpProxy implements AsyncDisposable {
  readonly #options: HttpProxyOptions;
  readonly #server: Server;
  readonly #connections = new Map<Socket, Connection>();
  #openCount = 0;
  readonly #stallTimer: ReturnType<typeof setInterval> | null;

  private constructor(options: HttpProxyOptions) {
    this.#options = options;
    const serverOptions: ServerOptions & UpgradeOption = {
      maxHeaderSize: MAX_HEAD_BYTES,
      headersTimeout: HEAD_TIMEOUT_MS,
      // A body may take as long as it takes, and an idle connection stays as long as the service keeps it.
      requestTimeout: 0,
      keepAliveTimeout: 0,
      // A client that vanished without a word is found by the kernel.
      keepAlive: true,
      // The service answers a request without a host itself.
      requireHostHeader: false,
      // A body cannot be told from the new protocol; without the wish it is a request like any other.
      shouldUpgradeCallback: (incoming) => !hasBody(incoming),
    };
    this.#server = createServer(serverOptions);
    // A client that sends nothing more still gets its answer. The type declarations lack this one.
    (this.#server as Server & HalfOpenOption).httpAllowHalfOpen = true;
    this.#server.maxHeadersCount = 0;
    this.#server.on("connection", (socket: Socket) => this.#connect(socket));
    this.#server.on("request", (incoming, outgoing) => this.#pass(incoming, outgoing));
    this.#server.on("checkContinue", (incoming, outgoing) => this.#pass(incoming, outgoing));
    this.#server.on("checkExpectation", (incoming, outgoing) => this.#pass(incoming, outgoing));
    this.#server.on("upgrade", (incoming, socket, head) => {
      // What the client said right behind its head is the first of the new protocol.
      if (head.length > 0) socket.unshift(head);
      this.#passUpgrade(incoming, socket as Socket);
    });
    this.#server.on("connect", (_incoming, socket) => {
      this.#refuse(socket as Socket, {
        status: "501 Not Implemented",
        reason: "CONNECT asks for a tunnel, and this is no forward proxy",
      });
    });
    this.#server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
      this.#refuseMalformed(error, socket as Socket);
    });
    const period = options.stallMs / STALL_CHECKS;
    this.#stallTimer = period === 0 ? null : setInterval(() => this.#endStalled(period), period);
  }

  /**
   * Listen.
   *
   * @throws {ListenError} when that is not possible.
   */
  static async open(options: HttpProxyOptions): Promise<HttpProxy> {
    const proxy = new HttpProxy(options);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    proxy.#server.once("error", reject);
    proxy.#server.listen(options.listen.port, options.listen.hostname, resolve);
    try {
      await promise;
    } catch (error) {
      await proxy[Symbol.asyncDispose]();
      const { hostname, port } = options.listen;
      throw new ListenError(`Cannot listen on ${hostname}:${port}: ${messageOf(error)}`, {
        cause: error,
      });
    }
    return proxy;
  }

  /** The port that it listens on. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Requests on their way. */
  get openCount(): number {
    return this.#openCount;
  }

  /** Take no new connections, and end each one when its request is over; resolves when all have ended. */
  async drain(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const [socket, { exchanges }] of this.#connections) {
      if (exchanges.size === 0) socket.destroySoon();
    }
    await promise;
  }

  /** Break everything off. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stallTimer !== null) clearInterval(this.#stallTimer);
    const drained = this.#server.listening ? this.drain() : Promise.resolve();
    for (const { exchanges } of this.#connections.values()) {
      for (const exchange of exchanges) exchange.fail(STOPPED);
    }
    // What was answered at last goes to the kernel within this turn.
    await new Promise((resolve) => setImmediate(resolve));
    for (const socket of this.#connections.keys()) socket.destroy();
    await drained;
    // The record of a request is made behind the close of its connection.
    while (this.#openCount > 0) await new Promise((resolve) => setImmediate(resolve));
  }

  #connect(client: Socket): void {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const connection: Connection = { agent, service: null, exchanges: new Set(), hasEnded: false };
    this.#connections.set(client, connection);
    client.once("end", () => {
      connection.hasEnded = true;
      if (connection.exchanges.size === 0) client.destroySoon();
      for (const exchange of connection.exchanges) exchange.clientEnded();
    });
    client.once("close", () => {
      this.#connections.delete(client);
      agent.destroy();
      // Behind the closes that the runtime tells of itself.
      setImmediate(() => {
        for (const exchange of connection.exchanges) exchange.abandon();
      });
    });
    agent.on("free", (service: Socket) => {
      if (service === connection.service) return;
      connection.service = service;
      // The service let the idle connection go: the client's goes too.
      service.once("close", () => {
        if (connection.exchanges.size === 0) client.destroySoon();
      });
    });
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.#exchange({ incoming, outgoing, isUpgrade: false });
  }

  #passUpgrade(incoming: IncomingMessage, client: Socket): void {
    const outgoing = new ServerResponse(incoming);
    outgoing.assignSocket(client);
    // The runtime reads no further request from this connection.
    outgoing.shouldKeepAlive = false;
    outgoing.once("finish", () => client.destroySoon());
    this.#exchange({ incoming, outgoing, isUpgrade: true });
  }

  #exchange({ incoming, outgoing, isUpgrade }: Arrival): void {
    const client = incoming.socket;
    const connection = this.#connections.get(client);
    // Closed while its request was being read.
    if (connection === undefined) return;
    if (!isSpoken(incoming)) {
      this.#refuse(client, {
        status: "505 HTTP Version Not Supported",
        reason: `the request is of HTTP/${incoming.httpVersion}, not HTTP/1`,
      });
      return;
    }
    const { target, recorder } = this.#options;
    const record = recorder.begin({
      method: incoming.method ?? "",
      url: incoming.url ?? "",
      context: contextOf(valuesOf(incoming.rawHeaders, "traceparent"), randomHex),
    });
    const exchange: Exchange = new Exchange({ incoming, outgoing }, {
      target,
      agent: connection.agent,
      record,
      maxHeadBytes: MAX_HEAD_BYTES,
      isUpgrade,
      onOver: () => {
        this.#openCount--;
        connection.exchanges.delete(exchange);
        const isLast = connection.hasEnded || !this.#server.listening;
        if (connection.exchanges.size === 0 && isLast) client.destroySoon();
      },
    });
    this.#openCount++;
    connection.exchanges.add(exchange);
    exchange.begin();
  }

  #refuseMalformed(error: NodeJS.ErrnoException, client: Socket): void {
    // The runtime tells of some errors twice.
    if (client.writableEnded) return;
    const exchanges = [...this.#connections.get(client)?.exchanges ?? []];
    if (error.code === "ECONNRESET" || !client.writable) {
      client.destroy();
    } else if (exchanges.length > 0) {
      const reason = `the client's request is malformed: ${error.message}`;
      for (const exchange of exchanges) exchange.fail({ reason, status: 400 });
    } else if (error.code === "HPE_HEADER_OVERFLOW") {
      const reason = `the head of the request is larger than ${MAX_HEAD_BYTES} bytes`;
      this.#refuse(client, { status: "431 Request Header Fields Too Large", reason });
    } else if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") {
      const reason = `the head of the request took longer than ${HEAD_TIMEOUT_MS} ms`;
      this.#refuse(client, { status: "408 Request Timeout", reason });
    } else {
      this.#refuse(client, { status: "400 Bad Request", reason: error.message });
    }
  }

  #refuse(client: Socket, { status, reason }: { status: string; reason: string }): void {
    const headers = ["Connection", "close", "Content-Length", "0"];
    client.end(headText(`HTTP/1.1 ${status}`, headers));
    // Closed with bytes unread, the kernel would send a reset that can overtake the answer. What still
    // comes is skipped, not parsed, until the client closes.
    client.removeAllListeners("data");
    const timer = setTimeout(() => client.destroy(), LINGER_MS);
    client.once("close", () => clearTimeout(timer));
    this.#options.recorder.refuse({
      status: parseInt(status),
      reason,
      context: contextOf([], randomHex),
    });
  }

  #endStalled(elapsedMs: number): void {
    const { stallMs, target } = this.#options;
    const failure: Failure = {
      reason: `the service at ${target.hostname}:${target.port} was silent for ${stallMs} ms`,
      status: 504,
    };
    for (const { exchanges } of this.#connections.values()) {
      for (const exchange of exchanges) {
        if (exchange.waitedMs(elapsedMs) >= stallMs) exchange.fail(failure);
      }
    }
  }
}

/** A request and where its response goes. */
interface Arrival {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly isUpgrade: boolean;
}

function randomHex(digits: number): string {
  return crypto.getRandomValues(new Uint8Array(digits / 2)).toHex();
}
