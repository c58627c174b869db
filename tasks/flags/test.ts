/** Flags of `deno task test`. */

import { command } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";

/** `deno task test`. */
export const TEST = command({
  ...commandNamed("test"),
  flags: {},
  operands: "[FILE…]",
  notes: [
    "With FILE only these files or folders are tested, with all permissions.",
    "The last line of stdout is: N passed, N failed",
  ],
});
