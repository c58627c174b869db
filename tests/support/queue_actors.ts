/**
 * Those who act on a queue, in this process: a scheduler that runs the real loop, and workers that use
 * the worker's own queue code, so that a test can play what tasks do.
 */

import { join } from "@std/path";
import { type CentralOptions, runCentral } from "../../scheduler/central.ts";
import { PlacementLog } from "../../scheduler/placement/log.ts";
import type { Finish, Registration } from "../../scheduler/queue/queue.ts";
import { openRedisQueue } from "../../scheduler/queue/open.ts";
import type { RedisQueue } from "../../scheduler/queue/redis_queue.ts";
import { parseRedisUrl } from "../../scheduler/queue/url.ts";
import type { RedisWorkerQueue } from "../../scheduler/queue/worker_queue.ts";
import { ResultsDrain } from "../../scheduler/results_drain.ts";
import { TIMING, type Timing } from "../../scheduler/queue/timing.ts";
import { JsonLinesWriter, readRecords } from "../../trace/json_lines.ts";
import {
  PLACEMENT_EVENT,
  type PlacementEvent,
  TASK_RESULT,
  type TaskResult,
} from "../../trace/records.ts";
import { completeTask, type Task } from "../../trace/task.ts";
import type { RedisServer } from "./redis_server.ts";
import { waitFor } from "./wait_for.ts";

/** A slow machine must cost nobody a lease in the middle of a test: no lease ends by itself. */
export const LONG_LEASES: Timing = { ...TIMING, leaseMs: 600_000, leaderLeaseMs: 600_000 };

/** The same, and looks ten times as often as in production. */
export const SHORT_TIMING: Timing = {
  ...LONG_LEASES,
  heartbeatMs: TIMING.heartbeatMs / 10,
  lostCheckMs: TIMING.lostCheckMs / 10,
  leaderRenewMs: TIMING.leaderRenewMs / 10,
  pollMs: TIMING.pollMs / 10,
  drainMs: TIMING.drainMs / 10,
};

/** Connect to the queue of `redis`, or of whatever is at its URL. */
export function openTestQueue(
  redis: Pick<RedisServer, "url">,
  keyPrefix = "",
): Promise<RedisQueue> {
  return openRedisQueue({ address: parseRedisUrl(redis.url), keyPrefix, report: () => {} });
}

/** A complete task that runs `true`. */
export function testTask(taskId: string, more: Partial<Task> = {}): Task {
  const task = { task_id: taskId, kind: "command", argv: ["true"], ...more };
  return completeTask(task, "a test", taskId);
}

/** What a worker of 4 units and no slots offers. */
export const FOUR_UNITS: Registration = {
  capacityUnits: 4,
  slots: 0,
  slotsKey: "slots:available",
  physicalCores: 4,
  allocationRatio: 1,
  clearQueue: false,
};

/** A registered worker of `node`. */
export async function registerNode(
  queue: RedisQueue,
  node: string,
  { timing = LONG_LEASES, ...offer }: Partial<Registration> & { readonly timing?: Timing } = {},
): Promise<RedisWorkerQueue> {
  const worker = queue.worker(node, timing);
  const waitMs = await worker.register({ ...FOUR_UNITS, ...offer });
  if (waitMs > 0) throw new Error(`Cannot register ${node}: it is leased for ${waitMs} ms more`);
  return worker;
}

/** A heartbeat of a worker that does not say what it runs: true while it holds its node. */
export async function beat(worker: RedisWorkerQueue): Promise<boolean> {
  const stated = { server: await worker.serverId(), heardCall: 0, held: [] };
  return (await worker.heartbeat(stated)).isHolder;
}

/** Claim up to `limit` tasks and end them as `outcome`; their ids. */
export async function runClaimed(
  worker: RedisWorkerQueue,
  { limit = 64, outcome = "done" }: {
    readonly limit?: number;
    readonly outcome?: Finish["outcome"];
  } = {},
): Promise<string[]> {
  const { claimed } = await worker.claim(limit);
  for (const { task, incarnation } of claimed) {
    const { task_id: taskId, attempt } = task;
    const finish = { taskId, incarnation, attempt, outcome, status: null };
    await worker.finish({ ...finish, reason: outcome === "crashed" ? "as crashed" : null });
  }
  return claimed.map(({ task }) => task.task_id);
}

/** A scheduler that runs in this process. */
export interface RunningScheduler extends AsyncDisposable {
  /** What it said. */
  readonly lines: readonly string[];
  /** What it wrote into results.jsonl so far. */
  results(): Promise<TaskResult[]>;
  /** What it wrote into placement_events.jsonl so far. */
  events(): Promise<PlacementEvent[]>;
  /** End it and wait until it has ended. */
  stop(): Promise<void>;
}

/** How {@linkcode startScheduler} differs from the defaults. */
export interface TestSchedulerOptions {
  /** Its id. Default "s1". */
  readonly id?: string;
  /** Where it connects to. Default: the server. */
  readonly url?: string;
  /** Folder of its files. Default: that of the server. */
  readonly folder?: string;
  /** Names and limits. */
  readonly queuePolicy?: Partial<CentralOptions["queuePolicy"]>;
  /** Choice of hosts. */
  readonly policy?: Partial<CentralOptions["policy"]>;
  /** `--scan-slots`. Default 0. */
  readonly scanSlots?: number;
  /** Default: production's. */
  readonly timing?: Timing;
}

/** Run the scheduler's loop on the queue of `redis` until it is stopped. */
export async function startScheduler(
  redis: RedisServer,
  options: TestSchedulerOptions = {},
): Promise<RunningScheduler> {
  const { id = "s1", url = redis.url, folder = redis.directory, timing = TIMING } = options;
  const queue = await openTestQueue({ url });
  const view = queue.scheduler(id, timing);
  const paths = {
    events: join(folder, "placement_events.jsonl"),
    results: join(folder, "results.jsonl"),
  };
  const writer = JsonLinesWriter.open(paths.events);
  const drain = ResultsDrain.open(paths.results, view);
  const stop = new AbortController();
  const lines: string[] = [];
  const running = runCentral(view, {
    policy: { weigher: "", order: "min", scanPending: 1, ...options.policy },
    scanSlots: options.scanSlots ?? 0,
    queuePolicy: {
      pendingKey: "q:pending",
      slotsKey: "slots:available",
      maxAttempts: 1,
      onLost: "pending",
      ...options.queuePolicy,
    },
    timing,
    log: new PlacementLog(writer),
    drain,
    onDataLost: () => lines.push("data lost"),
    report: (line) => lines.push(line),
    signal: stop.signal,
  });
  let isStopped = false;
  async function end(): Promise<void> {
    if (isStopped) return;
    isStopped = true;
    stop.abort();
    await running;
    await view[Symbol.asyncDispose]();
    await queue[Symbol.asyncDispose]();
    drain[Symbol.dispose]();
    writer[Symbol.dispose]();
  }
  return {
    lines,
    results: () => recordsOf(paths.results, TASK_RESULT.decode),
    events: () => recordsOf(paths.events, PLACEMENT_EVENT.decode),
    stop: end,
    [Symbol.asyncDispose]: end,
  };
}

function recordsOf<T>(path: string, decode: (value: unknown, where: string) => T): Promise<T[]> {
  const options = { decode, onBadLine: () => {} };
  return Array.fromAsync(readRecords(path, options));
}

/** Wait until `scheduler` has written down `count` results; sorted by task. */
export async function waitForResults(
  scheduler: RunningScheduler,
  count: number,
): Promise<TaskResult[]> {
  const results = await waitFor({
    what: `${count} results`,
    read: () => scheduler.results(),
    until: (found) => found.length >= count,
  });
  return results.sort((a, b) => a.task_id < b.task_id ? -1 : 1);
}
