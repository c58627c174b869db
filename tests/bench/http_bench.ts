/**
 * What the HTTP adapter costs, beside a bare proxy on the same HTTP stack (node:http) that records
 * nothing, before the same service in the same run: `deno task bench http [SECONDS] [ROUNDS]`.
 *
 * Load is wrk's, with small bodies: 16 connections for requests per second, one connection for the time
 * that is added to a request. Rates swing with whatever else runs here; the ratio of a round holds.
 */

import { Agent, createServer, request } from "node:http";
import { fromFileUrl } from "@std/path";
import { findProgram } from "../../tasks/machine/packages.ts";
import { boundCommand } from "../support/bound_command.ts";

/** What the adapter promises. */
const ADDED_P50_MS = 0.25;
const RATE_RATIO = 0.7;

/** A server in a process of its own. */
interface Served extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
}

/** What one load gave. */
interface Load {
  readonly perSecond: number;
  readonly p50Ms: number;
  /** CPU time of the server that was loaded, µs a request. */
  readonly cpuUs: number;
}

async function main([seconds = "4", rounds = "5"]: readonly string[]): Promise<void> {
  if (await findProgram("wrk") === null) {
    console.error("http bench: wrk is required (apt-get install wrk)");
    Deno.exit(1);
  }
  await using service = await start([import.meta.filename ?? "", "service"]);
  await using bare = await start([import.meta.filename ?? "", "bare", String(service.port)]);
  const logs = await Deno.makeTempDir({ prefix: "tracekit-bench-" });
  await using ours = await start([
    fromFileUrl(new URL("../../tasks/adapt_http.ts", import.meta.url)),
    ...["RUN_ID=bench", "--logs", logs, "--listen", "127.0.0.1:0"],
    ...["--target", `http://127.0.0.1:${service.port}`, "--pid", String(service.pid)],
  ]);
  const servers = { direct: service, bare, ours };
  const rates = { direct: [] as Load[], bare: [] as Load[], ours: [] as Load[] };
  const times = { direct: [] as Load[], bare: [] as Load[], ours: [] as Load[] };
  const names = ["direct", "bare", "ours"] as const;
  for (const name of names) await load(servers[name], { connections: 16, seconds: "1" });
  for (let round = 0; round < Number(rounds); round++) {
    for (const name of names) {
      rates[name].push(await load(servers[name], { connections: 16, seconds }));
      times[name].push(await load(servers[name], { connections: 1, seconds }));
    }
  }
  for (const name of names) {
    const perSecond = median(rates[name].map((one) => one.perSecond));
    const cpuUs = median(rates[name].map((one) => one.cpuUs));
    const p50Ms = median(times[name].map((one) => one.p50Ms));
    console.log(
      `${name.padEnd(6)} ${perSecond.toFixed(0).padStart(6)} requests/s, ` +
        `${cpuUs.toFixed(1)} µs CPU a request, p50 ${p50Ms.toFixed(3)} ms with one connection`,
    );
  }
  const ratio = median(rates.ours.map((one, at) => one.perSecond / rates.bare[at]!.perSecond));
  const addedMs = median(times.ours.map((one, at) => one.p50Ms - times.direct[at]!.p50Ms));
  console.log(`requests/s of ours / bare, by round: ${(100 * ratio).toFixed(0)} %`);
  console.log(`added at p50, by round: ${addedMs.toFixed(3)} ms`);
  const isKept = ratio >= RATE_RATIO && addedMs <= ADDED_P50_MS;
  console.log(
    `${isKept ? "KEPT" : "NOT KEPT"}: at least ${100 * RATE_RATIO} %, at most ${ADDED_P50_MS} ms`,
  );
  await Deno.remove(logs, { recursive: true });
  if (!isKept) Deno.exitCode = 1;
}

/** Start a server that prints a line with its port at the end. */
async function start(args: readonly string[]): Promise<Served> {
  const child = boundCommand(Deno.execPath(), {
    args: ["run", "-A", "-q", ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  return {
    pid: child.pid,
    port: Number(value.trim().split(":").at(-1)),
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
    },
  };
}

async function load(
  { pid, port }: Served,
  { connections, seconds }: { readonly connections: number; readonly seconds: string },
): Promise<Load> {
  const before = cpuUs(pid);
  const { stdout } = await new Deno.Command("wrk", {
    args: [`-t1`, `-c${connections}`, `-d${seconds}`, "--latency", `http://127.0.0.1:${port}/`],
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(`wrk found errors:\n${text}`);
  const [, count = ""] = /(\d+) requests in/.exec(text) ?? [];
  const [, perSecond = ""] = /Requests\/sec:\s+([\d.]+)/.exec(text) ?? [];
  const [, p50 = "", unit = ""] = /50%\s+([\d.]+)(us|ms|s)\b/.exec(text) ?? [];
  const inMs = { us: 0.001, ms: 1, s: 1000 }[unit] ?? NaN;
  return {
    perSecond: Number(perSecond),
    p50Ms: Number(p50) * inMs,
    cpuUs: (cpuUs(pid) - before) / Number(count),
  };
}

/** CPU time of a process, µs, in steps of 10 ms (proc_pid_stat(5)). */
function cpuUs(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** A service whose own work is next to nothing. */
function serve(): void {
  const body = "hello, this is a small body of a service\n";
  const onListen = ({ port }: { readonly port: number }): void => console.log(port);
  Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, () => new Response(body));
}

/** The floor: passes requests and responses on, and does nothing else. */
function serveBare(target: number): void {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => {
    const outbound = request({
      agent,
      host: "127.0.0.1",
      port: target,
      method: incoming.method ?? "",
      path: incoming.url ?? "",
      headers: incoming.rawHeaders,
    });
    outbound.on("response", (response) => {
      outgoing.writeHead(
        response.statusCode ?? 0,
        response.statusMessage ?? "",
        response.rawHeaders,
      );
      response.pipe(outgoing);
    });
    outbound.on("error", () => outgoing.destroy());
    incoming.pipe(outbound);
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    console.log(typeof address === "object" ? address?.port : "");
  });
}

if (import.meta.main) {
  const [role, ...args] = Deno.args;
  if (role === "service") serve();
  else if (role === "bare") serveBare(Number(args[0]));
  else await main(Deno.args);
}
