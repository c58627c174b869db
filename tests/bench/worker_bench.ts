/**
 * What the queue, a worker and its adapter cost per task: no-op tasks (`true`) through one worker, every
 * process real. `deno task bench worker [TASKS]`.
 */

import { join } from "@std/path";
import { openTestQueue, testTask } from "../support/queue_actors.ts";
import { startCommand } from "../support/command_process.ts";
import { startRedisServer } from "../support/redis_server.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { waitFor } from "../support/wait_for.ts";
import { readRecords } from "../../trace/json_lines.ts";
import { INVOCATION_EVENT, TASK_RESULT, type TaskResult } from "../../trace/records.ts";
import { RunDir } from "../../trace/run_dir.ts";

async function records<T>(
  path: string,
  decode: (value: unknown, where: string) => T,
): Promise<T[]> {
  return await Array.fromAsync(readRecords(path, { decode, onBadLine: () => {} }));
}

function percentile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN).toFixed(2);
}

async function measure(count: number, units: number): Promise<void> {
  await using redis = await startRedisServer({ appendOnly: true });
  await using folder = await tempFolder();
  await using queue = await openTestQueue(redis);
  const options = {
    cwd: folder.path,
    env: { REDIS_URL: redis.url, TRACEKIT_DIE_WITH_PARENT: "1" },
  };
  const run = ["--run-id", "bench"];
  await using scheduler = startCommand(["run", "scheduler", ...run], options);
  await scheduler.says(/active as/);
  const flags = ["--node-id", "n1", "--per-node", "--capacity-units", String(units)];
  await using worker = startCommand(
    ["run", "worker", ...run, ...flags, "--allow-commands", "true"],
    options,
  );
  await waitFor({
    what: "the worker",
    read: () => queue.progress(),
    until: ({ nodes }) => nodes.length === 1,
  });
  for (let first = 0; first < count; first += 100) {
    const places = Array.from({ length: Math.min(100, count - first) }, (_, at) => first + at);
    await queue.enqueue(places.map((place) => testTask(`t${place}`)));
  }
  await waitFor({
    what: "all tasks to end",
    read: () => queue.progress(),
    until: ({ ended }) => ended.done === count,
    limitMs: 600_000,
  });
  worker.kill("SIGTERM");
  await worker.ended;
  scheduler.kill("SIGTERM");
  await scheduler.ended;
  const logs = join(folder.path, "logs");
  const results = await records(RunDir.of(logs, "bench").results, TASK_RESULT.decode);
  const path = RunDir.of(logs, "bench", "n1").events("command");
  const events = await records(path, INVOCATION_EVENT.decode);
  report({ units, results, events });
}

function report({ units, results, events }: {
  readonly units: number;
  readonly results: readonly TaskResult[];
  readonly events: readonly {
    event: string;
    task_id: string | null;
    ts_start: number | null;
    ts_end: number | null;
  }[];
}): void {
  const exits = new Map(
    events.filter(({ event }) => event === "exit").map((event) => [event.task_id, event]),
  );
  const first = Math.min(...results.map(({ ts_assigned }) => ts_assigned ?? Infinity));
  const last = Math.max(...results.map(({ ts_finish }) => ts_finish));
  const rate = results.length / (last - first) * 1000;
  const starts: number[] = [];
  const overheads: number[] = [];
  for (const { task_id, ts_assigned, ts_finish } of results) {
    const exit = exits.get(task_id);
    if (!exit || exit.ts_start === null || exit.ts_end === null || ts_assigned === null) continue;
    starts.push(exit.ts_start - ts_assigned);
    overheads.push(ts_finish - ts_assigned - (exit.ts_end - exit.ts_start));
  }
  console.log(
    `${units} at once: ${rate.toFixed(0)} tasks/s; assigned to spawned p50 ${
      percentile(starts, 0.5)
    }, ` +
      `p99 ${percentile(starts, 0.99)} ms; assigned to finished beside the run itself p50 ` +
      `${percentile(overheads, 0.5)}, p99 ${percentile(overheads, 0.99)} ms`,
  );
}

if (import.meta.main) {
  const count = Number(Deno.args[0] ?? 1000);
  for (const units of [1, 2, 4, 8]) await measure(count, units);
}
