/**
 * How fast the scheduler places tasks, and how long its scripts hold Redis: `deno task bench scheduler
 * [NODES…]`. A real Redis and the real scheduler loop with its record of decisions on disk.
 *
 * - Rates: tasks wait behind one that fits nowhere; it is cancelled, and the rate is what was placed from
 *   there to the last placement, by the controller's own stamps, the median of several rounds. Beside it
 *   the floor: redis-benchmark calling the same script. `redis` and `self` are CPU microseconds per
 *   placement in Redis' main thread and in this process, `slow` the script calls above 2 ms by SLOWLOG.
 * - Scripts: the largest calls of each, see script_costs.ts.
 * - enqueue to assigned on an idle system, and what an idle scheduler costs.
 */

import process from "node:process";
import { SCRIPTS } from "../../scheduler/queue/scripts.ts";
import { startCommand } from "../support/command_process.ts";
import {
  openTestQueue,
  registerNode,
  runClaimed,
  type RunningScheduler,
  startScheduler,
} from "../support/queue_actors.ts";
import { type RedisServer, startRedisServer } from "../support/redis_server.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { waitFor } from "../support/wait_for.ts";
import { floorRate } from "./assign_floor.ts";
import { BENCH_TIMING, benchTasks, BusyCluster, type Case } from "./busy_cluster.ts";
import { measureScripts } from "./script_costs.ts";

/** Placements of one case at least, and rounds at most. */
const PLACEMENTS = 20_000;
const ROUNDS_MAX = 25;

/** CPU time of Redis' main thread, which executes all commands. */
async function redisCpuUs(redis: RedisServer): Promise<number> {
  const cpu = await redis.cli("INFO", "cpu");
  const seconds = [...cpu.matchAll(/used_cpu_(?:sys|user)_main_thread:([\d.]+)/g)];
  return seconds.reduce((sum, [, value]) => sum + Number(value) * 1e6, 0);
}

function ownCpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** When `round` was let in, and each of its placements, epoch ms of the controller's clock. */
async function stampsOf(
  scheduler: RunningScheduler,
  { round, before, count }: {
    readonly round: number;
    readonly before: number;
    readonly count: number;
  },
): Promise<{ released: number; last: number }> {
  const placed = await waitFor({
    what: "the record of this round",
    read: async () => (await scheduler.events()).filter(({ event }) => event === "placed"),
    until: ({ length }) => length === before + count,
  });
  const result = await waitFor({
    what: "the record of the task that held up the others",
    read: async () => (await scheduler.results()).find((one) => one.task_id === `round-${round}`),
    until: (found) => found !== undefined,
  });
  return { released: result?.ts_finish ?? NaN, last: placed.at(-1)?.ts_ms ?? NaN };
}

async function measureRate(one: Case): Promise<void> {
  const floor = await floorRate(one);
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  const cluster = await BusyCluster.start(redis, queue, one);
  const rounds = Math.min(ROUNDS_MAX, Math.ceil(PLACEMENTS / cluster.perRound));
  await redis.cli("CONFIG", "SET", "slowlog-log-slower-than", "2000", "slowlog-max-len", "10000");
  let [redisUs, selfUs] = [0, 0];
  const rates: number[] = [];
  await using scheduler = await startScheduler(redis, {
    timing: BENCH_TIMING,
    policy: { weigher: one.weigher },
  });
  await redis.cli("SLOWLOG", "RESET");
  for (let round = 0; round < rounds; round++) {
    await cluster.prepareRound(round);
    await waitFor({
      what: "the scheduler to know all nodes",
      read: () => redis.cli("SCARD", "tk:dirty"),
      until: (dirty) => dirty === "0",
    });
    const [redisBefore, selfBefore] = [await redisCpuUs(redis), ownCpuUs()];
    await cluster.release(round);
    await waitFor({
      what: "all tasks to be placed",
      read: () => queue.pendingLength(),
      until: (length) => length === 0,
    });
    redisUs += await redisCpuUs(redis) - redisBefore;
    selfUs += ownCpuUs() - selfBefore;
    const before = round * cluster.perRound;
    const stamps = await stampsOf(scheduler, { round, before, count: cluster.perRound });
    rates.push(cluster.perRound / (stamps.last - stamps.released) * 1000);
    if (round < rounds - 1) await cluster.finishRound();
  }
  const rate = rates.toSorted((a, b) => a - b)[rates.length >> 1] ?? NaN;
  const count = rounds * cluster.perRound;
  const slow = (await redis.cli("SLOWLOG", "GET", "-1")).split("\n");
  const scripts = Object.values(SCRIPTS);
  const slowCalls = slow.filter((line) => scripts.some(({ sha1 }) => sha1 === line)).length;
  const calls = /cmdstat_evalsha:calls=(\d+)/.exec(await redis.cli("INFO", "commandstats"))?.[1];
  console.log(
    [
      String(one.nodes).padStart(6),
      String(one.slots).padStart(5),
      (one.weigher || "first-fit").padEnd(10),
      (one.isFragmented ? "fragmented" : "").padEnd(10),
      rate.toFixed(0).padStart(8),
      floor.toFixed(0).padStart(8),
      `${(rate / floor * 100).toFixed(0)} %`.padStart(6),
      (redisUs / count).toFixed(1).padStart(6),
      (selfUs / count).toFixed(1).padStart(6),
      `${slowCalls}/${calls}`.padStart(10),
    ].join("  "),
  );
}

/** enqueue → assigned on an idle system, read off the controller's stamps. */
async function measureLatency(): Promise<void> {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  const worker = await registerNode(queue, "node00000", { timing: BENCH_TIMING });
  await using scheduler = await startScheduler(redis, { timing: BENCH_TIMING });
  const enqueued = new Map<string, number>();
  for (const task of benchTasks(500)) {
    for (const { taskId, tsEnqueue } of await queue.enqueue([task])) {
      enqueued.set(taskId, tsEnqueue);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
    await runClaimed(worker);
  }
  const placed = await waitFor({
    what: "all to be placed",
    read: async () => (await scheduler.events()).filter(({ event }) => event === "placed"),
    until: ({ length }) => length === enqueued.size,
  });
  const latencies = placed.map(({ task_id, ts_ms }) => ts_ms - (enqueued.get(task_id ?? "") ?? NaN))
    .sort((a, b) => a - b);
  const at = (share: number) => (latencies[Math.floor(latencies.length * share)] ?? NaN).toFixed(2);
  console.log(`enqueue to assigned, idle: p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(0.9999)} ms`);
}

/** CPU of an idle scheduler process, nodes alive. */
async function measureIdle(): Promise<void> {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using folder = await tempFolder();
  await BusyCluster.start(redis, queue, { nodes: 100, slots: 4, weigher: "" });
  await using scheduler = startCommand(["run", "scheduler", "--run-id", "idle"], {
    cwd: folder.path,
    env: { REDIS_URL: redis.url, TRACEKIT_DIE_WITH_PARENT: "1" },
  });
  await scheduler.says(/active as/);
  const cpuMs = async () => {
    const stat = await Deno.readTextFile(`/proc/${scheduler.pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  };
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const [before, from] = [await cpuMs(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, 30_000));
  const share = (await cpuMs() - before) / (performance.now() - from) * 100;
  console.log(`idle scheduler: ${share.toFixed(2)} % of a core`);
}

if (import.meta.main) {
  const sizes = Deno.args.length > 0 ? Deno.args.map(Number) : [10, 100, 1000, 10_000];
  console.log(
    " nodes  slots  choice                     tasks/s     floor         redis    self        slow",
  );
  for (const nodes of sizes) {
    for (const weigher of ["", "instances", "vcpu"] as const) {
      await measureRate({ nodes, slots: 0, weigher });
      await measureRate({ nodes, slots: 0, weigher, isFragmented: true });
      await measureRate({ nodes, slots: 4, weigher });
    }
  }
  await measureScripts();
  await measureLatency();
  await measureIdle();
}
