/**
 * A long run at full speed: `deno task bench soak [TASKS] [NODES]`. A real Redis and a real scheduler;
 * the nodes are stand-ins that use the worker's own queue code, claim and finish at once. Printed: the
 * rate, and the memory of Redis and the scheduler over time, which must stay flat.
 */

import { join } from "@std/path";
import type { RedisQueue } from "../../scheduler/redis_queue.ts";
import type { RedisWorkerQueue } from "../../scheduler/redis_worker_queue.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { readLines } from "../../trace/json_lines.ts";
import { startCommand } from "../support/command_process.ts";
import { openTestQueue, registerNode, runClaimed, testTask } from "../support/queue_actors.ts";
import { type RedisServer, startRedisServer } from "../support/redis_server.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { waitFor } from "../support/wait_for.ts";

/** Tasks that may wait: enough to keep the scheduler busy. */
const BACKLOG = 10_000;

/** Between two lines, ms. */
const LINE_MS = 5000;

async function usedMegabytes(redis: RedisServer): Promise<number> {
  const used = /used_memory:(\d+)/.exec(await redis.cli("INFO", "memory"))?.[1];
  return Number(used) / 1e6;
}

async function residentMegabytes(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1e3;
}

async function heartbeats(workers: readonly RedisWorkerQueue[]): Promise<void> {
  await Promise.all(workers.map(async (one) => {
    const isHolder = await one.heartbeat(await one.serverId());
    if (!isHolder) {
      throw new Error("a stand-in lost its node: the machine is too slow for the soak");
    }
  }));
}

async function enqueueUpTo(
  queue: RedisQueue,
  { from, total }: { readonly from: number; readonly total: number },
): Promise<number> {
  let next = from;
  for (let room = BACKLOG - await queue.pendingLength(); room > 0 && next < total; room -= 100) {
    const count = Math.min(100, total - next);
    await queue.enqueue(Array.from({ length: count }, (_, at) => testTask(`soak-${next + at}`)));
    next += count;
  }
  return next;
}

/** Ids in results.jsonl that are there more than once, and how many lines there are. */
async function checkResults(path: string): Promise<{ lines: number; ids: number; done: number }> {
  const ids = new Set<string>();
  let [lines, done] = [0, 0];
  for await (const batch of readLines(path)) {
    for (const line of batch.lines) {
      const { task_id, state } = JSON.parse(line);
      ids.add(task_id);
      lines += 1;
      if (state === "done") done += 1;
    }
  }
  return { lines, ids: ids.size, done };
}

async function soak(total: number, nodeCount: number): Promise<void> {
  await using redis = await startRedisServer({ appendOnly: true });
  await using folder = await tempFolder();
  await using queue = await openTestQueue(redis);
  await using scheduler = startCommand(["run", "scheduler", "--run-id", "soak"], {
    cwd: folder.path,
    env: { REDIS_URL: redis.url, TRACEKIT_DIE_WITH_PARENT: "1" },
  });
  await scheduler.says(/active as/);
  const names = Array.from({ length: nodeCount }, (_, at) => `node${String(at).padStart(5, "0")}`);
  const workers: RedisWorkerQueue[] = [];
  for (const name of names) workers.push(await registerNode(queue, name));
  const before = await usedMegabytes(redis);
  console.log(`${total} tasks, ${nodeCount} nodes of 4 units; Redis ${before.toFixed(1)} MB`);
  const startedAt = performance.now();
  let [enqueued, ended, lineAt, heartbeatAt] = [0, 0, startedAt, startedAt];
  while (ended < total) {
    enqueued = await enqueueUpTo(queue, { from: enqueued, total });
    const ran = await Promise.all(workers.map((worker) => runClaimed(worker)));
    ended += ran.reduce((sum, { length }) => sum + length, 0);
    const now = performance.now();
    if (now - heartbeatAt > 2000) {
      heartbeatAt = now;
      await heartbeats(workers);
    }
    if (now - lineAt > LINE_MS || ended === total) {
      const rate = ended / (now - startedAt) * 1000;
      console.log(
        `${String(ended).padStart(9)} ended, ${rate.toFixed(0)}/s; Redis ` +
          `${(await usedMegabytes(redis)).toFixed(1)} MB, scheduler ` +
          `${(await residentMegabytes(scheduler.pid)).toFixed(0)} MB`,
      );
      lineAt = now;
    }
  }
  await waitFor({
    what: "ended tasks to be forgotten",
    read: async () => {
      await heartbeats(workers);
      return await redis.cli("DBSIZE");
    },
    until: (keys) => Number(keys) < nodeCount * 8 + 20,
    limitMs: 120_000,
  });
  const after = await usedMegabytes(redis);
  scheduler.kill("SIGTERM");
  await scheduler.ended;
  const { lines, ids, done } = await checkResults(
    RunDir.of(join(folder.path, "logs"), "soak").results,
  );
  const caps = await Promise.all(names.map((name) => redis.cli("GET", `cap:${name}`)));
  console.log(
    `results: ${lines} lines, ${ids} tasks, ${done} done; capacity back on ` +
      `${caps.filter((cap) => cap === "4").length} of ${nodeCount} nodes; Redis ${
        after.toFixed(1)
      } MB`,
  );
  await queue[Symbol.asyncDispose]();
}

if (import.meta.main) await soak(Number(Deno.args[0] ?? 1_000_000), Number(Deno.args[1] ?? 1000));
