/**
 * Lists the tasks that the queue holds: pending, assigned and running.
 *
 * @module
 */

import type { Task } from "../../trace/task.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";
import { listOf, numberOf, textOf, textsOf } from "./reply.ts";
import { RedisSearch, taskIn } from "./search.ts";

/** One task that has not ended. */
export interface ListedTask {
  /** The task. */
  readonly task_id: string;
  /** Where it is. */
  readonly state: "pending" | "assigned" | "running";
  /** The node that has it; null: none yet. */
  readonly node: string | null;
  /** Its profile. */
  readonly profile: string | null;
  /** vCPUs that it reserves; null: not known. */
  readonly cpu_units: number | null;
  /** Attempt that runs, from 1; null: none does. */
  readonly attempt: number | null;
  /** When it was enqueued, epoch ms. */
  readonly ts_enqueue: number | null;
}

/** Which tasks to list; what is null is not asked for. */
export interface ListFilter {
  /** State. */
  readonly state: ListedTask["state"] | null;
  /** NODE_ID. */
  readonly node: string | null;
  /** Profile. */
  readonly profile: string | null;
  /** Enqueued at this time or before, epoch ms. */
  readonly enqueuedBefore: number | null;
}

/** Lists without changing anything; what moves meanwhile may be seen twice or not at all. */
export class RedisListing {
  readonly #connection: RedisConnection;
  readonly #keys: Keys;
  readonly #search: RedisSearch;

  /** A listing over `connection`, which stays the caller's. */
  constructor(connection: RedisConnection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
    this.#search = new RedisSearch(connection, keys);
  }

  /** The tasks that pass `filter`: running, then assigned, then pending, each in order. */
  async *tasks(filter: ListFilter): AsyncGenerator<ListedTask> {
    for await (const task of this.#all(filter)) if (passes(task, filter)) yield task;
  }

  async *#all({ state, node }: ListFilter): AsyncGenerator<ListedTask> {
    const names = await this.#connection.command("ZRANGE", this.#keys.nodes, "0", "-1");
    const nodes = textsOf(names).filter((one) => node === null || one === node).sort();
    for (const one of nodes) if (state === null || state === "running") yield* this.#running(one);
    for (const one of nodes) if (state === null || state === "assigned") yield* this.#assigned(one);
    if (node === null && (state === null || state === "pending")) yield* this.#pending();
  }

  async *#running(node: string): AsyncGenerator<ListedTask> {
    const flat = textsOf(await this.#connection.command("HGETALL", this.#keys.running(node)));
    for (let at = 0; at < flat.length; at += 2) {
      const task_id = flat[at] as string;
      yield this.#held(task_id, await this.#taskOf(task_id), {
        state: "running",
        node,
        attempt: numberOf(flat[at + 1] ?? null),
      });
    }
  }

  async *#assigned(node: string): AsyncGenerator<ListedTask> {
    const ids = textsOf(
      await this.#connection.command("ZRANGE", this.#keys.assigned(node), "0", "-1"),
    );
    for (const task_id of ids) {
      const task = await this.#taskOf(task_id);
      yield this.#held(task_id, task, { state: "assigned", node, attempt: null });
    }
  }

  async *#pending(): AsyncGenerator<ListedTask> {
    for await (const { raw } of this.#search.elements(await this.#search.pendingKey())) {
      const task = taskIn(raw);
      if (task === null) continue;
      yield this.#held(task.task_id, task, { state: "pending", node: null, attempt: null });
    }
  }

  async #taskOf(taskId: string): Promise<Task | null> {
    const [raw] = listOf(await this.#connection.command("HMGET", this.#keys.task(taskId), "raw"));
    return raw === null || raw === undefined ? null : taskIn(textOf(raw));
  }

  #held(
    task_id: string,
    task: Task | null,
    place: Pick<ListedTask, "state" | "node" | "attempt">,
  ): ListedTask {
    return {
      task_id,
      ...place,
      profile: task?.profile ?? null,
      cpu_units: task?.cpu_units ?? null,
      ts_enqueue: task?.ts_enqueue ?? null,
    };
  }
}

function passes(task: ListedTask, { profile, enqueuedBefore }: ListFilter): boolean {
  if (profile !== null && task.profile !== profile) return false;
  return enqueuedBefore === null || (task.ts_enqueue ?? Infinity) <= enqueuedBefore;
}
