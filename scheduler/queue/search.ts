/**
 * Finding things in the queue's lists and among its keys, a portion at a time.
 *
 * @module
 */

import type { Task } from "../../trace/task.ts";
import { Keys } from "./keys.ts";
import type { RedisConnection } from "./connection.ts";
import { listOf, type Reply, textOf, textsOf } from "./reply.ts";
import { readListedTask } from "./task_json.ts";

/** Elements of a list, or keys, in one reply: 400 kB of tasks, a few ms of Redis' time in all. */
const ELEMENTS_PER_CALL = 1000;

/** Keys looked through before giving up: 0.2 s of round trips. */
const KEYS_SCANNED_MAX = 200_000;

/** An element of a list. */
export interface Element {
  /** Elements before it. */
  readonly index: number;
  /** The element as it is there. */
  readonly raw: string;
}

/** An element of the pending queue, or of a node's queue past the scheduler. */
export interface WaitingElement extends Element {
  /** The node; "" is the pending queue. */
  readonly node: string;
}

/** The task in `raw`, or null when that is none. */
export function taskIn(raw: string): Task | null {
  const listed = readListedTask(raw, "unnamed");
  return listed.kind === "task" ? listed.task : null;
}

/** Looks through the queue without changing it. */
export class RedisSearch {
  readonly #connection: RedisConnection;
  readonly #keys: Keys;

  /** A search over `connection`, which stays the caller's. */
  constructor(connection: RedisConnection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** Name of the pending queue. */
  async pendingKey(): Promise<string> {
    const configured = await this.#command("HGET", this.#keys.config, "pending");
    return this.#keys.prefix + (configured === null ? Keys.PENDING : textOf(configured));
  }

  /** Where `taskId` waits without being assigned: in the pending queue, or past the scheduler. */
  async findWaiting(taskId: string): Promise<WaitingElement | null> {
    for (const node of ["", ...await this.#indexedNodes()]) {
      if (await this.#command("HEXISTS", this.#keys.index(node), taskId) !== 1) continue;
      const list = node === "" ? await this.pendingKey() : this.#keys.nodeQueue(node);
      const found = await this.find(list, taskId);
      if (found !== null) return { ...found, node };
    }
    return null;
  }

  /** Nodes whose queue has, or had, tasks that were put there past the scheduler. */
  async #indexedNodes(): Promise<readonly string[]> {
    const prefix = this.#keys.index("");
    const found = await this.keysBehind(prefix) ?? [];
    return found.map((key) => key.slice(prefix.length)).filter((node) => node !== "").sort();
  }

  /** The element of `list` that is the task `taskId`, or null. */
  async find(list: string, taskId: string): Promise<Element | null> {
    const mark = JSON.stringify(taskId);
    for await (const element of this.elements(list)) {
      if (element.raw.includes(mark) && taskIn(element.raw)?.task_id === taskId) return element;
    }
    return null;
  }

  /** The elements of `list`, in portions; what changes meanwhile may be seen twice or not at all. */
  async *elements(list: string): AsyncGenerator<Element> {
    for (let first = 0;; first += ELEMENTS_PER_CALL) {
      const last = String(first + ELEMENTS_PER_CALL - 1);
      const some = textsOf(await this.#command("LRANGE", list, String(first), last));
      for (const [offset, raw] of some.entries()) yield { index: first + offset, raw };
      if (some.length < ELEMENTS_PER_CALL) return;
    }
  }

  /**
   * Keys that begin with `prefix`, all or those that hold a `type` of Redis; null when there are too many
   * keys to look through.
   */
  async keysBehind(prefix: string, type?: "list"): Promise<readonly string[] | null> {
    const found = new Set<string>();
    const pattern = `${prefix.replace(/[\\*?[\]]/g, "\\$&")}*`;
    const filter = type === undefined ? [] : ["TYPE", type];
    let cursor = "0";
    for (let scanned = 0; scanned < KEYS_SCANNED_MAX; scanned += ELEMENTS_PER_CALL) {
      const count = String(ELEMENTS_PER_CALL);
      const [next, keys] = listOf(
        await this.#command("SCAN", cursor, "MATCH", pattern, "COUNT", count, ...filter),
      );
      for (const key of textsOf(keys)) found.add(key);
      cursor = textOf(next);
      if (cursor === "0") return [...found];
    }
    return null;
  }

  #command(...args: readonly string[]): Promise<Reply> {
    return this.#connection.command(...args);
  }
}
