/**
 * What being observed costs a task: `deno task bench overhead [pairs=20] [pids=100]`.
 *
 * ffmpeg encodes the same video repeatedly, once with and once without the collector, in turn: the
 * collector is stopped by SIGSTOP in between. What is compared is ffmpeg's CPU time, by getrusage(2), and
 * its run time; each with the 95 % confidence interval of the difference. Beside its ffmpeg the collector
 * follows `pids` other processes. Exit code 1 when the whole interval of the CPU time is above 0.5 %.
 * stdout is one JSON object, stderr a table.
 */

import { join } from "@std/path";
import { RunDir } from "../../trace/run_dir.ts";
import { SamplingCalls } from "../../collector/sampling_calls.ts";
import { waitFor } from "../support/wait_for.ts";
import { collectorCommand, writeSentinels } from "./collector_command.ts";
import { Population, startProgram } from "./population.ts";
import { boundCommand } from "../support/bound_command.ts";

/** More than this is a failure, percent. */
const LIMIT_PERCENT = 0.5;

interface Run {
  readonly cpuMs: number;
  readonly wallMs: number;
}

interface Difference {
  readonly mean_percent: number;
  readonly low_percent: number;
  readonly high_percent: number;
}

const RUSAGE_CHILDREN = -1;

/** CPU time of the children that were waited for, ms. */
function childrenCpuMs(libc: Deno.DynamicLibrary<typeof RUSAGE>): number {
  // struct rusage: two struct timeval of two 64-bit words each, and 14 more words.
  const words = new BigInt64Array(18);
  libc.symbols.getrusage(RUSAGE_CHILDREN, new Uint8Array(words.buffer));
  const [userS = 0n, userUs = 0n, systemS = 0n, systemUs = 0n] = words;
  return Number(userS + systemS) * 1000 + Number(userUs + systemUs) / 1000;
}

const RUSAGE = {
  getrusage: { parameters: ["i32", "buffer"], result: "i32" },
} as const;

function ffmpegArguments(input: string): string[] {
  const encode = ["-c:v", "libx264", "-preset", "veryfast", "-threads", "1"];
  return ["-nostdin", "-v", "error", "-y", "-i", input, ...encode, "-f", "null", "-"];
}

async function makeVideo(path: string): Promise<void> {
  const source = "testsrc2=size=640x360:rate=30:duration=8";
  const { success, stderr } = await new Deno.Command("ffmpeg", {
    args: ["-nostdin", "-v", "error", "-f", "lavfi", "-i", source, "-c:v", "libx264", path],
  }).output();
  if (!success) throw new Error(`Cannot make a video: ${new TextDecoder().decode(stderr)}`);
}

/** The mean of `values` with its 95 % confidence interval (Student's t). */
function interval(values: readonly number[]): Difference {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const freedom = values.length - 1;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / freedom;
  // The quantile of t from that of the normal distribution (Abramowitz and Stegun 26.7.5).
  const z = 1.959964;
  const t = z + (z ** 3 + z) / (4 * freedom) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2);
  const half = t * Math.sqrt(variance / values.length);
  return { mean_percent: mean, low_percent: mean - half, high_percent: mean + half };
}

async function main(args: readonly string[]): Promise<number> {
  const numberOf = (name: string, fallback: number) => {
    const given = args.find((one) => one.startsWith(`${name}=`));
    return given === undefined ? fallback : Number(given.slice(name.length + 1));
  };
  const [pairs, pids] = [numberOf("pairs", 20), numberOf("pids", 100)];
  const folder = await Deno.makeTempDir({ prefix: "overhead_bench_" });
  const rusage = Deno.dlopen("libc.so.6", RUSAGE);
  using libc = SamplingCalls.open();
  if (libc === null) throw new Error("This bench needs FFI");
  try {
    const input = join(folder, "input.mp4");
    await makeVideo(input);
    await using population = await Population.start(pids);
    const runDir = RunDir.of(folder, "bench");
    writeSentinels(runDir.pids, population.pids);
    await using collector = startProgram(collectorCommand(folder));
    await waitFor({
      what: "the first samples",
      read: () => [...Deno.readDirSync(runDir.path)].map(({ name }) => name),
      until: (names) => names.includes("proc_metrics.jsonl"),
    });

    const encode = async (): Promise<Run> => {
      const cpuBefore = childrenCpuMs(rusage);
      const startMs = performance.now();
      const child = boundCommand("ffmpeg", {
        args: ffmpegArguments(input),
        stdin: "null",
        stdout: "null",
      }).spawn();
      const sentinel = join(runDir.pids, String(child.pid));
      Deno.writeTextFileSync(sentinel, "");
      await child.status;
      const wallMs = performance.now() - startMs;
      Deno.removeSync(sentinel);
      return { cpuMs: childrenCpuMs(rusage) - cpuBefore, wallMs };
    };
    let [observedMs, collectorNs] = [0, 0];
    const withCollector = async (): Promise<Run> => {
      Deno.kill(collector.pid, "SIGCONT");
      const before = libc.cpuClockNs(collector.pid) ?? NaN;
      const run = await encode();
      collectorNs += (libc.cpuClockNs(collector.pid) ?? NaN) - before;
      observedMs += run.wallMs;
      Deno.kill(collector.pid, "SIGSTOP");
      return run;
    };

    Deno.kill(collector.pid, "SIGSTOP");
    await encode();
    const cpu: number[] = [];
    const wall: number[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      // Whoever comes first may find a warmer machine: the order changes with each pair.
      const first = pair % 2 === 0 ? await withCollector() : await encode();
      const second = pair % 2 === 0 ? await encode() : await withCollector();
      const [observed, alone] = pair % 2 === 0 ? [first, second] : [second, first];
      cpu.push((observed.cpuMs / alone.cpuMs - 1) * 100);
      wall.push((observed.wallMs / alone.wallMs - 1) * 100);
    }
    Deno.kill(collector.pid, "SIGCONT");

    const result = {
      date: new Date().toISOString(),
      pairs,
      pids,
      cpu: interval(cpu),
      wall: interval(wall),
      collector_core_percent: collectorNs / 1e6 / observedMs * 100,
    };
    for (const name of ["cpu", "wall"] as const) {
      const { mean_percent, low_percent, high_percent } = result[name];
      const [mean, low, high] = [mean_percent, low_percent, high_percent].map((one) =>
        `${one < 0 ? "" : "+"}${one.toFixed(2)}`
      );
      console.error(`  ffmpeg's ${name} time: ${mean} % (95 %: ${low} to ${high} %)`);
    }
    console.error(
      `  the collector itself: ${result.collector_core_percent.toFixed(2)} % of a core`,
    );
    console.log(JSON.stringify(result));
    return result.cpu.low_percent > LIMIT_PERCENT ? 1 : 0;
  } finally {
    rusage.close();
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
