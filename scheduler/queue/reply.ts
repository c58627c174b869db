/**
 * Replies of Redis as values: what a script promised, or a loud error.
 *
 * @module
 */

import { DecodeError, quote } from "../../trace/schema.ts";
import type { HostState } from "./queue.ts";

/** A reply as RESP2 has it. */
export type Reply = string | number | null | readonly Reply[];

/** A reply that is text. */
export function textOf(reply: Reply | undefined): string {
  if (typeof reply === "string") return reply;
  throw new DecodeError(`Cannot read Redis' reply: text is required, got ${quote(reply)}`);
}

/** A reply that is a number, also one that travelled as text. */
export function numberOf(reply: Reply | undefined): number {
  const value = typeof reply === "string" && reply !== "" ? Number(reply) : reply;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new DecodeError(`Cannot read Redis' reply: a number is required, got ${quote(reply)}`);
}

/** A reply that is a list. */
export function listOf(reply: Reply | undefined): readonly Reply[] {
  if (Array.isArray(reply)) return reply;
  throw new DecodeError(`Cannot read Redis' reply: a list is required, got ${quote(reply)}`);
}

/** A reply that is a list of lists. */
export function rowsOf(reply: Reply | undefined): readonly (readonly Reply[])[] {
  return listOf(reply).map(listOf);
}

/** A reply that is a list of texts. */
export function textsOf(reply: Reply | undefined): readonly string[] {
  return listOf(reply).map(textOf);
}

/** A node's state as scripts return it. */
export function hostOf(row: readonly Reply[]): HostState {
  const [node, incarnation, capacity, used, hold, slots, tasks, isDraining] = row;
  return {
    node: textOf(node),
    incarnation: textOf(incarnation),
    capacity: numberOf(capacity),
    used: numberOf(used),
    hold: numberOf(hold),
    slots: numberOf(slots),
    tasks: numberOf(tasks),
    isDraining: isDraining === 1,
  };
}
