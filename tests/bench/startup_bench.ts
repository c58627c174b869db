/**
 * What the start of a command costs: `deno task bench startup [rounds=15]`.
 *
 * Each command is started `rounds` times, in turn with an empty Deno program, as the npm package has it
 * (bundles) and as a task of a checkout has it (sources). Compared are the medians of the CPU time of the
 * process and of what it starts, getrusage(2): it holds on a machine that does other things as well.
 * Exit code 1 when the package is above a limit. stdout is one JSON object, stderr a table.
 */

import { fromFileUrl, join } from "@std/path";
import { writePackage } from "../../tasks/build/npm_package.ts";
import { startRedisServer } from "../support/redis_server.ts";

/** A command and how much of the CPU time of an empty program it may take. */
interface Start {
  readonly name: string;
  readonly args: readonly string[];
  readonly limitRatio: number;
}

interface Row {
  readonly name: string;
  readonly cpu_ms: number;
  readonly wall_ms: number;
  readonly ratio: number;
  readonly limit_ratio: number | null;
}

const RUSAGE_CHILDREN = -1;

const RUSAGE = {
  getrusage: { parameters: ["i32", "buffer"], result: "i32" },
} as const;

/** CPU time of the children that were waited for, ms. */
function childrenCpuMs(libc: Deno.DynamicLibrary<typeof RUSAGE>): number {
  // struct rusage: two struct timeval of two 64-bit words each, and 14 more words.
  const words = new BigInt64Array(18);
  libc.symbols.getrusage(RUSAGE_CHILDREN, new Uint8Array(words.buffer));
  const [userS = 0n, userUs = 0n, systemS = 0n, systemUs = 0n] = words;
  return Number(userS + systemS) * 1000 + Number(userUs + systemUs) / 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** CPU and wall time of each of `commands`, taken in turn, ms. */
async function measureInTurn(
  commands: ReadonlyMap<string, readonly string[]>,
  { rounds, env }: { readonly rounds: number; readonly env: Readonly<Record<string, string>> },
): Promise<Map<string, { readonly cpuMs: number; readonly wallMs: number }>> {
  using libc = { ...Deno.dlopen("libc.so.6", RUSAGE), [Symbol.dispose]: () => {} };
  const taken = new Map<string, { cpuMs: number[]; wallMs: number[] }>();
  // The first round fills Deno's caches, and does not count.
  for (let round = 0; round <= rounds; round++) {
    for (const [name, [program = "", ...args]] of commands) {
      const beforeMs = childrenCpuMs(libc);
      const startMs = performance.now();
      await new Deno.Command(program, { args, env, stdin: "null", stderr: "null", stdout: "null" })
        .output();
      const wallMs = performance.now() - startMs;
      const times = taken.get(name) ?? { cpuMs: [], wallMs: [] };
      if (round > 0) times.cpuMs.push(childrenCpuMs(libc) - beforeMs);
      if (round > 0) times.wallMs.push(wallMs);
      taken.set(name, times);
    }
  }
  return new Map(
    [...taken].map(([name, { cpuMs, wallMs }]) => [
      name,
      { cpuMs: median(cpuMs), wallMs: median(wallMs) },
    ]),
  );
}

function startsOf(folder: string, redis: string): Start[] {
  const run = ["--run-id=startup", `--logs=${folder}`];
  return [
    { name: "status --help", args: ["status", "--help"], limitRatio: 2 },
    { name: "status --nope", args: ["status", "--nope"], limitRatio: 2 },
    { name: "adapt --help", args: ["adapt", "--help"], limitRatio: 2 },
    { name: "status", args: ["status", "--redis", redis], limitRatio: 3 },
    { name: "adapt -- true", args: ["adapt", ...run, "--", "true"], limitRatio: 1.5 },
  ];
}

async function main(args: readonly string[]): Promise<number> {
  const given = args.find((one) => one.startsWith("rounds="))?.slice("rounds=".length);
  const folder = await Deno.makeTempDir({ prefix: "startup_bench_" });
  try {
    await writePackage({ build: "bench", folder });
    const empty = join(folder, "empty.ts");
    await Deno.writeTextFile(empty, "export {};\n");
    // A server without a password: one on the command line would make status start a second time.
    await using redis = await startRedisServer();
    const env = { NO_COLOR: "1", TRACEKIT_DENO: Deno.execPath(), REDIS_PASSWORD: redis.password };
    const launcher = fromFileUrl(new URL("../../tasks/command/run.ts", import.meta.url));
    const starts = startsOf(folder, `redis://127.0.0.1:${redis.port}`);
    const commands = new Map<string, readonly string[]>([
      ["empty program", [Deno.execPath(), "run", "-A", "-q", empty]],
    ]);
    for (const { name, args } of starts) {
      commands.set(`package: ${name}`, [join(folder, "package/bin/tracekit"), ...args]);
      commands.set(`checkout: ${name}`, [Deno.execPath(), "run", "-A", "-q", launcher, ...args]);
    }
    const times = await measureInTurn(commands, { rounds: Number(given ?? 15), env });
    const rows = rowsOf(times, starts);
    console.log(JSON.stringify({ rows }));
    for (const line of table(rows)) console.error(line);
    return rows.every(({ ratio, limit_ratio }) => ratio <= (limit_ratio ?? Infinity)) ? 0 : 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function rowsOf(
  times: ReadonlyMap<string, { readonly cpuMs: number; readonly wallMs: number }>,
  starts: readonly Start[],
): Row[] {
  const emptyMs = times.get("empty program")?.cpuMs ?? NaN;
  return [...times].map(([name, { cpuMs, wallMs }]) => ({
    name,
    cpu_ms: Math.round(cpuMs * 10) / 10,
    wall_ms: Math.round(wallMs * 10) / 10,
    ratio: Math.round(cpuMs / emptyMs * 100) / 100,
    limit_ratio: starts.find((start) => name === `package: ${start.name}`)?.limitRatio ?? null,
  }));
}

function table(rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(({ name }) => name.length));
  return [
    `${"start".padEnd(width)}  CPU ms  wall ms  ratio  limit`,
    ...rows.map(({ name, cpu_ms, wall_ms, ratio, limit_ratio }) =>
      [
        name.padEnd(width),
        cpu_ms.toFixed(1).padStart(6),
        wall_ms.toFixed(1).padStart(7),
        ratio.toFixed(2).padStart(5),
        limit_ratio === null ? "" : limit_ratio.toFixed(1),
      ].join("  ")
    ),
  ];
}

if (import.meta.main) Deno.exit(await main(Deno.args));
