/** Flags of logs, and the permissions that they need. */

import { join, resolve } from "@std/path";
import { command, integer, type OptionsOf, toggle } from "../command/flag_table.ts";
import { role } from "../command/role.ts";
import { commandNamed } from "../commands.ts";
import { requireRunId, RUN_FLAGS } from "./groups/run.ts";

/** `deno task logs`. */
export const LOGS = command({
  ...commandNamed("logs"),
  operands: "TASK_ID",
  flags: {
    "follow": toggle("Print what is added until Ctrl-C."),
    "attempt": integer("Attempt to show; default: the last one.", { min: 1 }),
    "run-id": RUN_FLAGS["run-id"],
    "logs": RUN_FLAGS.logs,
  },
  notes: ["A log is on the node that ran the task, and here after deploy fetch."],
});

/** Folder of the run, absolute. */
export function logsFolder(options: OptionsOf<typeof LOGS.flags>): string {
  return join(resolve(options.logs), requireRunId(options));
}

/** Logs as a role: it reads the run's folder. */
export const LOGS_ROLE = role({
  command: LOGS,
  grant: (options) => ({ read: [logsFolder(options)] }),
});
