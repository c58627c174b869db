/**
 * How long each script holds Redis, at its largest: many tasks in a call, many nodes, long lists. By the
 * server's own SLOWLOG. A call may also take long because the machine gave Redis' CPU to somebody else in
 * the middle: the last line is a script that only counts, for about as long as our longest ones.
 */

import type { RedisQueue } from "../../scheduler/queue/redis_queue.ts";
import type { RedisWorkerQueue } from "../../scheduler/queue/worker_queue.ts";
import { SCRIPTS } from "../../scheduler/queue/scripts.ts";
import {
  beat,
  openTestQueue,
  registerNode,
  runClaimed,
  type RunningScheduler,
  startScheduler,
} from "../support/queue_actors.ts";
import { type RedisServer, startRedisServer } from "../support/redis_server.ts";
import { waitFor } from "../support/wait_for.ts";
import { BENCH_TIMING, benchTasks, nodeName } from "./busy_cluster.ts";

/** Calls shorter than this are not looked at, us: SLOWLOG would name every command inside a script. */
const LOOK_ABOVE_US = 25;

/** What nobody is to wait for another's call, us. */
const LIMIT_US = 2000;

/** A script without any command. */
const COUNT = "local n = 0 for i = 1, tonumber(ARGV[1]) do n = n + i end return n";

interface Stage {
  readonly redis: RedisServer;
  readonly queue: RedisQueue;
  readonly scheduler: RunningScheduler;
}

/** Everything pending is placed, or waits for room. */
async function settled({ queue, redis }: Stage, pending: number): Promise<void> {
  await waitFor({
    what: "the scheduler to have placed all",
    read: async () => [await queue.pendingLength(), Number(await redis.cli("SCARD", "tk:dirty"))],
    until: ([length, dirty]) => length === pending && dirty === 0,
    limitMs: 60_000,
  });
}

/** 1000 nodes of 4 slots, all free: 4000 tokens. Placed one on each, claimed, finished, renewed. */
async function wideCluster(stage: Stage): Promise<void> {
  const { queue } = stage;
  const workers: RedisWorkerQueue[] = [];
  for (let index = 0; index < 1000; index++) {
    const offer = { slots: 4, timing: BENCH_TIMING };
    workers.push(await registerNode(queue, nodeName(index), offer));
  }
  for (let round = 0; round < 3; round++) {
    await queue.enqueue(benchTasks(4000));
    await settled(stage, 0);
    for (const worker of workers) await beat(worker);
    for (const worker of workers) await runClaimed(worker);
    await settled(stage, 0);
  }
  // Somebody deleted the tokens: each node counts its own again.
  await stage.redis.cli("DEL", "slots:available");
  for (const worker of workers) await beat(worker);
  for (const worker of workers) await worker.leave();
  await settled(stage, 0);
}

/** One node with room for thousands: what is given back, in all the ways. */
async function deepNode(stage: Stage): Promise<void> {
  const { queue, redis } = stage;
  const operator = queue.operator(BENCH_TIMING);
  async function large(node: string): Promise<RedisWorkerQueue> {
    const worker = await registerNode(queue, node, {
      capacityUnits: 4000,
      slots: 4000,
      timing: BENCH_TIMING,
    });
    return worker;
  }
  const drained = await large("drained");
  await queue.enqueue(benchTasks(10_000));
  await settled(stage, 6000);
  for (let times = 0; times < 100; times++) await beat(drained);
  await operator.drain("drained");
  await settled(stage, 10_000);
  await operator.undrain("drained");
  await settled(stage, 6000);
  for (let taken = 0; taken < 2000;) taken += (await drained.claim(64)).claimed.length;
  // Its worker is gone: half runs, half is assigned.
  await drained.leave();
  await settled(stage, 10_000);
  const direct = await large("direct");
  await operator.drain("direct");
  await settled(stage, 10_000);
  await queue.enqueueOn("direct", benchTasks(4000));
  await operator.requeue("direct");
  await queue.enqueueOn("direct", benchTasks(4000));
  await redis.cli("DEL", "q:direct");
  await beat(direct);
  await redis.cli("DEL", "q:pending");
  await waitFor({
    what: "what was deleted to be recorded",
    read: () => redis.cli("LLEN", "tk:removed"),
    until: (left) => left === "0",
    limitMs: 60_000,
  });
}

/** People's doings: pushes, copies, moves, poison, cancelled tasks. */
async function byHand(stage: Stage): Promise<void> {
  const { queue, redis } = stage;
  const operator = queue.operator(BENCH_TIMING);
  const pushed = benchTasks(200).map(({ input, output }) => JSON.stringify({ input, output }));
  await redis.cli("RPUSH", "q:pending", ...pushed, "poison", "[]", ...pushed.slice(0, 20));
  await settled(stage, 220);
  await queue.enqueue(benchTasks(10_000));
  const names = (await redis.cli("LRANGE", "q:pending", "5000", "5019")).split("\n");
  for (const raw of names) await operator.cancel(JSON.parse(raw).task_id, "bench");
  await redis.cli("DEL", "q:pending");
  await settled(stage, 0);
}

/** Durations of our scripts' calls since the last reset, us, by name. */
async function slowlog(redis: RedisServer): Promise<Map<string, number[]>> {
  const names = new Map(Object.values(SCRIPTS).map(({ sha1, name }) => [sha1, name]));
  const lines = (await redis.cli("SLOWLOG", "GET", "-1")).split("\n");
  const calls = new Map<string, number[]>();
  for (const [at, line] of lines.entries()) {
    const name = names.get(line);
    if (name === undefined || lines[at - 1] !== "EVALSHA") continue;
    calls.set(name, [...calls.get(name) ?? [], Number(lines[at - 2])]);
  }
  return calls;
}

/** Times Redis' main thread was taken off its CPU although it had work. */
async function involuntarySwitches(redis: RedisServer): Promise<number> {
  const pid = /process_id:(\d+)/.exec(await redis.cli("INFO", "server"))?.[1];
  const status = await Deno.readTextFile(`/proc/${pid}/task/${pid}/status`);
  return Number(/nonvoluntary_ctxt_switches:\s+(\d+)/.exec(status)?.[1]);
}

function show(name: string, durations: readonly number[]): void {
  const sorted = durations.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? NaN;
  const slow = sorted.filter((us) => us > LIMIT_US).length;
  const figures = [sorted.length, at(0.5), at(0.99), at(1), slow];
  console.log(name.padEnd(16) + figures.map((figure) => String(figure).padStart(9)).join(""));
}

/** Print what each script costs. */
export async function measureScripts(): Promise<void> {
  const redis = await startRedisServer({ appendOnly: true });
  await using _ending = redis;
  await using queue = await openTestQueue(redis);
  const log = ["slowlog-log-slower-than", String(LOOK_ABOVE_US), "slowlog-max-len", "1000000"];
  await redis.cli("CONFIG", "SET", ...log);
  console.log("script, us           calls      p50      p99      max   > 2 ms");
  const calls = new Map<string, number[]>();
  let switches = 0;
  for (const scenario of [wideCluster, deepNode, byHand]) {
    await redis.cli("FLUSHALL");
    await using scheduler = await startScheduler(redis, {
      timing: BENCH_TIMING,
      policy: { weigher: "instances" },
    });
    await redis.cli("SLOWLOG", "RESET");
    const before = await involuntarySwitches(redis);
    await scenario({ redis, queue, scheduler });
    switches += await involuntarySwitches(redis) - before;
    for (const [name, durations] of await slowlog(redis)) {
      calls.set(name, [...calls.get(name) ?? [], ...durations]);
    }
  }
  for (const [name, durations] of [...calls].sort(([a], [b]) => a < b ? -1 : 1)) {
    show(name, durations);
  }
  await showCounting(redis, [...calls.values()].flat().length);
  console.log(`Redis was taken off its CPU ${switches} times during the calls of our scripts`);
}

/** The same number of calls of a script that only counts, each as long as a long one of ours. */
async function showCounting(redis: RedisServer, count: number): Promise<void> {
  await redis.cli("SLOWLOG", "RESET");
  const sha = await redis.cli("SCRIPT", "LOAD", COUNT);
  const before = await involuntarySwitches(redis);
  const options = ["-p", String(redis.port), "-a", redis.password, "-c", "1", "-q"];
  await new Deno.Command("redis-benchmark", {
    args: [...options, "-n", String(Math.min(count, 5000)), "EVALSHA", sha, "0", "300000"],
    stdout: "null",
    stderr: "null",
  }).output();
  const lines = (await redis.cli("SLOWLOG", "GET", "-1")).split("\n");
  show("(only counts)", lines.flatMap((line, at) => line === sha ? [Number(lines[at - 2])] : []));
  const switches = await involuntarySwitches(redis) - before;
  console.log(`Redis was taken off its CPU ${switches} times during the calls that only count`);
}
