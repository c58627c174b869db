/**
 * Tasks as they are in the queue's lists.
 *
 * @module
 */

import { completeTask, type Task } from "../../trace/task.ts";

/**
 * Longest task, characters of JSON. An honest one has a few hundred, a command with many arguments a few
 * thousand; reading what is longer would block Redis for whoever is behind it.
 */
const TASK_MAX_CHARS = 65_536;

/** What an element of a list is. */
export type ListedTask =
  /** A task; `isStamped` when it has id, place and time already. */
  | { readonly kind: "task"; readonly task: Task; readonly isStamped: boolean }
  /** Something else, and why. */
  | { readonly kind: "poison"; readonly taskId: string; readonly reason: string };

/**
 * The task in `raw`, an element of a queue's list.
 *
 * @param madeUpId The id for a task that has none.
 */
export function readListedTask(raw: string, madeUpId: string): ListedTask {
  if (raw.length > TASK_MAX_CHARS) {
    const reason = `a task of at most ${TASK_MAX_CHARS} characters is required, got ${raw.length}`;
    return { kind: "poison", taskId: "", reason };
  }
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { kind: "poison", taskId: "", reason: `not JSON: ${error.message}` };
  }
  const given = typeof value === "object" && value !== null ? value as Partial<Task> : {};
  try {
    const isStamped = typeof given.task_id === "string" && typeof given.seq === "number" &&
      typeof given.ts_enqueue === "number";
    return { kind: "task", task: completeTask(value, "the queue", madeUpId), isStamped };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const taskId = typeof given.task_id === "string" && given.task_id.length <= 64
      ? given.task_id
      : "";
    return { kind: "poison", taskId, reason: error.message };
  }
}

/**
 * `task` as JSON without its place, its time and the closing brace: Redis adds these. Unknown fields
 * are left out, as the seeds leave them out.
 */
export function taskHead({ seq: _seq, ts_enqueue: _tsEnqueue, ...task }: Task): string {
  const known = Object.fromEntries(Object.entries(task).filter(([, value]) => value !== null));
  return JSON.stringify(known).slice(0, -1);
}
