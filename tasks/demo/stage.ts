/**
 * The processes of the demo: a private Redis, the scheduler, and for each node a collector and a
 * worker, every one the very program that a cluster would run.
 */

import { join } from "@std/path";
import { isSameProcess } from "../../trace/linux/processes.ts";
import { isThere } from "../../trace/atomic_file.ts";
import { readRecordFile } from "../../trace/record_file.ts";
import { SENTINEL } from "../../trace/records.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { CommandError } from "../command/main.ts";
import { type PrivateRedis, startPrivateRedis } from "../redis/private.ts";
import { COLLECTOR_V8_FLAGS, launcherCommand, programCommand } from "../command/own_program.ts";
import type { Supervised, Supervisor } from "../machine/supervisor.ts";

/** One node that the demo plays. */
export interface DemoNode {
  /** NODE_ID. */
  readonly id: string;
  /** Its share of the machine's cores, as cpuset(7) writes them. */
  readonly cpus: string;
  /** Its run directory. */
  readonly runDir: RunDir;
}

/** What is common to all processes of a demo. */
export interface DemoPlan {
  /** RUN_ID. */
  readonly runId: string;
  /** Folder of all runs, absolute. */
  readonly logs: string;
  /** The controller's run directory: `logs/RUN_ID/`. */
  readonly runDir: RunDir;
  /** The nodes. */
  readonly nodes: readonly DemoNode[];
  /** Folder of the inputs, absolute. */
  readonly inputs: string;
  /** Folder of what the tasks make, absolute. */
  readonly outputs: string;
  /** Capacity of each node, vCPUs. */
  readonly capacityUnits: number;
  /** Sampling interval, ms. */
  readonly intervalMs: number;
  /** Flags of the scheduler. */
  readonly schedulerFlags: readonly string[];
}

/**
 * Split `coreCount` cores among `nodeCount` nodes: contiguous blocks, the first ones larger when it does
 * not come out even; with fewer cores than nodes some nodes share a core.
 */
export function coreShares(coreCount: number, nodeCount: number): string[] {
  return Array.from({ length: nodeCount }, (_, index) => {
    if (nodeCount > coreCount) return String(index % coreCount);
    const first = Math.ceil(index * coreCount / nodeCount);
    const last = Math.ceil((index + 1) * coreCount / nodeCount) - 1;
    return first === last ? String(first) : `${first}-${last}`;
  });
}

/** The processes of a running demo. */
export interface Stage {
  /** Its Redis. */
  readonly redis: PrivateRedis;
  /** Workers, in the order of the nodes. */
  readonly workers: readonly Supervised[];
  /** Collectors, in the order of the nodes. */
  readonly collectors: readonly Supervised[];
  /** The central scheduler. */
  readonly scheduler: Supervised;
  /** Environment that gives a role the run and the queue. */
  readonly env: Readonly<Record<string, string>>;
}

/** Start everything; what is started belongs to `supervisor`. */
export async function startStage(plan: DemoPlan, supervisor: Supervisor): Promise<Stage> {
  await Deno.mkdir(plan.runDir.path, { recursive: true });
  const redis = await startPrivateRedis(supervisor, join(plan.runDir.path, "redis"));
  const env = {
    RUN_ID: plan.runId,
    STAGE: "demo",
    LOGS_DIR: plan.logs,
    REDIS_URL: redis.url,
    REDIS_PASSWORD: redis.password,
    // One machine, one clock: nothing to synchronize.
    TIME_SYNC: "0",
  };
  const scheduler = supervisor.start({
    name: "scheduler",
    command: [...launcherCommand("scheduler"), ...plan.schedulerFlags],
    cwd: plan.runDir.path,
    env,
    logFile: join(plan.runDir.path, "scheduler.log"),
  });
  const collectors: Supervised[] = [];
  const workers: Supervised[] = [];
  for (const node of plan.nodes) {
    await Deno.mkdir(node.runDir.path, { recursive: true });
    const nodeEnv = { ...env, NODE_ID: node.id, PER_NODE: "1" };
    collectors.push(supervisor.start({
      name: `collector of ${node.id}`,
      command: [
        ...programCommand("collector", ["-A", COLLECTOR_V8_FLAGS]),
        `--interval-ms=${plan.intervalMs}`,
        `--cpus=${node.cpus}`,
      ],
      cwd: node.runDir.path,
      env: nodeEnv,
      logFile: join(node.runDir.path, "collector.log"),
    }));
    workers.push(supervisor.start({
      name: `worker of ${node.id}`,
      command: [
        ...launcherCommand("worker"),
        `--outputs=${plan.outputs}`,
        `--capacity-units=${plan.capacityUnits}`,
        `--cpus=${node.cpus}`,
      ],
      cwd: node.runDir.path,
      env: nodeEnv,
      logFile: join(node.runDir.path, "worker.log"),
    }));
  }
  await supervisor.during(waitForCollectors(plan));
  return { redis, workers, collectors, scheduler, env };
}

/** How long an adapter may take to end the tasks of a worker that was killed, ms. */
const TASKS_END_LIMIT_MS = 10_000;

/** On disposal, waits until nothing runs any more that an adapter of these nodes started. */
export function tasksOf(nodes: readonly DemoNode[]): AsyncDisposable {
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      const deadline = performance.now() + TASKS_END_LIMIT_MS;
      for (const { runDir } of nodes) {
        while (performance.now() < deadline && await hasTasks(runDir)) {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    },
  };
}

/** True when the process of a sentinel runs. */
async function hasTasks({ pids }: RunDir): Promise<boolean> {
  if (!await isThere(pids)) return false;
  for await (const { name } of Deno.readDir(pids)) {
    if (!/^\d+$/.test(name)) continue;
    const sentinel = await readRecordFile(join(pids, name), SENTINEL.decode);
    if (sentinel !== null && isSameProcess(Number(name), sentinel.start_ticks)) return true;
  }
  return false;
}

/** How long the collectors may take to write down their node, ms. */
const COLLECTOR_START_LIMIT_MS = 15_000;

/** A collector has started when it has described its node. */
async function waitForCollectors({ nodes }: DemoPlan): Promise<void> {
  const deadline = performance.now() + COLLECTOR_START_LIMIT_MS;
  for (const { id, runDir } of nodes) {
    while (!await isThere(runDir.nodeMeta)) {
      if (performance.now() > deadline) {
        throw new CommandError(`The collector of ${id} wrote no ${runDir.nodeMeta} within 15 s`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
