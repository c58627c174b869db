/**
 * How fast the scheduler places tasks: `deno task bench scheduler`. A real Redis, the real scheduler
 * loop, its record of decisions on a real disk; the rate is read off the controller's own stamps.
 * Beside each rate stands the floor: the same script on the same Redis, planned by nobody.
 */

import { join } from "@std/path";
import { runCentral } from "../../scheduler/central.ts";
import type { PlacementPolicy } from "../../scheduler/placement.ts";
import { PlacementLog } from "../../scheduler/placement_log.ts";
import { RedisQueue } from "../../scheduler/redis_queue.ts";
import { parseRedisUrl } from "../../scheduler/redis_url.ts";
import { ResultsDrain } from "../../scheduler/results_drain.ts";
import { TIMING } from "../../scheduler/timing.ts";
import { JsonLinesWriter, readRecords } from "../../trace/json_lines.ts";
import { PLACEMENT_EVENT } from "../../trace/records.ts";
import { completeTask, type Task } from "../../trace/task.ts";
import { type RedisServer, startRedisServer } from "../support/redis_server.ts";

interface Case {
  readonly nodes: number;
  /** Slots per node; 0: capacity only. */
  readonly slots: number;
  readonly weigher: PlacementPolicy["weigher"];
}

/** Leases that outlast the bench: nodes of stand-ins send no heartbeats. */
const BENCH_TIMING = { ...TIMING, leaseMs: 3_600_000, lostCheckMs: 3_600_000 };

/** Share of the nodes that have no room, as in a busy cluster. */
const FULL_SHARE = 0.9;

const TASKS = 20_000;

function nodeName(index: number): string {
  return `node${String(index).padStart(5, "0")}`;
}

function benchTask(index: number): Task {
  return completeTask(
    {
      task_id: `bench-${String(index).padStart(7, "0")}`,
      profile: "light1c",
      input: `inputs/ffmpeg/video_${index}.mp4`,
      output: `outputs/video_${index}_854x480_h264_veryfast_n0001.mp4`,
      vthreads: 1,
      fthreads: 1,
    },
    "bench",
    "bench",
  );
}

/** Register `nodes`; every tenth has room for its share of `TASKS`, the others have none. */
async function registerNodes(redis: RedisServer, queue: RedisQueue, one: Case): Promise<void> {
  const isOpen = (index: number) => one.nodes < 10 ? true : index % 10 === 9;
  const open = Array.from({ length: one.nodes }, (_, index) => index).filter(isOpen).length;
  const room = one.slots > 0 ? one.slots : Math.ceil(TASKS / open);
  for (let index = 0; index < one.nodes; index++) {
    await using worker = queue.worker(nodeName(index), BENCH_TIMING);
    await worker.register({
      capacityUnits: room,
      slots: one.slots,
      slotsKey: "slots:available",
      physicalCores: room,
      allocationRatio: 1,
      clearQueue: false,
    });
  }
  // A full node: its remaining capacity set to nothing by hand.
  const closed = Array.from({ length: one.nodes }, (_, i) => i).filter((i) => !isOpen(i));
  for (const index of closed) await redis.cli("SET", `cap:${nodeName(index)}`, "0");
}

async function measure(one: Case): Promise<void> {
  await using redis = await startRedisServer();
  await using queue = await RedisQueue.open({
    address: parseRedisUrl(redis.url),
    report: () => {},
  });
  await registerNodes(redis, queue, one);
  const open = one.nodes < 10 ? one.nodes : one.nodes / 10;
  const count = one.slots > 0 ? open * one.slots : TASKS;
  const tasks = Array.from({ length: count }, (_, index) => benchTask(index));
  for (let first = 0; first < count; first += 500) {
    await queue.enqueue(tasks.slice(first, first + 500));
  }
  await using scheduler = queue.scheduler("bench", BENCH_TIMING);
  const path = join(redis.directory, "placement_events.jsonl");
  using events = JsonLinesWriter.open(path);
  using drain = await ResultsDrain.open(join(redis.directory, "results.jsonl"), scheduler);
  const stop = new AbortController();
  await redis.cli("CONFIG", "RESETSTAT");
  await redis.cli("CONFIG", "SET", "slowlog-log-slower-than", "2000");
  const cpuBefore = cpuSeconds();
  const running = runCentral(scheduler, {
    policy: { weigher: one.weigher, order: "min", scanPending: 1 },
    scanSlots: 0,
    queuePolicy: {
      pendingKey: "q:pending",
      slotsKey: "slots:available",
      maxAttempts: 1,
      onLost: "pending",
    },
    timing: BENCH_TIMING,
    log: new PlacementLog(events),
    drain,
    report: () => {},
    signal: stop.signal,
  });
  while (await queue.pendingLength() > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  stop.abort();
  await running;
  const cpuUs = (cpuSeconds() - cpuBefore) * 1e6 / count;
  const stamps: number[] = [];
  const options = { decode: PLACEMENT_EVENT.decode, onBadLine: () => {} };
  for await (const event of readRecords(path, options)) {
    if (event.event === "placed") stamps.push(event.ts_ms);
  }
  const elapsedMs = (stamps.at(-1) ?? 0) - (stamps[0] ?? 0);
  const stats = await redis.cli("INFO", "commandstats");
  const usec = Number(/cmdstat_evalsha:.*?usec=(\d+)/.exec(stats)?.[1] ?? NaN);
  const slow = await redis.cli("SLOWLOG", "LEN");
  if (slow !== "0") console.log((await redis.cli("SLOWLOG", "GET", "30")).split("\n").filter((l) => /^\d+$|EVALSHA|LRANGE|SCRIPT/.test(l)).join(" ").slice(0, 800), await redis.cli("LATENCY","LATEST"), await redis.cli("INFO","commandstats"));
  console.log(
    [
      String(one.nodes).padStart(6),
      String(one.slots).padStart(5),
      (one.weigher || "first-fit").padEnd(10),
      String(Math.round(stamps.length / elapsedMs * 1000)).padStart(8),
      (usec / count).toFixed(1).padStart(8),
      cpuUs.toFixed(1).padStart(8),
      slow.padStart(6),
    ].join("  "),
  );
}

function cpuSeconds(): number {
  const fields = Deno.readTextFileSync("/proc/self/stat").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

if (import.meta.main && Deno.args[0] === "one") {
  await measure({ nodes: 100, slots: 0, weigher: "vcpu" });
  await measure({ nodes: 100, slots: 0, weigher: "instances" });
  Deno.exit();
}
if (import.meta.main) {
  console.log(" nodes  slots  choice      tasks/s  redis us  sched us  >2 ms");
  for (const nodes of [1, 10, 100, 1000]) {
    for (const weigher of ["", "instances", "vcpu"] as const) {
      await measure({ nodes, slots: 0, weigher });
    }
  }
  await measure({ nodes: 1000, slots: 4, weigher: "" });
  await measure({ nodes: 1000, slots: 4, weigher: "instances" });
}
