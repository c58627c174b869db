/**
 * Whether the collector stays as it is: `deno task bench collector_soak [minutes=60] [pids=1000]
 * [births=50]`.
 *
 * It follows `pids` processes that wait, while so many others a second come, live for half a second under
 * a sentinel of their own, and go. Sixty times in the run its memory, its descriptors and its CPU per
 * sample are noted; the slope of each over the second half is what tells a leak from a start. stdout is
 * one JSON object, stderr a line for each poll. Exit code 1 when descriptors or memory grow.
 */

import { join } from "@std/path";
import { readRecords } from "../../trace/json_lines.ts";
import { COLLECTOR_STATS, type CollectorStats } from "../../trace/records.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { SamplingCalls } from "../../collector/sampling_calls.ts";
import { describeMachine, median, numberArgument, sleep } from "./bench_terms.ts";
import { collectorCommand, writeSentinels } from "./collector_command.ts";
import { Population, type RunningProgram, startProgram } from "./population.ts";
import { boundCommand } from "../support/bound_command.ts";

/** How often it is looked at. */
const LOOKS = 60;

/** How long a process of the churn lives, s. */
const LIFE_S = "0.5";

/**
 * Growth over the second half of the run that is a failure: a leak of one object per birth (64 bytes, 50 a
 * second) is 11 MiB an hour; V8's heap breathes by 2 or 3 MiB. Descriptors do so by the births in flight.
 */
const RSS_LIMIT_MIB_PER_H = 8;
const DESCRIPTORS_LIMIT = 20;

interface Look {
  readonly minute: number;
  readonly rss_mib: number;
  /** Without what is shared with other programs of the same binary. */
  readonly anonymous_mib: number;
  readonly descriptors: number;
  readonly births: number;
  readonly core_percent: number;
}

/** Starts processes at a steady rate and takes their sentinels away when they have ended. */
class Churn implements AsyncDisposable {
  /** Processes started so far. */
  births = 0;
  readonly #folder: string;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #alive = new Set<Promise<void>>();

  constructor(folder: string, perSecond: number) {
    this.#folder = folder;
    const startMs = performance.now();
    // A turn that came late starts all that are due.
    this.#timer = setInterval(() => {
      const due = (performance.now() - startMs) / 1000 * perSecond;
      while (this.births < due) this.#start();
    }, 1000 / perSecond);
  }

  #start(): void {
    const child = boundCommand("sleep", { args: [LIFE_S], stdin: "null" }).spawn();
    this.births++;
    writeSentinels(this.#folder, [child.pid]);
    const ended = child.status.then(() => {
      Deno.removeSync(join(this.#folder, String(child.pid)));
      this.#alive.delete(ended);
    });
    this.#alive.add(ended);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#alive);
  }
}

/** Least squares: how much `values` grow per hour, at these minutes. */
function slopePerHour(looks: readonly Look[], field: "rss_mib" | "anonymous_mib"): number {
  const meanMinute = looks.reduce((sum, { minute }) => sum + minute, 0) / looks.length;
  const mean = looks.reduce((sum, look) => sum + look[field], 0) / looks.length;
  let [products, squares] = [0, 0];
  for (const look of looks) {
    products += (look.minute - meanMinute) * (look[field] - mean);
    squares += (look.minute - meanMinute) ** 2;
  }
  return products / squares * 60;
}

async function watch(
  running: RunningProgram,
  { minutes, churn, procMetrics }: { minutes: number; churn: Churn; procMetrics: string },
): Promise<Look[]> {
  using libc = SamplingCalls.open();
  if (libc === null) throw new Error("This bench needs FFI");
  const looks: Look[] = [];
  const startMs = performance.now();
  let [lastNs, lastMs] = [libc.cpuClockNs(running.pid) ?? NaN, startMs];
  for (let count = 1; count <= LOOKS; count++) {
    await sleep(startMs + count * minutes * 60_000 / LOOKS - performance.now());
    const [cpuNs, nowMs] = [libc.cpuClockNs(running.pid) ?? NaN, performance.now()];
    const status = Deno.readTextFileSync(`/proc/${running.pid}/status`);
    const look: Look = {
      minute: (nowMs - startMs) / 60_000,
      rss_mib: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024,
      anonymous_mib: Number(/RssAnon:\s+(\d+)/.exec(status)?.[1]) / 1024,
      descriptors: [...Deno.readDirSync(`/proc/${running.pid}/fd`)].length,
      births: churn.births,
      core_percent: (cpuNs - lastNs) / 1e6 / (nowMs - lastMs) * 100,
    };
    looks.push(look);
    tell(look);
    [lastNs, lastMs] = [cpuNs, nowMs];
    // The samples of an hour are 3 GB, and nobody reads them here: it appends, so it continues at the start.
    Deno.truncateSync(procMetrics);
  }
  return looks;
}

function tell(look: Look): void {
  console.error(
    `  ${look.minute.toFixed(1).padStart(6)} min: rss ${look.rss_mib.toFixed(1)} MiB (anonymous ` +
      `${look.anonymous_mib.toFixed(1)}), ${look.descriptors} descriptors, ` +
      `${look.core_percent.toFixed(2)} % of a core, ${look.births} births`,
  );
}

/** CPU per sample by the collector's own account, us: the median of each sixth of the run. */
function costOverTime(stats: readonly CollectorStats[]): number[] {
  const sixth = Math.ceil(stats.length / 6);
  return Array.from({ length: 6 }, (_, at) => {
    const costs = stats.slice(at * sixth, (at + 1) * sixth)
      .filter(({ samples }) => samples > 0)
      .map(({ cpu_ms, samples }) => cpu_ms * 1000 / samples).sort((a, b) => a - b);
    return costs[Math.floor(costs.length / 2)] ?? NaN;
  });
}

async function main(args: readonly string[]): Promise<number> {
  const minutes = numberArgument(args, "minutes", 60);
  const pids = numberArgument(args, "pids", 1000);
  const perSecond = numberArgument(args, "births", 50);
  const folder = await Deno.makeTempDir({ prefix: "collector_soak_" });
  try {
    await using population = await Population.start(pids);
    const runDir = RunDir.of(folder, "bench");
    writeSentinels(runDir.pids, population.pids);
    console.error(`${describeMachine()}, ${pids} processes and ${perSecond} births a second`);
    await using running = startProgram(collectorCommand(folder));
    let looks: Look[];
    {
      await using churn = new Churn(runDir.pids, perSecond);
      looks = await watch(running, { minutes, churn, procMetrics: runDir.procMetrics });
    }
    await running.stop();
    const options = { decode: COLLECTOR_STATS.decode, onBadLine: () => {} };
    const stats = await Array.fromAsync(readRecords(runDir.collectorStats, options));
    const half = looks.slice(LOOKS / 2);
    // Medians: the churn comes in bursts where the machine held it up.
    const [early, late] = [half.slice(0, LOOKS / 8), half.slice(-LOOKS / 8)]
      .map((looks) => median(looks.map(({ descriptors }) => descriptors)));
    const result = {
      machine: describeMachine(),
      date: new Date().toISOString(),
      minutes,
      pids,
      births_seen: stats.reduce((sum, { births_seen }) => sum + births_seen, 0) - pids,
      samples: stats.reduce((sum, { samples }) => sum + samples, 0),
      missed_ticks: stats.reduce((sum, { missed_ticks }) => sum + missed_ticks, 0),
      is_realtime: stats.every(({ is_realtime }) => is_realtime),
      us_per_sample: costOverTime(stats),
      rss_max_mib: Math.max(...looks.map(({ rss_mib }) => rss_mib)),
      rss_mib_per_h: slopePerHour(half, "rss_mib"),
      anonymous_mib_per_h: slopePerHour(half, "anonymous_mib"),
      descriptors_grown: (late ?? NaN) - (early ?? NaN),
      looks,
    };
    console.error(
      `  rss at most ${result.rss_max_mib.toFixed(1)} MiB, second half ` +
        `${result.rss_mib_per_h.toFixed(2)} MiB/h (anonymous ` +
        `${
          result.anonymous_mib_per_h.toFixed(2)
        }), descriptors ${result.descriptors_grown}, us per ` +
        `sample ${result.us_per_sample.map((us) => us.toFixed(2)).join(" ")}`,
    );
    console.log(JSON.stringify(result));
    const isGrowing = result.anonymous_mib_per_h > RSS_LIMIT_MIB_PER_H ||
      result.descriptors_grown > DESCRIPTORS_LIMIT;
    return isGrowing ? 1 : 0;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
