/** Flags of stop. */

import { command, number, text } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";

/** `deno task stop`. */
export const STOP = command({
  ...commandNamed("stop"),
  flags: {
    "logs": text("Folder of all runs.", { env: "LOGS_DIR", fallback: "logs", placeholder: "DIR" }),
    "run-id": text("Only this run; not taken from run_id.env.", { placeholder: "ID" }),
    "grace-s": number("Time for running tasks to finish, s.", { fallback: 10, min: 0 }),
    "force-s": number("After that, time to end tasks and clean up, s; then SIGKILL.", {
      fallback: 10,
      min: 0,
    }),
  },
  notes: [
    "A process is stopped only if pid, start time and boot are those that the role recorded.",
  ],
});
