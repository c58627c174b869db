/**
 * The floor under the scheduler's rates: redis-benchmark calling the same script, with a batch that was
 * planned beforehand.
 */

import { HostMirror } from "../../scheduler/placement/host_mirror.ts";
import { planBatch } from "../../scheduler/placement/placement.ts";
import { portionsOf } from "../../scheduler/queue/portions.ts";
import { SCRIPTS } from "../../scheduler/queue/scripts.ts";
import { openTestQueue } from "../support/queue_actors.ts";
import { type RedisServer, startRedisServer } from "../support/redis_server.ts";
import { BENCH_TIMING, benchTasks, BusyCluster, type Case } from "./busy_cluster.ts";

/** Calls that are under way at once on one connection, as the scheduler has them. */
const PIPELINE = 8;

/** Calls of one measurement; redis-benchmark counts wrong unless they fill the last pipeline. */
const CALLS = 32 * PIPELINE;

/**
 * redis-benchmark repeats one call, but a task can be placed once: so there are copies of the queue,
 * and each call goes to one at random. One call of eight meets a copy that was used up already, ends
 * early, and is not counted.
 */
const COPIES = 1000;

/** Tasks that the first call is cut from, as the scheduler cuts its plans. */
const WINDOW = 64;

const COPY = `local from, to, count = ARGV[1], ARGV[2], tonumber(ARGV[3])
for i = 4, #ARGV do
  local dump = redis.call('DUMP', from .. ARGV[i])
  if dump then
    for at = 0, count - 1 do
      redis.call('RESTORE', string.format('%s%012d:%s', to, at, ARGV[i]), 0, dump)
    end
  end
end`;

/** Placements per second of the bare script. */
export async function floorRate(one: Case): Promise<number> {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis, "base:");
  await BusyCluster.start(redis, queue, one);
  const { args, nodes, size } = await firstBatch(queue, one);
  // A copy that was used has nothing left in its queue.
  await redis.cli("LTRIM", "base:q:pending", "0", String(size - 1));
  const keys = ["q:pending", "slots:available", "tk:config", "tk:index:", "tk:leader"];
  for (const node of nodes) keys.push(`tk:node:${node}`, `cap:${node}`, `run_count:${node}`);
  await redis.cli("EVAL", COPY, "0", "base:", "copy", String(COPIES), ...keys);
  const copies = Array.from(
    { length: COPIES },
    (_, at) => `copy${String(at).padStart(12, "0")}:q:pending`,
  );
  await redis.cli("SCRIPT", "LOAD", SCRIPTS.assign.source);
  const callsPerSecond = await redisBenchmark(redis, [
    ...["EVALSHA", SCRIPTS.assign.sha1, "1", "copy__rand_int__:"],
    ...args,
  ]);
  const used = COPIES - Number(await redis.cli("EXISTS", ...copies));
  return used * size / (CALLS / callsPerSecond);
}

/** The first call that the scheduler would make, and the nodes that it goes to. */
async function firstBatch(
  queue: Awaited<ReturnType<typeof openTestQueue>>,
  one: Case,
): Promise<{ args: string[]; nodes: ReadonlySet<string>; size: number }> {
  const cluster = queue.scheduler("floor", BENCH_TIMING);
  const { token } = await cluster.lead();
  const mirror = new HostMirror();
  mirror.replace(await cluster.allHosts());
  const free = mirror.hosts.reduce((sum, { free }) => sum + free, 0);
  await queue.enqueue(benchTasks(Math.min(WINDOW, free), one));
  const tasks = (await cluster.window(WINDOW)).map((raw) => {
    const { task_id: taskId, cpu_units: units } = JSON.parse(raw);
    return { raw, taskId, units };
  });
  const policy = { weigher: one.weigher, order: "min", scanPending: 1 } as const;
  const { placements } = planBatch(tasks, { hosts: mirror.hosts, tokenNodes: null }, policy);
  const [first = []] = portionsOf(placements, {
    charsOf: ({ task }) => task.raw.length,
    nodeOf: ({ host }) => host.node,
  });
  const args = [token];
  for (const { task, host, index } of first) {
    args.push(task.raw, task.taskId, host.node, String(task.units), String(index));
  }
  const nodes = new Set(first.map(({ host }) => host.node));
  return { args, nodes, size: first.length };
}

async function redisBenchmark(redis: RedisServer, command: readonly string[]): Promise<number> {
  const options = ["-p", String(redis.port), "-a", redis.password, "-c", "1", "-q"];
  const { stdout, stderr, success } = await new Deno.Command("redis-benchmark", {
    args: [
      ...options,
      "-P",
      String(PIPELINE),
      "-n",
      String(CALLS),
      "-r",
      String(COPIES),
      ...command,
    ],
  }).output();
  const printed = new TextDecoder().decode(stdout);
  const rate = /([\d.]+) requests per second/.exec(printed)?.[1];
  if (!success || rate === undefined) {
    const said = (new TextDecoder().decode(stderr) + printed).slice(-200);
    throw new Error(`redis-benchmark gave no rate: ${said}`);
  }
  return Number(rate);
}
