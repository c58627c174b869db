/**
 * Taking in what people put into the queue's lists by hand, and taking out what is not a task.
 *
 * @module
 */

import type { Task } from "../../trace/task.ts";
import type { Keys } from "./keys.ts";
import type { RedisConnection } from "./connection.ts";
import { listOf, textOf, textsOf } from "./reply.ts";
import { SCRIPTS } from "./scripts.ts";
import { taskHead } from "./task_json.ts";

/** An element of a list. */
export interface Listed {
  /** Its place in the list. */
  readonly index: number;
  /** The element as it is there. */
  readonly raw: string;
}

/** How much of what is not a task is kept for a person to look at, characters. */
const KEPT_CHARS = 4096;

/** Nodes whose index one call looks into: 0.5 us each. */
const NODES_PER_CALL = 500;

/** Hand-pushed elements of one list. */
export class RedisIntake {
  readonly #connection: RedisConnection;
  readonly #keys: Keys;
  readonly #node: string;

  /** The list of `node`; "" is the pending queue. */
  constructor(connection: RedisConnection, keys: Keys, node: string) {
    this.#connection = connection;
    this.#keys = keys;
    this.#node = node;
  }

  /**
   * Give the task at `listed` what it lacks: a line in the index, its time, and the place `seq` in the
   * order of submission (null: the next one). A second copy of a task that continues is buried.
   *
   * @returns true when it is there as a task of the queue; false when the list has changed.
   */
  async adopt({ index, raw }: Listed, task: Task, seq: number | null): Promise<boolean> {
    // It was in the queue before: a person may have moved it here out of a node's queue.
    if (this.#node === "" && task.ts_enqueue !== null) await this.#disown(task.task_id);
    const [status, detail] = listOf(
      await this.#connection.run(SCRIPTS.adopt, this.#keys.prefix, [
        this.#node,
        String(index),
        raw,
        task.task_id,
        task.dispatch_id ?? "",
        taskHead(task),
        seq === null ? "" : String(seq),
        task.ts_enqueue === null ? "" : String(task.ts_enqueue),
      ]),
    );
    if (status !== "duplicate") return status === "adopted";
    await this.#bury({ index, raw }, task.task_id, { reason: textOf(detail), ends: "nothing" });
    return false;
  }

  async #disown(taskId: string): Promise<void> {
    const { nodes, prefix } = this.#keys;
    const names = textsOf(await this.#connection.command("ZRANGE", nodes, "0", "-1"));
    for (let first = 0; first < names.length; first += NODES_PER_CALL) {
      const some = names.slice(first, first + NODES_PER_CALL);
      await this.#connection.run(SCRIPTS.disown, prefix, [taskId, ...some]);
    }
  }

  /** Make what is at `listed` a dead letter, for `reason`. */
  async bury(listed: Listed, taskId: string, reason: string): Promise<void> {
    await this.#bury(listed, taskId, { reason, ends: "the task" });
  }

  async #bury(
    { index, raw }: Listed,
    taskId: string,
    { reason, ends }: { readonly reason: string; readonly ends: "the task" | "nothing" },
  ): Promise<void> {
    await this.#connection.run(SCRIPTS.bury, this.#keys.prefix, [
      this.#node,
      String(index),
      raw,
      taskId,
      reason,
      raw.slice(0, KEPT_CHARS),
      ends === "the task" ? "1" : "0",
    ]);
  }
}
