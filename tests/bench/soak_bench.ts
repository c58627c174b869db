/**
 * A long run at full speed: `deno task bench soak [TASKS] [NODES]`. A real Redis with an append-only file
 * and a real scheduler; the nodes are stand-ins that use the worker's own queue code, claim and finish at
 * once. Printed: the rate, and the memory of Redis, the scheduler and this process, which must stay flat.
 * In the end the laws of the queue are checked on the records.
 */

import { RunDir } from "../../trace/run_dir.ts";
import { startCommand } from "../support/command_process.ts";
import { openTestQueue } from "../support/queue_actors.ts";
import { type RedisServer, startRedisServer } from "../support/redis_server.ts";
import { checkIdle, checkRecords, Soak, type SoakSize } from "../support/soak.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { waitFor } from "../support/wait_for.ts";
import { join } from "@std/path";

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

async function soak(size: SoakSize): Promise<void> {
  await using redis = await startRedisServer({ appendOnly: true });
  await using folder = await tempFolder();
  await using queue = await openTestQueue(redis);
  await using scheduler = startCommand(["run", "scheduler", "--run-id", "soak"], {
    cwd: folder.path,
    env: { REDIS_URL: redis.url, TRACEKIT_DIE_WITH_PARENT: "1" },
  });
  await scheduler.says(/active as/);
  const nodes = new Soak(queue, size);
  await nodes.begin();
  const before = await usedMegabytes(redis);
  const keysBefore = await redis.cli("DBSIZE");
  console.log(`${size.tasks} tasks, ${size.nodes} nodes; Redis ${before.toFixed(1)} MB`);
  const startedAt = performance.now();
  let lineAt = startedAt;
  await nodes.run(async () => {
    const now = performance.now();
    if (now - lineAt < LINE_MS && nodes.ended < size.tasks) return;
    lineAt = now;
    const rate = nodes.ended / (now - startedAt) * 1000;
    const memory = [
      `Redis ${(await usedMegabytes(redis)).toFixed(1)}`,
      `scheduler ${(await residentMegabytes(scheduler.pid)).toFixed(0)}`,
      `stand-ins ${(await residentMegabytes(Deno.pid)).toFixed(0)}`,
    ];
    console.log(
      `${String(nodes.ended).padStart(9)} ended, ${rate.toFixed(0)}/s; MB: ${memory.join(", ")}`,
    );
  });
  const keys = await waitFor({
    what: "ended tasks to be forgotten",
    read: async () => {
      await nodes.heartbeats();
      return await redis.cli("DBSIZE");
    },
    until: (keys) => Number(keys) < Number(keysBefore) + 20,
  });
  const after = await usedMegabytes(redis);
  await checkIdle(redis, size);
  scheduler.kill("SIGTERM");
  await scheduler.ended;
  const place = RunDir.of(join(folder.path, "logs"), "soak");
  await checkRecords({ results: place.results, events: place.placementEvents }, size);
  console.log(
    `all done, once each, placed in their order; capacity and slots are back; Redis: ${keysBefore} ` +
      `keys, ${before.toFixed(1)} MB before, ${keys} keys, ${after.toFixed(1)} MB after`,
  );
}

if (import.meta.main) {
  const [tasks = 1_000_000, nodes = 1000] = Deno.args.map(Number);
  await soak({ tasks, nodes });
}
