/** Flags of setup. */

import { command } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";

/** `deno task setup`. */
export const SETUP = command({
  ...commandNamed("setup"),
  flags: {},
  notes: [
    "Needs root or passwordless sudo, and apt-get; otherwise it prints the command to run.",
  ],
});
