/**
 * A service over HTTP, as a process of its own, that uses as much CPU time as it is told:
 * `/burn?ms=100` before it answers, `/later?ms=100` behind its answer, anything else next to nothing;
 * `/wait?ms=100` answers after that much time on the clock, which CPU time of several threads is not.
 */

import { cpuUsage } from "node:process";
import { fromFileUrl } from "@std/path";

/** A running service. */
export interface BurningService extends AsyncDisposable {
  /** Its process. */
  readonly pid: number;
  /** Its port on 127.0.0.1. */
  readonly port: number;
}

/** Start the service; it dies with the test. */
export async function startBurningService(): Promise<BurningService> {
  const child = new Deno.Command("setpriv", {
    args: ["--pdeathsig", "KILL", Deno.execPath(), "run", "-A", "-q", fromFileUrl(import.meta.url)],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await reader.read();
  return {
    pid: child.pid,
    port: Number(value),
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
    },
  };
}

function burn(ms: number): void {
  const start = cpuUsage();
  for (let used = 0; used < ms * 1000;) {
    const { user, system } = cpuUsage(start);
    used = user + system;
  }
}

async function answer(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const ms = Number(searchParams.get("ms") ?? 0);
  if (pathname === "/burn") burn(ms);
  if (pathname === "/wait") await new Promise((resolve) => setTimeout(resolve, ms));
  if (pathname === "/later") setTimeout(() => burn(ms), 50);
  return new Response("done\n");
}

if (import.meta.main) {
  const onListen = ({ port }: { port: number }): void => console.log(port);
  Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, answer);
}
