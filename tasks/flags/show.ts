/** Flags of show, and the permissions that they need. */

import { GROUPINGS } from "../../export/summary/groupings.ts";
import { command, text, toggle } from "../command/flag_table.ts";
import { role } from "../command/role.ts";
import { commandNamed } from "../commands.ts";
import { readGrant, SAVED_RUN_FLAGS } from "./groups/saved_runs.ts";

/** `deno task show`. */
export const SHOW = command({
  ...commandNamed("show"),
  flags: {
    ...SAVED_RUN_FLAGS,
    "group-by": text("One run: its tasks by this, with 95 % bootstrap intervals.", {
      choices: GROUPINGS,
    }),
    "json": toggle("Print JSON instead of text."),
  },
  operands: "[RUN[,REPEAT…]…]",
  notes: [
    "RUN is a RUN_ID or a folder. Several runs are compared with the first, side by side; repeats of",
    "one, with commas in between, give intervals over runs instead of tasks.",
  ],
});

/** Show as a role: it reads runs. */
export const SHOW_ROLE = role({
  command: SHOW,
  grant: (options, operands) => readGrant(options, operands.flatMap((one) => one.split(","))),
});
