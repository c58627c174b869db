/** Flags of wait, and the permissions that they need. */

import { command, number, text, toggle } from "../command/flag_table.ts";
import { role } from "../command/role.ts";
import { commandNamed } from "../commands.ts";
import { explainedRun } from "./operator.ts";
import { REDIS_FLAGS, redisGrant } from "./groups/redis.ts";
import { RUN_FLAGS } from "./groups/run.ts";

/** `deno task wait`. */
export const WAIT = command({
  ...commandNamed("wait"),
  operands: "[TASK_ID…]",
  flags: {
    "dispatch": text("Wait for all tasks of this dispatch.", { placeholder: "ID" }),
    "all": toggle("Wait until nothing is pending, assigned or running."),
    "timeout": number("Longest time to wait, s; then the exit code is 124.", {
      min: 0,
      placeholder: "S",
    }),
    "run-id": RUN_FLAGS["run-id"],
    "logs": RUN_FLAGS.logs,
    ...REDIS_FLAGS,
  },
  notes: [
    "Exit code 0 if all are done, otherwise the largest known exit code; 130 after Ctrl-C.",
    "The queue remembers the end of a task for 30 s; with a RUN_ID, results.jsonl is read besides.",
  ],
});

/** Wait as a role. */
export const WAIT_ROLE = role({
  command: WAIT,
  grant: (options) => {
    const redis = redisGrant(options);
    const run = explainedRun(options);
    return { ...redis, read: run === null ? redis.read : [...redis.read, run.path] };
  },
});
