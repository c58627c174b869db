/**
 * What the collector costs: `deno task bench collector [pids=1000] [many=10000] [seconds=10] [rounds=3]`.
 *
 * Beside it, on the same processes and in the same run, are a C program that makes the same system
 * calls and nothing else (where cc is installed), pidstat (sysstat) and psutil where they are installed.
 * CPU time is that of the whole process, by its CPU clock, over a window at the real cadence: the ratio to
 * the floor is what holds on another machine. Then come `many` processes, once, and the lateness of
 * ticks; `rounds=0`, `many=0` and `late-seconds=0` leave a part out. stdout is one JSON object, stderr a
 * table with what was aimed at; exit code 1 when an aim is missed.
 */

import { fromFileUrl, join } from "@std/path";
import { isThere } from "../../trace/atomic_file.ts";
import { readRecords } from "../../trace/json_lines.ts";
import { COLLECTOR_STATS, RAW_SAMPLE } from "../../trace/records.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { SamplingCalls } from "../../collector/sampling_calls.ts";
import { describeMachine, median, numberArgument, sleep } from "./bench_terms.ts";
import { collectorCommand, INTERVAL_MS, writeSentinels } from "./collector_command.ts";
import { BusyLoops, Population, startProgram } from "./population.ts";

/** pidstat takes whole seconds. */
const PIDSTAT_INTERVAL_MS = 1000;

/**
 * Until a program is as it will be for the hours of a run, ms: at five ticks a second V8 needs some 150 of
 * them to compile the loop for good; the first 50 cost twice as much. Others are what they are at once.
 */
const WARM_UP_MS = 30_000;
const SHORT_WARM_UP_MS = 2000;

const FLOOR = "floor (C)";
const OURS = "tracekit";
const OURS_WITHOUT_FFI = "tracekit --no-ffi";

interface Cost {
  readonly program: string;
  /** One value per round, us of CPU per process and reading. */
  readonly us_per_sample: number[];
  readonly us_per_sample_median: number;
  readonly core_percent: number;
  readonly ratio_to_floor: number | null;
  /** Resident memory at the end of the last round, MB. */
  readonly rss_mb: number;
}

interface Tardiness {
  readonly condition: string;
  readonly is_realtime: boolean;
  readonly ticks: number;
  readonly missed_ticks: number;
  readonly late_p50_ms: number;
  readonly late_p99_ms: number;
  readonly late_max_ms: number;
}

interface Program {
  readonly name: string;
  readonly intervalMs: number;
  readonly command: readonly string[];
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
    all.push({ name: FLOOR, intervalMs: INTERVAL_MS, command });
  }
  all.push(
    {
      name: OURS,
      intervalMs: INTERVAL_MS,
      command: collectorCommand(logs("ffi"), "--no-realtime"),
    },
    {
      name: OURS_WITHOUT_FFI,
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

/** CPU time that `program` takes per process and reading, us, and its resident memory, MB. */
async function measure(
  program: Program,
  { libc, pids, seconds }: { libc: SamplingCalls; pids: number; seconds: number },
): Promise<{ readonly us: number; readonly rssMb: number }> {
  await using running = startProgram(program.command);
  await sleep(program.name.startsWith(OURS) ? WARM_UP_MS : SHORT_WARM_UP_MS);
  const startNs = libc.cpuClockNs(running.pid);
  const startMs = performance.now();
  await sleep(seconds * 1000);
  const endNs = libc.cpuClockNs(running.pid);
  const ticks = (performance.now() - startMs) / program.intervalMs;
  if (startNs === null || endNs === null) throw new Error(`${program.name} ended too early`);
  const status = Deno.readTextFileSync(`/proc/${running.pid}/status`);
  const rssMb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024 / 1e6;
  return { us: (endNs - startNs) / 1000 / (ticks * pids), rssMb };
}

async function measureCosts(
  folder: string,
  { population, seconds, rounds, all }: {
    population: Population;
    seconds: number;
    rounds: number;
    all: readonly Program[];
  },
): Promise<Cost[]> {
  using libc = SamplingCalls.open();
  if (libc === null) throw new Error("This bench needs FFI");
  const pids = population.pids.length;
  const measured = new Map(all.map(({ name }): [string, { us: number[]; rssMb: number }] => {
    return [name, { us: [], rssMb: NaN }];
  }));
  for (let round = 0; round < rounds; round++) {
    for (const program of all) {
      const { us, rssMb } = await measure(program, { libc, pids, seconds });
      const of = measured.get(program.name);
      of?.us.push(us);
      if (of !== undefined) of.rssMb = rssMb;
      // What a round has written is not left for the disk to take in the next one.
      await emptyFiles(folder);
    }
  }
  const floor = measured.get(FLOOR)?.us;
  return all.map(({ name, intervalMs }): Cost => {
    const { us, rssMb } = measured.get(name) ?? { us: [], rssMb: NaN };
    const middle = median(us);
    return {
      program: name,
      us_per_sample: us,
      us_per_sample_median: middle,
      core_percent: middle * pids / intervalMs / 10,
      ratio_to_floor: floor === undefined ? null : middle / median(floor),
      rss_mb: rssMb,
    };
  });
}

/**
 * How late each tick was. The time of the first process's reading says it, once the grid of deadlines is
 * known; and that is known from the collector's account, which has the worst lateness of each period.
 */
async function latesMs(runDir: RunDir, pid: number): Promise<number[]> {
  const onBadLine = () => {};
  const [, ...periods] = await Array.fromAsync(
    readRecords(runDir.collectorStats, { decode: COLLECTOR_STATS.decode, onBadLine }),
  );
  const times: number[] = [];
  for await (
    const sample of readRecords(runDir.procMetrics, { decode: RAW_SAMPLE.decode, onBadLine })
  ) {
    if (sample.pid === pid && sample.boot_ms !== null) times.push(sample.boot_ms);
  }
  const [first, second] = periods;
  if (first === undefined || second === undefined) throw new Error("The run was too short");
  const [from, to] = [first.boot_ms ?? NaN, second.boot_ms ?? NaN];
  const phases = times.filter((ms) => ms > from && ms < to).map((ms) => ms % INTERVAL_MS);
  // Phases go round: seen from the middle one, all of an honest period are near.
  const middle = median(phases);
  const offsets = phases.map((phase) => around(phase - middle));
  const grid = middle + Math.max(...offsets) - second.late_max_ms;
  // The last reading is that of the end, at no deadline.
  return times.filter((ms) => ms > from).slice(0, -1)
    // The calibrating tick may have come to this process a little later than others did.
    .map((ms) => Math.max(0, around(ms - grid)));
}

/** `phase` between minus and plus half an interval. */
function around(phase: number): number {
  return phase - Math.round(phase / INTERVAL_MS) * INTERVAL_MS;
}

/** How late the ticks were; the first 5 s are those of its start. */
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
  const [first = NaN, ...rest] = population.pids.slice(0, 100);
  writeSentinels(runDir.pids, [first, ...rest]);
  {
    await using running = startProgram(collectorCommand(logs, ...flags));
    await sleep(seconds * 1000);
    await running.stop();
  }
  const options = { decode: COLLECTOR_STATS.decode, onBadLine: () => {} };
  const [, ...lines] = await Array.fromAsync(readRecords(runDir.collectorStats, options));
  const lates = (await latesMs(runDir, first)).sort((a, b) => a - b);
  return {
    condition,
    is_realtime: lines.every(({ is_realtime }) => is_realtime),
    ticks: lates.length,
    missed_ticks: lines.reduce((sum, { missed_ticks }) => sum + missed_ticks, 0),
    late_p50_ms: median(lates),
    late_p99_ms: lates[Math.ceil(lates.length * 0.99) - 1] ?? NaN,
    late_max_ms: Math.max(...lines.map(({ late_max_ms }) => late_max_ms)),
  };
}

/** Samples that nobody reads are not left to the disk. */
async function emptyFiles(folder: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = isDirectory ? RunDir.of(join(folder, name), "bench").procMetrics : null;
    if (path !== null && await isThere(path)) await Deno.truncate(path);
  }
}

/** What was aimed at, and what came of it. */
interface Aim {
  readonly what: string;
  readonly limit: number;
  readonly value: number;
}

function aimsOf({ costs, many, tardiness }: Results): Aim[] {
  const [ours, ticks] = [OURS, OURS_WITHOUT_FFI].map((name) =>
    costs.find(({ program }) => program === name)
  );
  const aims: Aim[] = [];
  const aim = (what: string, limit: number, value: number | null | undefined) => {
    if (value !== null && value !== undefined) aims.push({ what, limit, value });
  };
  aim("us per sample", 8, ours?.us_per_sample_median);
  aim("ratio to the floor", 2, ours?.ratio_to_floor);
  aim("us per sample without FFI", 18, ticks?.us_per_sample_median);
  aim("resident memory, MB", 80, ours?.rss_mb);
  aim("percent of a core with many processes", 45, many?.core_percent);
  for (const { condition, is_realtime, late_p99_ms } of tardiness) {
    if (condition === IDLE) aim("p99 of lateness, ms, idle", 2, late_p99_ms);
    if (condition === BUSY && is_realtime) aim("p99 of lateness, ms, busy", 1, late_p99_ms);
  }
  return aims;
}

const IDLE = "idle";
const BUSY = "beside two busy loops";

interface Results {
  readonly machine: string;
  readonly date: string;
  readonly pids: number;
  readonly costs: readonly Cost[];
  /** The cost with very many processes; null where that was left out. */
  readonly many: Cost | null;
  readonly many_pids: number;
  readonly tardiness: readonly Tardiness[];
}

async function main(args: readonly string[]): Promise<number> {
  const pids = numberArgument(args, "pids", 1000);
  const many = numberArgument(args, "many", 10_000);
  const seconds = numberArgument(args, "seconds", 10);
  const rounds = numberArgument(args, "rounds", 3);
  const lateSeconds = numberArgument(args, "late-seconds", 65);
  const folder = await Deno.makeTempDir({ prefix: "collector_bench_" });
  try {
    const tardiness: Tardiness[] = [];
    let costs: readonly Cost[] = [];
    {
      await using population = await Population.start(pids);
      if (rounds > 0) {
        const all = await programs(folder, population.pids);
        costs = await measureCosts(folder, { population, seconds, rounds, all });
      }
      const conditions = [
        { condition: IDLE, loops: 0, flags: [] },
        { condition: BUSY, loops: 2, flags: [] },
        { condition: `${BUSY}, --no-realtime`, loops: 2, flags: ["--no-realtime"] },
      ];
      for (const { condition, loops, flags } of lateSeconds > 0 ? conditions : []) {
        await using _busy = new BusyLoops(loops);
        const given = { population, seconds: lateSeconds, flags, condition };
        tardiness.push(await measureTardiness(folder, given));
      }
    }
    const results: Results = {
      machine: describeMachine(),
      date: new Date().toISOString(),
      pids,
      costs,
      many: many > 0 ? await measureMany(folder, { pids: many, seconds }) : null,
      many_pids: many,
      tardiness,
    };
    const aims = aimsOf(results);
    tell(results, aims);
    console.log(JSON.stringify({ ...results, aims }));
    return aims.every(({ value, limit }) => value <= limit) ? 0 : 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Very many processes, by the collector alone, once. */
async function measureMany(
  folder: string,
  { pids, seconds }: { pids: number; seconds: number },
): Promise<Cost | null> {
  await using population = await Population.start(pids);
  const logs = join(folder, "many");
  writeSentinels(RunDir.of(logs, "bench").pids, population.pids);
  const command = collectorCommand(logs, "--no-realtime");
  const all = [{ name: OURS, intervalMs: INTERVAL_MS, command }];
  const [cost = null] = await measureCosts(folder, { population, seconds, rounds: 1, all });
  return cost;
}

function tell(results: Results, aims: readonly Aim[]): void {
  const { machine, date, pids, costs, many, many_pids, tardiness } = results;
  console.error(`${machine}, ${date}\n${pids} processes every ${INTERVAL_MS} ms`);
  for (const cost of costs) tellCost(cost);
  if (many !== null) {
    console.error(`${many_pids} processes`);
    tellCost(many);
  }
  for (const one of tardiness) {
    const figures = [one.late_p50_ms, one.late_p99_ms, one.late_max_ms].map((ms) => ms.toFixed(3));
    console.error(
      `  late ${one.condition}${one.is_realtime ? " (real-time)" : ""}: p50, p99, max ` +
        `${figures.join(", ")} ms, ${one.missed_ticks} of ${one.ticks} missed`,
    );
  }
  for (const { what, limit, value } of aims) {
    const verdict = value <= limit ? "met" : "MISSED";
    console.error(`  ${verdict.padEnd(6)} ${what}: ${value.toFixed(2)}, at most ${limit}`);
  }
}

function tellCost({ program, us_per_sample_median, core_percent, ...rest }: Cost): void {
  const ratio = rest.ratio_to_floor === null ? "" : `  ${rest.ratio_to_floor.toFixed(2)} × floor`;
  console.error(
    `  ${program.padEnd(20)} ${us_per_sample_median.toFixed(2).padStart(7)} us/sample  ` +
      `${core_percent.toFixed(1).padStart(5)} % of a core  ${rest.rss_mb.toFixed(0)} MB${ratio}`,
  );
}

if (import.meta.main) Deno.exit(await main(Deno.args));
