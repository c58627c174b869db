import { assertEquals, assertRejects } from "@std/assert";
import { JsonLinesWriter } from "../../../trace/json_lines.ts";
import {
  COLLECTOR_STATS,
  type CollectorStats,
  RAW_SAMPLE,
  type RawSample,
} from "../../../trace/records.ts";
import { type Alarm, NO_EVENTS } from "../../../collector/sampling/alarm.ts";
import type { Finder } from "../../../collector/finding/finder.ts";
import { Realtime } from "../../../collector/sampling/realtime.ts";
import { runSampler, type SamplerOptions } from "../../../collector/sampling/sampler.ts";
import { recordsIn } from "../../support/records.ts";
import { ProcTree } from "../fixture.ts";
import { Observation } from "../observed_tree.ts";

const FINDER: Finder = {
  mode: "scan",
  react: () => {},
  refresh: () => {},
  takeForeignCount: () => 0,
  takeBornCount: () => 4,
};

/** An alarm that moves the clock to each deadline and so many ms beyond it. */
class LateAlarm implements Alarm {
  readonly #seen: Observation;
  readonly #latesMs: number[];
  readonly #stop: () => void;

  readonly #stepMs: number;

  /** @param stepMs How far the wall clock is set at each wait. */
  constructor(
    seen: Observation,
    { latesMs, stop, stepMs }: { latesMs: number[]; stop: () => void; stepMs: number },
  ) {
    this.#seen = seen;
    this.#latesMs = latesMs;
    this.#stop = stop;
    this.#stepMs = stepMs;
  }

  wait(untilBootMs: number): Promise<typeof NO_EVENTS> {
    this.#seen.clock.stepWall(this.#stepMs);
    const lateMs = this.#latesMs.shift();
    if (lateMs === undefined) this.#stop();
    else this.#seen.clock.advance(untilBootMs - this.#seen.clock.bootMs() + lateMs);
    return Promise.resolve(NO_EVENTS);
  }

  watchEnd(): null {
    return null;
  }

  [Symbol.dispose](): void {}
}

interface Result {
  readonly total: number;
  readonly samples: RawSample[];
  readonly stats: CollectorStats[];
}

/** Sample process 100 of the fixture with ticks that are so late. */
async function sample(
  latesMs: number[],
  { stepMs = 0, ...changes }: Partial<SamplerOptions> & { readonly stepMs?: number } = {},
): Promise<Result> {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  const subject = { traceId: null, cgroup: null, hasDescendants: false };
  seen.followed.follow(100, { subject });
  const controller = new AbortController();
  const paths = ["samples", "stats", "processes"].map((name) => `${tree.mount}/${name}.jsonl`);
  const [samplesPath = "", statsPath = "", processesPath = ""] = paths;
  using samples = JsonLinesWriter.open(samplesPath);
  using stats = JsonLinesWriter.open(statsPath);
  using processes = JsonLinesWriter.open(processesPath);
  let cpuMs = 0;
  const total = await runSampler({
    finder: FINDER,
    followed: seen.followed,
    services: seen.services,
    alarm: new LateAlarm(seen, { latesMs, stop: () => controller.abort(), stepMs }),
    clock: seen.clock,
    samples,
    processes,
    stats,
    host: null,
    intervalMs: 200,
    isRefreshing: true,
    cpuSource: "stat",
    realtime: Realtime.none(),
    readAccount: () => ({ cpuMs: cpuMs += 3, rssKb: 50_000, forks: cpuMs * 10 }),
    takeProblems: () => [],
    signal: controller.signal,
    onStarted: () => {},
    report: () => {},
    ...changes,
  });
  return {
    total,
    samples: await recordsIn(samplesPath, RAW_SAMPLE.decode),
    stats: await recordsIn(statsPath, COLLECTOR_STATS.decode),
  };
}

Deno.test("runSampler() reads at once, at each deadline, and once more at the end", async () => {
  const { samples, total } = await sample([0, 0, 0]);
  assertEquals(samples.map(({ boot_ms }) => boot_ms), [
    300_000,
    300_200,
    300_400,
    300_600,
    300_600,
  ]);
  assertEquals(total, samples.length);
});

Deno.test("runSampler() keeps its deadlines when the wall clock is set, and writes both clocks", async () => {
  const hourMs = 3_600_000;
  for (const stepMs of [-hourMs, hourMs]) {
    const { samples, stats } = await sample([0, 0, 0], { stepMs });
    const boots = samples.map(({ boot_ms }) => (boot_ms ?? 0) - 300_000);
    assertEquals(boots, [0, 200, 400, 600, 600]);
    const walls = samples.map(({ ts_ms }) => Math.round(ts_ms - (samples[0]?.ts_ms ?? 0)));
    assertEquals(walls, [0, 200, 400, 600, 600].map((ms, at) => ms + at * stepMs));
    assertEquals(stats.map(({ ticks, missed_ticks }) => [ticks, missed_ticks]), [[3, 0]]);
  }
});

Deno.test("runSampler() keeps its deadlines when a tick is late", async () => {
  const { samples, stats } = await sample([50, 7, 0]);
  assertEquals(samples.map(({ boot_ms }) => (boot_ms ?? 0) - 300_000), [0, 250, 407, 600, 600]);
  assertEquals([stats[0]?.late_max_ms, stats[0]?.late_p99_ms, stats[0]?.missed_ticks], [50, 50, 0]);
});

Deno.test("runSampler() counts the deadlines that it missed and does not make up for them", async () => {
  const { samples, stats } = await sample([650, 0]);
  assertEquals(samples.map(({ boot_ms }) => (boot_ms ?? 0) - 300_000), [0, 850, 1000, 1000]);
  assertEquals([stats[0]?.ticks, stats[0]?.missed_ticks], [2, 3]);
});

Deno.test("runSampler() accounts for itself every 5 s and at the end, each time for the period", async () => {
  const { stats, samples } = await sample(Array(30).fill(1));
  assertEquals(stats.map(({ ticks, samples }) => [ticks, samples]), [[25, 26], [5, 6]]);
  assertEquals(stats.map(({ cpu_ms, forks }) => [cpu_ms, forks]), [[3, 30], [3, 30]]);
  assertEquals(stats.reduce((sum, line) => sum + line.samples, 0), samples.length);
  assertEquals(stats[0], {
    ts_ms: stats[0]?.ts_ms ?? 0,
    boot_ms: 305_001,
    mode: "scan",
    interval_ms: 200,
    cpu_source: "stat",
    is_realtime: false,
    ticks: 25,
    missed_ticks: 0,
    late_max_ms: 1,
    late_p99_ms: 1,
    samples: 26,
    tracked: 1,
    gone: 0,
    denied: 0,
    foreign: 0,
    cpu_ms: 3,
    cpu_per_sample_us: 115.385,
    rss_kb: 50_000,
    forks: 30,
    problems: null,
    births_seen: 1,
    births_met: 4,
  });
});

Deno.test("runSampler() looks for processes at the first tick only without PROC_REFRESH", async () => {
  let looks = 0;
  const finder = { ...FINDER, refresh: () => looks++, react: () => looks++ };
  await sample([0, 0], { finder, isRefreshing: false });
  assertEquals(looks, 1);
});

Deno.test("runSampler() rejects when a file cannot be written", async () => {
  using full = JsonLinesWriter.open("/dev/full");
  await assertRejects(() => sample([0], { samples: full }), Error, '"/dev/full"');
});
