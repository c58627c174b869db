/** A busy cluster for the benches of the scheduler: most nodes full, and tasks that wait to be let in. */

import type { WeigherName } from "../../scheduler/placement/placement.ts";
import type { RedisQueue } from "../../scheduler/queue/redis_queue.ts";
import type { RedisWorkerQueue } from "../../scheduler/queue/worker_queue.ts";
import { TIMING } from "../../scheduler/queue/timing.ts";
import { completeTask, type Task } from "../../trace/task.ts";
import { registerNode, runClaimed, testTask } from "../support/queue_actors.ts";
import type { RedisServer } from "../support/redis_server.ts";

/** What is measured. */
export interface Case {
  /** Nodes, full ones included. */
  readonly nodes: number;
  /** Slots per node; 0: capacity only. */
  readonly slots: number;
  /** How a node is chosen. */
  readonly weigher: "" | WeigherName;
  /** Full nodes have one unit left, too little for most tasks. */
  readonly isFragmented?: boolean;
}

/** Leases that outlast the bench: stand-ins send no heartbeats. */
export const BENCH_TIMING = { ...TIMING, leaseMs: 3_600_000, leaderLeaseMs: 3_600_000 };

/** One node of so many has room; the others are full. */
const OPEN_SHARE = 10;

/** Placements of one round where slots do not set their number. */
const TASKS = 20_000;

/** The most that a task may ask for: no node has as many, so such a task holds up the queue. */
const TOO_MANY_UNITS = 8192;

/** Name of a node, in the order of its index. */
export function nodeName(index: number): string {
  return `node${String(index).padStart(5, "0")}`;
}

function isOpen({ nodes }: Case, index: number): boolean {
  return nodes < OPEN_SHARE || index % OPEN_SHARE === OPEN_SHARE - 1;
}

/** Units of each node: room for all tasks on the open ones, where slots do not bound it. */
function units({ nodes, slots }: Case): number {
  const openCount = Math.max(1, Math.floor(nodes / OPEN_SHARE));
  return slots > 0 ? slots : Math.min(Math.ceil(2 * TASKS / openCount), TOO_MANY_UNITS - 1);
}

let made = 0;

/** Tasks as the dispatcher makes them. */
export function benchTasks(count: number, { isFragmented = false }: Partial<Case> = {}): Task[] {
  return Array.from({ length: count }, () => {
    const index = made++;
    const asked = isFragmented && index % 4 !== 3 ? 2 : 1;
    const task = {
      task_id: `bench-${String(index).padStart(8, "0")}`,
      profile: "light1c",
      input: `inputs/ffmpeg/video_${index}.mp4`,
      output: `outputs/video_${index}_854x480_h264_veryfast_n0001.mp4`,
      vthreads: 1,
      fthreads: 1,
      cpu_units: asked,
    };
    return completeTask(task, "bench", "bench");
  });
}

/** The nodes of one case, registered in one queue. */
export class BusyCluster {
  /** Tasks that fill what is free, or enough of them to measure. */
  readonly perRound: number;
  readonly #queue: RedisQueue;
  readonly #open: readonly RedisWorkerQueue[];
  readonly #case: Case;

  private constructor(queue: RedisQueue, one: Case, open: readonly RedisWorkerQueue[]) {
    this.#queue = queue;
    this.#case = one;
    this.#open = open;
    // Half of the units: fragmented cases have tasks of two.
    const fitting = one.slots > 0 ? open.length * one.slots : open.length * units(one) / 2;
    this.perRound = Math.min(TASKS, Math.floor(fitting));
  }

  /** Register all nodes and fill nine of ten. */
  static async start(redis: RedisServer, queue: RedisQueue, one: Case): Promise<BusyCluster> {
    const indexes = Array.from({ length: one.nodes }, (_, index) => index);
    const capacityUnits = units(one);
    const offer = { capacityUnits, slots: one.slots, timing: BENCH_TIMING };
    const open: RedisWorkerQueue[] = [];
    for (const index of indexes) {
      const worker = await registerNode(queue, nodeName(index), offer);
      if (isOpen(one, index)) open.push(worker);
    }
    const closed = indexes.filter((index) => !isOpen(one, index)).map(nodeName);
    await fill(redis, closed, { prefix: queue.keys.prefix, capacityUnits, ...one });
    return new BusyCluster(queue, one, open);
  }

  /** Enqueue a round behind a task that waits forever; cancelling `round-N` lets them in at once. */
  async prepareRound(round: number): Promise<void> {
    await this.#queue.enqueue([testTask(`round-${round}`, { cpu_units: TOO_MANY_UNITS })]);
    await this.#queue.enqueue(benchTasks(this.perRound, this.#case));
  }

  /** Let the tasks of a round in. */
  async release(round: number): Promise<void> {
    await this.#queue.operator(BENCH_TIMING).cancel(`round-${round}`, "bench");
  }

  /** Claim and end everything that was placed. */
  async finishRound(): Promise<void> {
    await Promise.all(this.#open.map(async (worker) => {
      while ((await runClaimed(worker)).length > 0);
    }));
  }
}

/** What the books, and so the slot tokens, of full nodes say. */
async function fill(
  redis: RedisServer,
  names: readonly string[],
  { prefix, capacityUnits, slots, isFragmented = false }: {
    readonly prefix: string;
    readonly capacityUnits: number;
  } & Case,
): Promise<void> {
  const script = `local prefix, used, tasks, cap = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
  for i = 5, #ARGV do
    redis.call('HSET', prefix .. 'tk:node:' .. ARGV[i], 'tasks', tasks, 'used', used, 'cap', cap)
    redis.call('SET', prefix .. 'cap:' .. ARGV[i], cap)
    if redis.call('LREM', prefix .. 'slots:available', 0, ARGV[i]) > 0 then
      redis.call('HINCRBY', prefix .. 'tk:config', 'tokens', -tasks)
    end
  end`;
  const left = isFragmented ? 1 : 0;
  const books = [String(capacityUnits - left), String(slots > 0 ? slots : 1), String(left)];
  for (let first = 0; first < names.length; first += 500) {
    const some = names.slice(first, first + 500);
    await redis.cli("EVAL", script, "0", prefix, ...books, ...some);
  }
}
