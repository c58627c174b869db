/** Flags of tasks, and the permissions that they need. */

import { command, integer, text, toggle } from "../command/flag_table.ts";
import { role } from "../command/role.ts";
import { commandNamed } from "../commands.ts";
import { REDIS_FLAGS, redisGrant } from "./groups/redis.ts";

/** `deno task tasks`. */
export const TASKS = command({
  ...commandNamed("tasks"),
  flags: {
    "state": text("Only tasks in this state.", { choices: ["pending", "assigned", "running"] }),
    "node": text("Only tasks that this node has.", { placeholder: "NODE" }),
    "name": text("Only tasks of this profile, as submit --name gives it.", { placeholder: "NAME" }),
    "older-than": text("Only tasks enqueued at least so long ago: 90s, 10m, 2h.", {
      placeholder: "DURATION",
    }),
    "limit": integer("Stop after so many; 0: list all.", { fallback: 1000, min: 0 }),
    "json": toggle("Print JSON Lines instead of a table."),
    ...REDIS_FLAGS,
  },
  notes: ["Ended tasks are in results.jsonl of the run: show RUN_ID."],
});

/** Tasks as a role. */
export const TASKS_ROLE = role({ command: TASKS, grant: (options) => redisGrant(options) });
