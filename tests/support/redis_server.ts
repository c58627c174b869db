/**
 * A real redis-server for one test: loopback only, a free port, a random password, a folder of its
 * own. It ends with the block that holds it, and also when the test process is killed.
 */

import { join } from "@std/path";
import { freePort } from "./ports.ts";
import { boundCommand } from "./bound_command.ts";

/** How {@linkcode startRedisServer} starts the server. */
export interface RedisServerOptions {
  /** Keep an append-only file, synced every second as the project's own servers do. Default false. */
  readonly appendOnly?: boolean;
  /** More lines of redis.conf. Default none. */
  readonly config?: readonly string[];
}

/** Start a server and wait until it accepts connections. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const directory = await Deno.makeTempDir({ prefix: "tracekit-redis-" });
  const password = crypto.randomUUID();
  // Another process may take the port between the check and the bind: then the next one is tried.
  for (let attempt = 1;; attempt++) {
    const port = freePort();
    await Deno.writeTextFile(
      join(directory, "redis.conf"),
      [
        "bind 127.0.0.1",
        `port ${port}`,
        `requirepass ${password}`,
        `dir ${directory}`,
        'save ""',
        `appendonly ${options.appendOnly ? "yes" : "no"}`,
        "appendfsync everysec",
        ...options.config ?? [],
        "",
      ].join("\n"),
    );
    const server = new RedisServer({ directory, port, password });
    try {
      await server.start();
      return server;
    } catch (error) {
      if (!(error instanceof RedisStartError) || attempt === 5) {
        await server[Symbol.asyncDispose]();
        throw error;
      }
    }
  }
}

/** The server ended before it accepted connections; the message holds what it printed. */
class RedisStartError extends Error {
  override readonly name = "RedisStartError";
}

interface Running {
  readonly child: Deno.ChildProcess;
  /** Resolves when its output has ended, so that no operation outlives the test. */
  readonly drained: Promise<void>;
}

/** A running redis-server; dispose of it to end it and remove its folder. */
export class RedisServer implements AsyncDisposable {
  /** Its folder: redis.conf, append-only file. */
  readonly directory: string;
  /** Its port on 127.0.0.1. */
  readonly port: number;
  /** Its password. */
  readonly password: string;
  #running: Running | null = null;

  constructor(place: { directory: string; port: number; password: string }) {
    this.directory = place.directory;
    this.port = place.port;
    this.password = place.password;
  }

  /** URL with the password. */
  get url(): string {
    return `redis://:${this.password}@127.0.0.1:${this.port}/0`;
  }

  /** Start the stopped server on its port and folder; waits until it accepts connections. */
  async start(): Promise<void> {
    const child = boundCommand("redis-server", {
      args: [join(this.directory, "redis.conf")],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const { ready, drained } = followOutput(child.stdout);
    this.#running = { child, drained };
    await ready;
  }

  /** Send `signal`; after one that ends the server, waits until it is gone. */
  async kill(signal: Deno.Signal): Promise<void> {
    if (this.#running === null) throw new Error("Cannot signal redis-server: it does not run");
    const { child, drained } = this.#running;
    child.kill(signal);
    if (signal !== "SIGKILL" && signal !== "SIGTERM" && signal !== "SIGINT") return;
    this.#running = null;
    await Promise.all([child.status, drained]);
  }

  /** Kill the server the hard way, unless it is gone already, and start it on what it had on disk. */
  async restart(): Promise<void> {
    if (this.#running !== null) await this.kill("SIGKILL");
    await this.start();
  }

  /** What `redis-cli ARGS` prints, the final newline removed; throws when it fails. */
  async cli(...args: string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command("redis-cli", {
      args: ["-p", String(this.port), ...args],
      env: { REDISCLI_AUTH: this.password },
    }).output();
    const decoder = new TextDecoder();
    if (!success) throw new Error(`redis-cli ${args.join(" ")}: ${decoder.decode(stderr)}`);
    return decoder.decode(stdout).replace(/\n$/, "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#running !== null) await this.kill("SIGKILL");
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** Read all of the server's output: `ready` settles at its line for that, or when it ends before. */
function followOutput(
  stdout: ReadableStream<Uint8Array<ArrayBuffer>>,
): { ready: Promise<void>; drained: Promise<void> } {
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  async function drain(): Promise<void> {
    let printed = "";
    for await (const text of stdout.pipeThrough(new TextDecoderStream())) {
      printed = (printed + text).slice(-4000);
      if (printed.includes("Ready to accept connections")) resolve();
    }
    reject(new RedisStartError(`Cannot start redis-server: it ended and printed\n${printed}`));
  }
  // A server that became ready and ended later has settled `ready` already.
  ready.catch((_error: RedisStartError) => {});
  return { ready, drained: drain() };
}
