/** Flags of stop. */

import { command, number, text } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";

/** `deno task stop`. */
export const STOP = command({
  ...commandNamed("stop"),
  flags: {
    "logs": text("Folder of all runs.", { env: "LOGS_DIR", fallback: "logs", placeholder: "DIR" }),
    "run-id": text("Only this run; not taken from run_id.env.", { placeholder: "ID" }),
    "grace-s": number("Time for tasks that run to finish, s.", { fallback: 10, min: 0 }),
    "force-s": number("Time to end the tasks and clean up after that, s; then SIGKILL.", {
      fallback: 10,
      min: 0,
    }),
  },
  notes: [
    "A role is ended only when pid, start time and boot are those that it wrote down.",
  ],
});
