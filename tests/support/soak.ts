/**
 * Many tasks over many nodes at full speed: the nodes are stand-ins that use the worker's own queue code,
 * claim and finish at once. Used small by a test and large by a bench.
 */

import { assertEquals } from "@std/assert";
import type { RedisQueue } from "../../scheduler/queue/redis_queue.ts";
import type { RedisWorkerQueue } from "../../scheduler/queue/worker_queue.ts";
import { readLines } from "../../trace/json_lines.ts";
import { beat, registerNode, runClaimed, testTask } from "./queue_actors.ts";
import type { RedisServer } from "./redis_server.ts";

/** Tasks that may wait: enough to keep the scheduler busy. */
const BACKLOG = 10_000;

/** Between two heartbeats of all nodes, ms. */
const HEARTBEAT_MS = 2000;

/** What a node offers; every second one has slots beside its capacity. */
const UNITS = 4;

/** How large a soak is. */
export interface SoakSize {
  /** Tasks in all. */
  readonly tasks: number;
  /** Nodes. */
  readonly nodes: number;
}

/** The nodes of a soak, and what they have done. */
export class Soak {
  /** Tasks that have ended. */
  ended = 0;
  readonly #queue: RedisQueue;
  readonly #size: SoakSize;
  #workers: RedisWorkerQueue[] = [];
  #enqueued = 0;

  constructor(queue: RedisQueue, size: SoakSize) {
    this.#queue = queue;
    this.#size = size;
  }

  /** Register the nodes. */
  async begin(): Promise<void> {
    for (let at = 0; at < this.#size.nodes; at++) {
      const slots = at % 2 === 0 ? 0 : UNITS;
      this.#workers.push(await registerNode(this.#queue, nodeName(at), { slots }));
    }
  }

  /** Run all tasks; `onRound` is called each time all nodes have run what they had. */
  async run(onRound: () => Promise<void>): Promise<void> {
    let heartbeatAt = performance.now();
    while (this.ended < this.#size.tasks) {
      await this.#enqueue();
      const ran = await Promise.all(this.#workers.map((worker) => runClaimed(worker)));
      this.ended += ran.reduce((sum, { length }) => sum + length, 0);
      if (performance.now() - heartbeatAt > HEARTBEAT_MS) {
        heartbeatAt = performance.now();
        await this.heartbeats();
      }
      await onRound();
    }
  }

  /** Renew every lease. */
  async heartbeats(): Promise<void> {
    await Promise.all(this.#workers.map(async (one) => {
      const isHolder = await beat(one);
      if (!isHolder) throw new Error("a stand-in lost its node: the machine is too slow for this");
    }));
  }

  async #enqueue(): Promise<void> {
    const room = BACKLOG - await this.#queue.pendingLength();
    const end = Math.min(this.#size.tasks, this.#enqueued + Math.max(0, room));
    const places = Array.from({ length: end - this.#enqueued }, (_, at) => this.#enqueued + at);
    await this.#queue.enqueue(places.map((place) => testTask(`soak-${place}`)));
    this.#enqueued = end;
  }
}

function nodeName(at: number): string {
  return `node${String(at).padStart(5, "0")}`;
}

/** Every task has ended as done, once, and they were placed in the order of submission. */
export async function checkRecords(
  { results, events }: { readonly results: string; readonly events: string },
  { tasks }: SoakSize,
): Promise<void> {
  const ids = new Set<string>();
  const states = new Map<string, number>();
  for await (const { lines } of readLines(results)) {
    for (const line of lines) {
      const { task_id, state } = JSON.parse(line);
      ids.add(task_id);
      states.set(state, (states.get(state) ?? 0) + 1);
    }
  }
  assertEquals([...states], [["done", tasks]], "results by state");
  assertEquals(ids.size, tasks, "tasks in the results");
  let [placed, last] = [0, 0];
  for await (const { lines } of readLines(events)) {
    for (const line of lines) {
      const { event, seq } = JSON.parse(line);
      if (event !== "placed") continue;
      if (seq <= last) throw new Error(`the task at ${seq} was placed after the one at ${last}`);
      last = seq;
      placed += 1;
    }
  }
  assertEquals(placed, tasks, "placements");
}

/** All capacity and every slot is free, nothing waits and nothing runs. */
export async function checkIdle(redis: RedisServer, { nodes }: SoakSize): Promise<void> {
  const caps = Array.from({ length: nodes }, (_, at) => `cap:${nodeName(at)}`);
  const shown = (await redis.cli("MGET", ...caps)).split("\n");
  assertEquals(shown.filter((cap) => cap !== String(UNITS)), [], "capacity back on every node");
  assertEquals(await redis.cli("LLEN", "slots:available"), String(Math.floor(nodes / 2) * UNITS));
  assertEquals(await redis.cli("LLEN", "q:pending"), "0");
  for (const pattern of ["tk:task:*", "tk:assigned:*", "tk:running:*", "tk:index:*", "q:*"]) {
    assertEquals(await redis.cli("--scan", "--pattern", pattern), "", `keys ${pattern}`);
  }
}
