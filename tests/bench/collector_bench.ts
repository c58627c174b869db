/**
 * What the collector costs: `deno task bench collector [pids=1000] [seconds=10] [rounds=3]`.
 *
 * Beside it, on the same processes and in the same run, stand a C program that makes the same system
 * calls and nothing else (where cc is installed), pidstat (sysstat) and psutil where they are installed.
 * CPU time is that of the whole process, by its CPU clock, over a window at the real cadence: the ratio to
 * the floor is what holds on another machine. `soak-minutes=N` runs N minutes with processes that come
 * and go, and tells how memory and descriptors moved. stdout is one JSON object, stderr a table.
 */

import { fromFileUrl, join } from "@std/path";
import { readRecords } from "../../trace/json_lines.ts";
import { COLLECTOR_STATS } from "../../trace/records.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { Libc } from "../../collector/libc.ts";
import { collectorCommand, INTERVAL_MS, writeSentinels } from "./collector_command.ts";
import { BusyLoops, Population, startProgram } from "./population.ts";

/** pidstat takes whole seconds. */
const PIDSTAT_INTERVAL_MS = 1000;

/**
 * Until a program is as it will be for the hours of a run, ms: at five ticks a second V8 needs some 50 of
 * them to compile the loop for good; the ticks before cost two to three times as much.
 */
const WARM_UP_MS = 10_000;

interface Cost {
  readonly program: string;
  /** One value per round, us of CPU per process and reading. */
  readonly us_per_sample: number[];
  readonly us_per_sample_median: number;
  readonly core_percent: number;
  readonly ratio_to_floor: number | null;
}

interface Tardiness {
  readonly condition: string;
  readonly is_realtime: boolean;
  readonly ticks: number;
  readonly missed_ticks: number;
  /** The worst of each 5 s, their median. */
  readonly late_worst_median_ms: number;
  /** The worst of all. */
  readonly late_max_ms: number;
}

interface Program {
  readonly name: string;
  readonly intervalMs: number;
  readonly command: readonly string[];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function isInstalled(program: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", {
    args: ["-c", `command -v ${program}`],
    stdout: "null",
  }).output();
  return success;
}

async function compileFloor(folder: string): Promise<string | null> {
  if (!await isInstalled("cc")) return null;
  const source = fromFileUrl(new URL("collector_floor.c", import.meta.url));
  const binary = join(folder, "floor");
  const { success } = await new Deno.Command("cc", { args: ["-O2", "-o", binary, source] })
    .output();
  return success ? binary : null;
}

async function programs(folder: string, pids: readonly number[]): Promise<Program[]> {
  const list = pids.map(String);
  const logs = (name: string) => {
    const path = join(folder, name);
    writeSentinels(RunDir.of(path, "bench").pids, pids);
    return path;
  };
  const all: Program[] = [];
  const floor = await compileFloor(folder);
  if (floor !== null) {
    const command = [floor, String(INTERVAL_MS), join(folder, "floor.out"), ...list];
    all.push({ name: "floor (C)", intervalMs: INTERVAL_MS, command });
  }
  all.push(
    {
      name: "tracekit",
      intervalMs: INTERVAL_MS,
      command: collectorCommand(logs("ffi"), "--no-realtime"),
    },
    {
      name: "tracekit --no-ffi",
      intervalMs: INTERVAL_MS,
      command: collectorCommand(logs("no-ffi"), "--no-ffi", "--no-realtime"),
    },
  );
  if (await isInstalled("pidstat")) {
    const command = ["pidstat", "-u", "-r", "-h", "-p", list.join(","), "1"];
    all.push({ name: "pidstat, 1 s", intervalMs: PIDSTAT_INTERVAL_MS, command });
  }
  const { success } = await new Deno.Command("python3", { args: ["-c", "import psutil"] }).output()
    .catch((error) => {
      if (error instanceof Deno.errors.NotFound) return { success: false };
      throw error;
    });
  if (success) {
    const script = fromFileUrl(new URL("collector_psutil.py", import.meta.url));
    const command = ["python3", script, String(INTERVAL_MS / 1000), ...list];
    all.push({ name: "psutil oneshot", intervalMs: INTERVAL_MS, command });
  }
  return all;
}

/** CPU time that `program` takes per process and reading, us. */
async function measure(
  program: Program,
  { libc, pids, seconds }: { libc: Libc; pids: number; seconds: number },
): Promise<number> {
  await using running = startProgram(program.command);
  await sleep(WARM_UP_MS);
  const startNs = libc.cpuClockNs(running.pid);
  const startMs = performance.now();
  await sleep(seconds * 1000);
  const endNs = libc.cpuClockNs(running.pid);
  const ticks = (performance.now() - startMs) / program.intervalMs;
  if (startNs === null || endNs === null) throw new Error(`${program.name} ended too early`);
  return (endNs - startNs) / 1000 / (ticks * pids);
}

async function measureCosts(
  folder: string,
  { population, seconds, rounds }: { population: Population; seconds: number; rounds: number },
): Promise<Cost[]> {
  using libc = Libc.open();
  if (libc === null) throw new Error("This bench needs FFI");
  const all = await programs(folder, population.pids);
  const byName = new Map(all.map(({ name }): [string, number[]] => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const program of all) {
      const pids = population.pids.length;
      byName.get(program.name)?.push(await measure(program, { libc, pids, seconds }));
    }
  }
  const floor = byName.get("floor (C)");
  return all.map(({ name, intervalMs }): Cost => {
    const values = byName.get(name) ?? [];
    const middle = median(values);
    return {
      program: name,
      us_per_sample: values,
      us_per_sample_median: middle,
      core_percent: middle * population.pids.length / intervalMs / 10,
      ratio_to_floor: floor === undefined ? null : middle / median(floor),
    };
  });
}

/** How late the ticks were, by the collector's own account; the first 5 s are those of its start. */
async function measureTardiness(
  folder: string,
  { population, seconds, flags, condition }: {
    population: Population;
    seconds: number;
    flags: readonly string[];
    condition: string;
  },
): Promise<Tardiness> {
  const logs = join(folder, `late-${condition.replaceAll(/\W+/g, "-")}`);
  const runDir = RunDir.of(logs, "bench");
  writeSentinels(runDir.pids, population.pids.slice(0, 100));
  {
    await using running = startProgram(collectorCommand(logs, ...flags));
    await sleep(seconds * 1000);
    await running.stop();
  }
  const options = { decode: COLLECTOR_STATS.decode, onBadLine: () => {} };
  const [, ...lines] = await Array.fromAsync(readRecords(runDir.collectorStats, options));
  const worst = lines.map(({ late_max_ms }) => late_max_ms);
  return {
    condition,
    is_realtime: lines.every(({ is_realtime }) => is_realtime),
    ticks: lines.reduce((sum, { ticks }) => sum + ticks, 0),
    missed_ticks: lines.reduce((sum, { missed_ticks }) => sum + missed_ticks, 0),
    late_worst_median_ms: median(worst),
    late_max_ms: Math.max(...worst),
  };
}

interface Soak {
  readonly minutes: number;
  readonly births: number;
  readonly samples: number;
  readonly rss_kb: readonly number[];
  readonly descriptors: readonly number[];
  readonly core_percent: number;
}

/** Births in a second, each of a process that lives for half a second. */
const BIRTHS_PER_S = 50;

/** Run for minutes with processes that come and go, and note memory and descriptors ten times. */
async function soak(
  folder: string,
  { population, minutes }: { population: Population; minutes: number },
): Promise<Soak> {
  const logs = join(folder, "soak");
  const runDir = RunDir.of(logs, "bench");
  writeSentinels(runDir.pids, population.pids);
  const batch = BIRTHS_PER_S / 10;
  const one = `(sleep 0.5 & : > ${runDir.pids}/$!; wait; rm ${runDir.pids}/$!) &`;
  const churn = `while :; do ${one.repeat(batch)} sleep 0.1; done`;
  await using running = startProgram(collectorCommand(logs, "PROC_MATCH=^sleep$"));
  await sleep(WARM_UP_MS);
  await using _churn = startProgram(["sh", "-c", churn]);
  const rssKb: number[] = [];
  const descriptors: number[] = [];
  for (let look = 0; look < 10; look++) {
    await sleep(minutes * 60_000 / 10);
    const status = Deno.readTextFileSync(`/proc/${running.pid}/status`);
    rssKb.push(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]));
    descriptors.push([...Deno.readDirSync(`/proc/${running.pid}/fd`)].length);
  }
  await running.stop();
  let [births, samples, cpuMs] = [0, 0, 0];
  const options = { decode: COLLECTOR_STATS.decode, onBadLine: () => {} };
  for await (const line of readRecords(runDir.collectorStats, options)) {
    births += line.births_seen;
    samples += line.samples;
    cpuMs += line.cpu_ms;
  }
  const core_percent = cpuMs / (minutes * 60_000) * 100;
  return { minutes, births, samples, rss_kb: rssKb, descriptors, core_percent };
}

function describeMachine(): string {
  const cpu = /model name\s*:\s*(.*)/.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ?? "CPU";
  return `${navigator.hardwareConcurrency} × ${cpu}, Linux ${Deno.osRelease()}, Deno ${Deno.version.deno}`;
}

async function main(args: readonly string[]): Promise<void> {
  const numberOf = (name: string, fallback: number) => {
    const given = args.find((one) => one.startsWith(`${name}=`));
    return given === undefined ? fallback : Number(given.slice(name.length + 1));
  };
  const [pids, seconds, rounds] = [
    numberOf("pids", 1000),
    numberOf("seconds", 10),
    numberOf("rounds", 3),
  ];
  const minutes = numberOf("soak-minutes", 0);
  const folder = await Deno.makeTempDir({ prefix: "collector_bench_" });
  try {
    await using population = await Population.start(pids);
    const costs = rounds === 0 ? [] : await measureCosts(folder, { population, seconds, rounds });
    const tardiness: Tardiness[] = [];
    for (
      const [condition, loops, flags] of [
        ["idle", 0, []],
        ["beside two busy loops", 2, []],
        ["beside two busy loops, --no-realtime", 2, ["--no-realtime"]],
      ] as const
    ) {
      if (rounds === 0) break;
      await using _busy = new BusyLoops(loops);
      const given = { population, seconds: seconds * 3, flags, condition };
      tardiness.push(await measureTardiness(folder, given));
    }
    const soaked = minutes > 0 ? await soak(folder, { population, minutes }) : null;
    const machine = describeMachine();
    const date = new Date().toISOString();
    tell({ machine, date, pids, costs, tardiness, soaked });
    console.log(JSON.stringify({ machine, date, pids, costs, tardiness, soak: soaked }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Report {
  readonly machine: string;
  readonly date: string;
  readonly pids: number;
  readonly costs: readonly Cost[];
  readonly tardiness: readonly Tardiness[];
  readonly soaked: Soak | null;
}

function tell({ machine, date, pids, costs, tardiness, soaked }: Report): void {
  console.error(`${machine}, ${date}\n${pids} processes every ${INTERVAL_MS} ms`);
  for (const { program, us_per_sample_median, core_percent, ratio_to_floor } of costs) {
    const ratio = ratio_to_floor === null ? "" : `  ${ratio_to_floor.toFixed(2)} × floor`;
    console.error(
      `  ${program.padEnd(20)} ${us_per_sample_median.toFixed(2).padStart(7)} us/sample  ${
        core_percent.toFixed(1).padStart(5)
      } % of a core${ratio}`,
    );
  }
  for (const one of tardiness) {
    console.error(
      `  late ${one.condition}${one.is_realtime ? " (real-time)" : ""}: worst of 5 s ${
        one.late_worst_median_ms.toFixed(3)
      } ms, worst of all ${
        one.late_max_ms.toFixed(3)
      } ms, ${one.missed_ticks} of ${one.ticks} missed`,
    );
  }
  if (soaked === null) return;
  console.error(
    `  ${soaked.minutes} min with ${soaked.births} births: rss ${
      soaked.rss_kb.map((kb) => (kb / 1024).toFixed(0)).join(" ")
    } MiB, descriptors ${soaked.descriptors.join(" ")}, ${
      soaked.core_percent.toFixed(1)
    } % of a core`,
  );
}

if (import.meta.main) await main(Deno.args);
