/** Flags of the commands with which a person looks at the queue and changes it. */

import { resolve } from "@std/path";
import { RunDir } from "../../trace/run_dir.ts";
import { asUsage, command, number, text, toggle, UsageError } from "../command/flag_table.ts";
import { REDIS_FLAGS, redisGrant, type RedisOptions } from "./groups/redis.ts";
import { RUN_FLAGS } from "./groups/run.ts";
import { role } from "../command/role.ts";

const JSON_FLAG = { "json": toggle("Print JSON on stdout in place of text.") } as const;

/** `deno task status`. */
export const STATUS = command({
  name: "status",
  summary: "Show queues, nodes, what runs, and why the head of the queue waits.",
  flags: {
    "watch": toggle("Show it again and again until Ctrl-C."),
    "interval-s": number("--watch: time between two looks, s.", { fallback: 2, min: 0.1 }),
    ...JSON_FLAG,
    ...REDIS_FLAGS,
  },
  notes: ["With --json each look is one line."],
});

/** `deno task explain`. */
export const EXPLAIN = command({
  name: "explain",
  summary: "Say where a task is, where it was considered, and why it was not placed.",
  flags: {
    "run-id": RUN_FLAGS["run-id"],
    "logs": RUN_FLAGS.logs,
    ...JSON_FLAG,
    ...REDIS_FLAGS,
  },
  operands: "TASK_ID",
  notes: ["Where it was considered is known on the scheduler's machine, with the RUN_ID."],
});

/** `deno task drain`. */
export const DRAIN = command({
  name: "drain",
  summary: "Give nodes nothing new, and take back what they have not begun.",
  flags: { "undo": toggle("Let them take part again."), ...REDIS_FLAGS },
  operands: "NODE…",
});

/** `deno task cancel`. */
export const CANCEL = command({
  name: "cancel",
  summary: "End tasks wherever they are; those that run are stopped by their worker.",
  flags: {
    "reason": text("Goes into the results.", { fallback: "cancelled by hand" }),
    ...REDIS_FLAGS,
  },
  operands: "TASK_ID…",
});

/** `deno task requeue`. */
export const REQUEUE = command({
  name: "requeue",
  summary: "Take back all that waits in the queues of nodes: pending again, at its old place.",
  flags: REDIS_FLAGS,
  operands: "NODE…",
});

/** `deno task dead`. */
export const DEAD = command({
  name: "dead",
  summary: "List dead letters, try them again as new tasks, or drop them.",
  flags: { "all": toggle("retry, drop: every one."), ...JSON_FLAG, ...REDIS_FLAGS },
  operands: "list|retry|drop [TASK_ID…]",
});

/** The commands as roles: each reaches Redis and nothing else, explain also one run's records. */
export const OPERATOR_ROLES = [
  role({ command: STATUS, entry: "status.ts", grant: (options) => redisGrant(options) }),
  role({ command: EXPLAIN, entry: "explain.ts", grant: explainGrant }),
  role({ command: DRAIN, entry: "drain.ts", grant: (options) => redisGrant(options) }),
  role({ command: CANCEL, entry: "cancel.ts", grant: (options) => redisGrant(options) }),
  role({ command: REQUEUE, entry: "requeue.ts", grant: (options) => redisGrant(options) }),
  role({ command: DEAD, entry: "dead.ts", grant: (options) => redisGrant(options) }),
];

/** Where the records of a run lie that explain looks into. */
export interface ExplainPlace {
  /** RUN_ID; null: only the queue is asked. */
  readonly "run-id": string | null;
  /** Folder of all runs. */
  readonly logs: string;
}

/** The run directory that explain looks into; null without a RUN_ID. */
export function explainedRun({ "run-id": runId, logs }: ExplainPlace): RunDir | null {
  return runId === null ? null : asUsage(() => RunDir.of(resolve(logs), runId));
}

function explainGrant(options: RedisOptions & ExplainPlace): ReturnType<typeof redisGrant> {
  const redis = redisGrant(options);
  const run = explainedRun(options);
  return { ...redis, read: run === null ? redis.read : [...redis.read, run.path] };
}

/**
 * The operands, at least one.
 *
 * @throws {UsageError} when there is none.
 */
export function requireOperands(operands: readonly string[], what: string): readonly string[] {
  if (operands.length === 0) throw new UsageError(`${what} is required`);
  return operands;
}
