/**
 * One connection to Redis that survives the server: commands wait for a lost server and are sent
 * again, so everything sent here must be safe to send twice. All state changes are scripts that are.
 *
 * @module
 */

import { messageOf } from "../../trace/atomic_file.ts";
import type { ClientKind, RedisClient } from "./client.ts";
import { describeAddress, type RedisAddress } from "./url.ts";
import { type Reply, textOf } from "./reply.ts";
import { checkArguments, type Script } from "./scripts.ts";

/** What goes wrong between us and Redis and cannot be fixed by waiting. */
export class QueueError extends Error {
  /** Name of the class. */
  override readonly name = "QueueError";
  /**
   * What kind of failure: `refused` credentials or rights, `closed` by ourselves, `reply` of Redis, or
   * `lost`, where a command was to be sent on one connection only and that is gone.
   */
  readonly code: "refused" | "closed" | "reply" | "lost";

  /** An error of this kind. */
  constructor(code: QueueError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** How {@linkcode RedisConnection.open} connects. */
export interface ConnectionOptions {
  /** What carries the commands. */
  readonly client: ClientKind;
  /** Where and with which credentials. */
  readonly address: RedisAddress;
  /** Told once when the server is lost and once when it is back. */
  readonly report: (line: string) => void;
  /** Give up waiting for a server. Default: wait forever. */
  readonly signal?: AbortSignal;
}

/**
 * Replies of a server that cannot do it now: it is starting, busy, out of memory, its disk is full, or it
 * is not the master yet. The command is sent again.
 */
const TRANSIENT_REPLY =
  /^(LOADING|BUSY|TRYAGAIN|MASTERDOWN|OOM|MISCONF|READONLY|NOREPLICAS|CLUSTERDOWN)\b/;

/** What Redis 6 puts around an error inside a script: Redis 7 says the error itself. */
const REDIS_6_SCRIPT_ERROR = /^ERR Error running script .*@user_script: ?\d+: -?(?=[A-Z]+ )/s;

/** The error itself, as Redis 7 says it. */
function plainReply({ message }: Error): string {
  return message.replace(REDIS_6_SCRIPT_ERROR, "");
}

/** What a failure to connect means, for a person. */
function failureText({ message }: Error): string {
  if (/certificate/.test(message)) {
    return `${message}: deno task controller check says what is wrong with it`;
  }
  if (/max number of clients/.test(message)) {
    return "all its connections are taken: raise maxclients and its limit on open files";
  }
  return message;
}

/** Pause before a command is sent again that the server could not do, ms. */
const BUSY_PAUSE_MS = 100;

/** Replies that no waiting will change. */
const REFUSED_REPLY = /^(WRONGPASS|NOAUTH|NOPERM|ERR invalid password|ERR AUTH|ERR DB index)/;

/** What a script is called with. */
export interface ScriptCall {
  /** Put before every key. */
  readonly prefix: string;
  /** ARGV. */
  readonly args: readonly string[];
}

/** One connection; dispose of it to close it. */
export class RedisConnection implements AsyncDisposable {
  /** The server, for people. */
  readonly place: string;
  readonly #client: RedisClient;
  readonly #restored = new Set<() => void>();
  readonly #options: ConnectionOptions;
  #lostAt: number | null = null;
  #refusal: QueueError | null = null;
  #lastFailure: Error | null = null;
  #readyCount = 0;
  #resentCount = 0;
  #refusedFor = "";
  #server: { readonly readyCount: number; readonly id: string } | null = null;

  private constructor(options: ConnectionOptions) {
    this.#options = options;
    this.place = describeAddress(options.address);
    this.#client = options.client.create(options.address, (error) => this.#onFailure(error));
    this.#client.on("error", (error: Error) => this.#onError(error));
    this.#client.on("ready", () => this.#onReady());
  }

  /**
   * Connect; waits for a server that is not there yet.
   *
   * @throws {QueueError} `refused` when the server does not let us in, `closed` when the signal ends
   * the wait; its cause is the last failure to connect.
   */
  static async open(options: ConnectionOptions): Promise<RedisConnection> {
    const connection = new RedisConnection(options);
    await connection.#connect();
    return connection;
  }

  /** Write a log message for the operator. */
  report(line: string): void {
    this.#options.report(line);
  }

  /** Another connection to the same server, for a subscription. */
  duplicate(): Promise<RedisConnection> {
    return RedisConnection.open({ ...this.#options, report: () => {} });
  }

  /** True while the server is reachable. */
  get isUp(): boolean {
    return this.#client.isReady;
  }

  /** How many commands were sent again: each may have been carried out before, its reply lost. */
  get resentCount(): number {
    return this.#resentCount;
  }

  /** How often the server was reached: another number is another connection, perhaps to other data. */
  get readyCount(): number {
    return this.#readyCount;
  }

  /** Call `listener` each time a lost server is back; returns what ends that. */
  onRestored(listener: () => void): () => void {
    this.#restored.add(listener);
    return () => this.#restored.delete(listener);
  }

  /**
   * The reply to one command; waits for a lost server.
   *
   * @throws {QueueError} `reply` when Redis refuses the command, `closed` after close.
   */
  async command(...args: readonly string[]): Promise<Reply> {
    for (;;) {
      try {
        return await this.#client.sendCommand<Reply>([...args]);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        await this.#recover(error, args[0] ?? "");
      }
    }
  }

  /**
   * What `script` returns; waits for a lost server.
   *
   * @throws {QueueError} as {@linkcode command}.
   */
  async run(script: Script, prefix: string, args: readonly string[]): Promise<Reply> {
    checkArguments(script, args);
    for (;;) {
      try {
        return await this.#evaluate(script, { prefix, args });
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        await this.#handle(error, script);
      }
    }
  }

  /**
   * What `script` returns on connection `readyCount`: it is not sent on any other one.
   *
   * @throws {QueueError} as {@linkcode command}; `lost` when that connection is gone: whether the script ran
   * is not known then.
   */
  async runOn(readyCount: number, script: Script, rest: ScriptCall): Promise<Reply> {
    const isGone = () => readyCount !== this.#readyCount || !this.isUp;
    checkArguments(script, rest.args);
    for (;;) {
      if (isGone()) throw this.#lost(script.name);
      try {
        return await this.#evaluate(script, rest);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        await this.#handle(error, script);
        if (!this.#isReply(error)) throw this.#lost(script.name, error);
      }
    }
  }

  #lost(what: string, cause?: Error): QueueError {
    const message = `The connection to Redis at ${this.place} was lost before ${what} was answered`;
    return new QueueError("lost", message, { cause });
  }

  #evaluate({ sha1 }: Script, { prefix, args }: ScriptCall): Promise<Reply> {
    return this.#client.sendCommand<Reply>(["EVALSHA", sha1, "1", prefix, ...args]);
  }

  /** Resolves when `script` is to be sent again after `error`. */
  async #handle(error: Error, script: Script): Promise<void> {
    if (this.#isReply(error) && error.message.startsWith("NOSCRIPT")) {
      await this.command("SCRIPT", "LOAD", script.source);
    } else {
      await this.#recover(error, script.name);
    }
  }

  /** Which run of the server this is: one that was restarted may have lost its last seconds. */
  async serverId(): Promise<string> {
    for (;;) {
      const readyCount = this.#readyCount;
      if (this.#server?.readyCount === readyCount) return this.#server.id;
      const info = textOf(await this.command("INFO", "server"));
      const id = /^run_id:(\w+)/m.exec(info)?.[1] ?? "";
      if (readyCount === this.#readyCount) this.#server = { readyCount, id };
    }
  }

  /** Call `listener` for each message on `channel`; this connection can then do nothing else. */
  async subscribe(channel: string, listener: (message: string) => void): Promise<void> {
    await this.#client.subscribe(channel, listener);
  }

  /** Close at once; commands under way are rejected as `closed`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#restored.clear();
    if (this.#client.isOpen) this.#client.destroy();
    return Promise.resolve();
  }

  async #connect(): Promise<void> {
    const { signal } = this.#options;
    const onAbort = () => void this[Symbol.asyncDispose]();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      signal?.throwIfAborted();
      await this.#client.connect();
      // A server that wants a password lets us connect without one and refuses the first command.
      await this.#client.ping();
      await this.#checkVersion();
    } catch (error) {
      if (error instanceof Error) this.#onFailure(error);
      await this[Symbol.asyncDispose]();
      if (this.#refusal !== null) throw this.#refusal;
      const why = signal?.aborted ? "the wait was ended" : messageOf(error);
      throw new QueueError("closed", `Cannot reach Redis at ${this.place}: ${why}`, {
        cause: this.#lastFailure ?? error,
      });
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Scripts use LPOS (6.0.6) and HRANDFIELD (6.2). */
  async #checkVersion(): Promise<void> {
    const info = String(await this.#client.sendCommand<Reply>(["INFO", "server"]));
    const version = /^redis_version:([\d.]+)/m.exec(info)?.[1] ?? "";
    const [major = 0, minor = 0] = version.split(".").map(Number);
    if (major > 6 || (major === 6 && minor >= 2)) return;
    this.#refusal = new QueueError(
      "refused",
      `Redis at ${this.place} is too old: version 6.2 or later is required, got "${version}"`,
    );
    throw this.#refusal;
  }

  /** Resolves when `error` is one after which the command is to be sent again. */
  async #recover(error: Error, what: string): Promise<void> {
    if (this.#refusal !== null) throw this.#refusal;
    if (this.#options.client.kindOf(error) === "closed") {
      throw new QueueError("closed", `The connection to Redis at ${this.place} is closed`, {
        cause: error,
      });
    }
    if (this.#isReply(error)) {
      const message = plainReply(error);
      if (!TRANSIENT_REPLY.test(message)) {
        throw new QueueError("reply", `Redis refused ${what}: ${message}`, { cause: error });
      }
      this.#sayRefused(message);
      await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE_MS));
    }
    this.#resentCount += 1;
  }

  /** Once for each reason: a server that is out of memory is asked again ten times a second. */
  #sayRefused(message: string): void {
    if (message === this.#refusedFor || message.startsWith("LOADING")) return;
    this.#refusedFor = message;
    this.#options.report(`Redis at ${this.place} cannot continue (${message}), retrying`);
  }

  /** Before each attempt to reconnect: `true` when the server will never let us in. */
  #onFailure(error: Error): boolean {
    if (!REFUSED_REPLY.test(error.message)) return false;
    this.#refusal = new QueueError(
      "refused",
      `Redis at ${this.place} refuses us: ${error.message} (password: in the URL, REDIS_PASSWORD or --redis-password-file)`,
      { cause: error },
    );
    return true;
  }

  /** True for an error that Redis replied with. */
  #isReply(error: Error): boolean {
    return this.#options.client.kindOf(error) === "reply";
  }

  #onError(error: Error): void {
    this.#lastFailure = error;
    if (this.#lostAt !== null || this.#refusal !== null) return;
    if (this.#options.client.kindOf(error) === "refused") return;
    this.#lostAt = performance.now();
    this.#options.report(
      `Redis at ${this.place} is not reachable (${failureText(error)}), retrying`,
    );
  }

  #onReady(): void {
    if (this.#lostAt !== null) {
      const seconds = ((performance.now() - this.#lostAt) / 1000).toFixed(1);
      this.#options.report(`Redis at ${this.place} is back after ${seconds} s`);
    }
    this.#lostAt = null;
    if (this.#readyCount++ > 0) { for (const listener of this.#restored) listener(); }
  }
}
