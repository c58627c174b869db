/**
 * A service over HTTP, as a process of its own, that uses as much CPU time as it is told: `/burn?ms=100`
 * before it answers, `/hold` before it answers when the test says so, anything else next to nothing;
 * `/wait?ms=100` answers after that much time on the clock, which CPU time of several threads is not.
 */

import { cpuUsage } from "node:process";
import { fromFileUrl } from "@std/path";
import { boundCommand } from "./bound_command.ts";

/** A running service. */
export interface BurningService extends AsyncDisposable {
  /** Its process. */
  readonly pid: number;
  /** Its port on 127.0.0.1. */
  readonly port: number;
  /** Wait until it holds `count` more requests. */
  holds(count: number): Promise<void>;
  /** Let it use `ms` of CPU time, for no request. */
  burn(ms: number): Promise<void>;
  /** The same, then let it answer the oldest request that it holds. */
  answerAfter(ms: number): Promise<void>;
}

/** Start the service; it dies with the test. */
export async function startBurningService(): Promise<BurningService> {
  const child = boundCommand(Deno.execPath(), {
    args: ["run", "-A", "-q", fromFileUrl(import.meta.url)],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = linesOf(child.stdout);
  const orders = child.stdin.getWriter();
  async function next(wanted: RegExp): Promise<string> {
    const { value, done } = await lines.next();
    if (done || !wanted.test(value)) throw new Error(`the service said ${value}, not ${wanted}`);
    return value;
  }
  async function order(line: string): Promise<void> {
    await orders.write(new TextEncoder().encode(`${line}\n`));
    await next(/^done$/);
  }
  return {
    pid: child.pid,
    port: Number(await next(/^\d+$/)),
    async holds(count): Promise<void> {
      for (let held = 0; held < count; held++) await next(/^held$/);
    },
    burn: (ms) => order(`burn ${ms}`),
    answerAfter: (ms) => order(`answer ${ms}`),
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill("SIGKILL");
      await child.status;
      await lines.return(undefined);
      await orders.abort();
    },
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

function burn(ms: number): void {
  const start = cpuUsage();
  for (let used = 0; used < ms * 1000;) {
    const { user, system } = cpuUsage(start);
    used = user + system;
  }
}

/** Answers of the requests that are held. */
const held: (() => void)[] = [];

async function answer(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const ms = Number(searchParams.get("ms") ?? 0);
  if (pathname === "/burn") burn(ms);
  if (pathname === "/wait") await new Promise((resolve) => setTimeout(resolve, ms));
  if (pathname === "/hold") {
    const { promise, resolve } = Promise.withResolvers<void>();
    held.push(resolve);
    console.log("held");
    await promise;
  }
  return new Response("done\n");
}

if (import.meta.main) {
  const onListen = ({ port }: { port: number }): void => console.log(port);
  Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, answer);
  for await (const line of linesOf(Deno.stdin.readable)) {
    const [verb, ms] = line.split(" ");
    burn(Number(ms));
    if (verb === "answer") held.shift()?.();
    console.log("done");
  }
}
