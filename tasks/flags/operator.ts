/** Flags of the commands with which a person looks at the queue and changes it. */

import { resolve } from "@std/path";
import { RunDir } from "../../trace/run_dir.ts";
import { asUsage, UsageError } from "../command/usage_error.ts";
import { command, number, text, toggle } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";
import { REDIS_FLAGS, redisGrant, type RedisOptions } from "./groups/redis.ts";
import { RUN_FLAGS } from "./groups/run.ts";
import { role } from "../command/role.ts";

const JSON_FLAG = { "json": toggle("Print JSON on stdout instead of text.") } as const;

/** `deno task status`. */
export const STATUS = command({
  ...commandNamed("status"),
  flags: {
    "watch": toggle("Repeat until Ctrl-C."),
    "interval-s": number("--watch: time between two updates, s.", { fallback: 2, min: 0.1 }),
    ...JSON_FLAG,
    ...REDIS_FLAGS,
  },
  notes: ["With --json each update is one line."],
});

/** `deno task explain`. */
export const EXPLAIN = command({
  ...commandNamed("explain"),
  flags: {
    "run-id": RUN_FLAGS["run-id"],
    "logs": RUN_FLAGS.logs,
    ...JSON_FLAG,
    ...REDIS_FLAGS,
  },
  operands: "TASK_ID",
  notes: ["Where it was considered is known only on the scheduler's machine, with the RUN_ID."],
});

/** `deno task drain`. */
export const DRAIN = command({
  ...commandNamed("drain"),
  flags: { "undo": toggle("Put them back into service."), ...REDIS_FLAGS },
  operands: "NODE…",
});

/** `deno task cancel`. */
export const CANCEL = command({
  ...commandNamed("cancel"),
  flags: {
    "reason": text("Reason, recorded in the results.", { fallback: "cancelled by hand" }),
    ...REDIS_FLAGS,
  },
  operands: "TASK_ID…",
});

/** `deno task requeue`. */
export const REQUEUE = command({
  ...commandNamed("requeue"),
  flags: REDIS_FLAGS,
  operands: "NODE…",
});

/** `deno task dead`. */
export const DEAD = command({
  ...commandNamed("dead"),
  flags: { "all": toggle("retry, drop: all of them."), ...JSON_FLAG, ...REDIS_FLAGS },
  operands: "list|retry|drop [TASK_ID…]",
});

/** The commands as roles: each reaches Redis and nothing else, explain also one run's records. */
export const STATUS_ROLE = role({ command: STATUS, grant: (options) => redisGrant(options) });
export const EXPLAIN_ROLE = role({ command: EXPLAIN, grant: explainGrant });
export const DRAIN_ROLE = role({ command: DRAIN, grant: (options) => redisGrant(options) });
export const CANCEL_ROLE = role({ command: CANCEL, grant: (options) => redisGrant(options) });
export const REQUEUE_ROLE = role({ command: REQUEUE, grant: (options) => redisGrant(options) });
export const DEAD_ROLE = role({ command: DEAD, grant: (options) => redisGrant(options) });

/** Where the records of a run are that explain reads. */
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
