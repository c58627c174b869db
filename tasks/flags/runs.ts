/** Flags of runs, and the permissions that they need. */

import { resolve } from "@std/path";
import { command, toggle } from "../command/flag_table.ts";
import { role } from "../command/role.ts";
import { commandNamed } from "../commands.ts";
import { RUN_FLAGS } from "./groups/run.ts";

/** `deno task runs`. */
export const RUNS = command({
  ...commandNamed("runs"),
  flags: {
    "logs": RUN_FLAGS.logs,
    "json": toggle("Print JSON instead of text."),
  },
});

/** Runs as a role: it reads the logs. */
export const RUNS_ROLE = role({
  command: RUNS,
  grant: ({ logs }) => ({ read: [resolve(logs)] }),
});
