/**
 * How fast the scheduler places tasks: `deno task bench scheduler [NODES…]`. A real Redis and the real
 * scheduler loop with its record of decisions on disk; rates are read off the controller's own stamps.
 * Beside each rate stands the floor: the same script on the same Redis with the same placements, planned
 * before the clock runs. `redis` and `self` are CPU microseconds per placement in Redis' main thread and in
 * this process; `slow` counts its calls above 2 ms of wall time.
 */

import { type PlacementPolicy, planBatch } from "../../scheduler/placement.ts";
import { HostMirror } from "../../scheduler/host_mirror.ts";
import type { Placement } from "../../scheduler/queue.ts";
import type { RedisQueue } from "../../scheduler/redis_queue.ts";
import type { RedisWorkerQueue } from "../../scheduler/redis_worker_queue.ts";
import { SCRIPTS } from "../../scheduler/scripts.ts";
import { TIMING } from "../../scheduler/timing.ts";
import { completeTask, type Task } from "../../trace/task.ts";
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

interface Case {
  readonly nodes: number;
  /** Slots per node; 0: capacity only. */
  readonly slots: number;
  readonly weigher: PlacementPolicy["weigher"];
  /** Full nodes have one unit left, too little for most tasks. */
  readonly isFragmented?: boolean;
}

/** Leases that outlast the bench: stand-ins send no heartbeats. */
const BENCH_TIMING = { ...TIMING, leaseMs: 3_600_000, leaderLeaseMs: 3_600_000 };

/** One node of so many has room; the others are full, as in a busy cluster. */
const OPEN_SHARE = 10;

/** Placements of one case. */
const TASKS = 20_000;

function nodeName(index: number): string {
  return `node${String(index).padStart(5, "0")}`;
}

function isOpen({ nodes }: Case, index: number): boolean {
  return nodes < OPEN_SHARE || index % OPEN_SHARE === OPEN_SHARE - 1;
}

let made = 0;

/** Tasks as the dispatcher makes them. */
function benchTasks(count: number, { isFragmented = false }: Case): Task[] {
  return Array.from({ length: count }, () => {
    const index = made++;
    const units = isFragmented && index % 4 !== 3 ? 2 : 1;
    const task = {
      task_id: `bench-${String(index).padStart(8, "0")}`,
      profile: "light1c",
      input: `inputs/ffmpeg/video_${index}.mp4`,
      output: `outputs/video_${index}_854x480_h264_veryfast_n0001.mp4`,
      vthreads: 1,
      fthreads: 1,
      cpu_units: units,
    };
    return completeTask(task, "bench", "bench");
  });
}

async function enqueueAll(queue: RedisQueue, tasks: readonly Task[]): Promise<void> {
  for (let first = 0; first < tasks.length; first += 500) {
    await queue.enqueue(tasks.slice(first, first + 500));
  }
}

/** Register the nodes of `one`; the workers of those with room. */
async function registerNodes(
  redis: RedisServer,
  queue: RedisQueue,
  one: Case,
): Promise<RedisWorkerQueue[]> {
  const indexes = Array.from({ length: one.nodes }, (_, index) => index);
  const openCount = indexes.filter((index) => isOpen(one, index)).length;
  const room = one.slots > 0 ? one.slots : Math.ceil(2 * TASKS / openCount);
  const open: RedisWorkerQueue[] = [];
  for (const index of indexes) {
    const worker = await registerNode(queue, nodeName(index), {
      capacityUnits: room,
      slots: one.slots,
      timing: BENCH_TIMING,
    });
    if (isOpen(one, index)) open.push(worker);
  }
  const closed = indexes.filter((index) => !isOpen(one, index));
  for (let first = 0; first < closed.length; first += 500) {
    const names = closed.slice(first, first + 500).map((index) => `cap:${nodeName(index)}`);
    const left = one.isFragmented ? "1" : "0";
    await redis.cli("MSET", ...names.flatMap((name) => [name, left]));
  }
  if (one.slots > 0) await takeTokens(redis, closed.map(nodeName), one.slots);
  return open;
}

/** Full nodes of a busy cluster have no tokens in the list. */
async function takeTokens(
  redis: RedisServer,
  names: readonly string[],
  slots: number,
): Promise<void> {
  const script = `for i = 2, #ARGV do
    redis.call('LREM', 'slots:available', 0, ARGV[i])
    redis.call('HSET', 'tk:node:' .. ARGV[i], 'tasks', ARGV[1], 'used', ARGV[1], 'cap', 0)
    redis.call('SET', 'cap:' .. ARGV[i], 0)
    redis.call('HINCRBY', 'tk:config', 'tokens', -ARGV[1])
  end`;
  for (let first = 0; first < names.length; first += 500) {
    await redis.cli("EVAL", script, "0", String(slots), ...names.slice(first, first + 500));
  }
}

/** Placements per second: what came after the first batch, over the time since that batch. */
function rateOf(stamps: readonly number[]): number {
  // NaN where one call took them all.
  const first = stamps[0] ?? 0;
  const after = stamps.filter((stamp) => stamp > first);
  return after.length / ((after.at(-1) ?? first) - first) * 1000;
}

async function placedAt(scheduler: RunningScheduler): Promise<number[]> {
  const events = await scheduler.events();
  return events.filter(({ event }) => event === "placed").map(({ ts_ms }) => ts_ms);
}

/** CPU time of Redis' main thread, which executes all commands. */
async function redisCpuUs(redis: RedisServer): Promise<number> {
  const cpu = await redis.cli("INFO", "cpu");
  const seconds = [...cpu.matchAll(/used_cpu_(?:sys|user)_main_thread:([\d.]+)/g)];
  return seconds.reduce((sum, [, value]) => sum + Number(value) * 1e6, 0);
}

function ownCpuUs(): number {
  const fields = Deno.readTextFileSync("/proc/self/stat").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** The same script with the same placements, planned before the clock runs, eight calls at a time. */
async function floorRate(one: Case): Promise<number> {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  const open = await registerNodes(redis, queue, one);
  const count = one.slots > 0 ? open.length * one.slots : TASKS;
  await enqueueAll(queue, benchTasks(count, one));
  await using view = queue.scheduler("floor", BENCH_TIMING);
  await view.lead();
  const mirror = new HostMirror();
  mirror.replace(await view.allHosts());
  const raws = await view.window(count);
  const tasks = raws.map((raw) => {
    const { task_id: taskId, cpu_units: units } = JSON.parse(raw);
    return { raw, taskId, units };
  });
  const policy = { weigher: one.weigher, order: "min", scanPending: 1 } as const;
  const { placements } = planBatch(tasks, { hosts: mirror.hosts, tokenNodes: null }, policy);
  const planned = placements.map(({ task, host, index }): Placement => ({
    ...task,
    node: host.node,
    index,
  }));
  const stamps: number[] = [];
  for (let first = 0; first < planned.length; first += 512) {
    const batches = Array.from(
      { length: 8 },
      (_, at) => planned.slice(first + at * 64, first + (at + 1) * 64),
    ).filter(({ length }) => length > 0);
    const replies = await Promise.all(batches.map((batch) => view.assign(batch)));
    for (const { applied, tsAssigned } of replies) {
      stamps.push(...Array.from({ length: applied }, () => tsAssigned));
    }
  }
  return rateOf(stamps);
}

async function measureRate(one: Case): Promise<void> {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  const open = await registerNodes(redis, queue, one);
  const perRound = one.slots > 0 ? open.length * one.slots : TASKS;
  // With slots a round fills every free one; enough rounds for some thousand placements.
  const rounds = one.slots > 0 ? Math.min(50, Math.ceil(5000 / perRound)) : 1;
  if (one.slots === 0) await enqueueAll(queue, benchTasks(perRound, one));
  await redis.cli("CONFIG", "SET", "slowlog-log-slower-than", "2000");
  await redis.cli("SLOWLOG", "RESET");
  let [redisUs, selfUs, count] = [0, 0, 0];
  const rates: number[] = [];
  await using scheduler = await startScheduler(redis, {
    timing: BENCH_TIMING,
    policy: { weigher: one.weigher },
  });
  for (let round = 0; round < rounds; round++) {
    const [redisBefore, selfBefore] = [await redisCpuUs(redis), ownCpuUs()];
    if (one.slots > 0) await queue.enqueue(benchTasks(perRound, one));
    await waitFor({
      what: "all tasks to be placed",
      read: () => queue.pendingLength(),
      until: (length) => length === 0,
      limitMs: 120_000,
    });
    redisUs += await redisCpuUs(redis) - redisBefore;
    selfUs += ownCpuUs() - selfBefore;
    const placed = await waitFor({
      what: "the record of this round",
      read: () => placedAt(scheduler),
      until: ({ length }) => length === count + perRound,
    });
    rates.push(rateOf(placed.slice(count)));
    count += perRound;
    if (one.slots > 0) { for (const worker of open) await runClaimed(worker); }
  }
  const rate = rates.toSorted((a, b) => a - b)[rates.length >> 1] ?? NaN;
  const floor = await floorRate(one);
  const slow = (await redis.cli("SLOWLOG", "GET", "1000")).split("\n")
    .filter((line) => line === SCRIPTS.assign.sha1).length;
  console.log(
    [
      String(one.nodes).padStart(6),
      String(one.slots).padStart(5),
      (one.weigher || "first-fit").padEnd(10),
      (one.isFragmented ? "fragmented" : "").padEnd(10),
      shown(rate).padStart(8),
      shown(floor).padStart(8),
      `${shown(rate / floor * 100)} %`.padStart(6),
      (redisUs / count).toFixed(1).padStart(6),
      (selfUs / count).toFixed(1).padStart(6),
      `${slow}/${Math.ceil(count / 64)}`.padStart(8),
    ].join("  "),
  );
}

function shown(value: number): string {
  return Number.isNaN(value) ? "-" : value.toFixed(0);
}

/** enqueue → assigned on an idle system, read off the controller's stamps. */
async function measureLatency(): Promise<void> {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  const one: Case = { nodes: 10, slots: 0, weigher: "" };
  const [worker] = await registerNodes(redis, queue, one);
  await using scheduler = await startScheduler(redis, { timing: BENCH_TIMING });
  const enqueued = new Map<string, number>();
  for (const task of benchTasks(500, one)) {
    for (const { taskId, tsEnqueue } of await queue.enqueue([task])) {
      enqueued.set(taskId, tsEnqueue);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (worker !== undefined) await runClaimed(worker);
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
  await registerNodes(redis, queue, { nodes: 100, slots: 4, weigher: "" });
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
    " nodes  slots  choice                     tasks/s     floor         redis    self      slow",
  );
  for (const nodes of sizes) {
    for (const weigher of ["", "instances", "vcpu"] as const) {
      await measureRate({ nodes, slots: 0, weigher });
    }
    await measureRate({ nodes, slots: 0, weigher: "", isFragmented: true });
    await measureRate({ nodes, slots: 4, weigher: "" });
    await measureRate({ nodes, slots: 4, weigher: "instances" });
  }
  await measureLatency();
  await measureIdle();
}
