/** Flags of setup. */

import { command } from "../command/flag_table.ts";

/** `deno task setup`. */
export const SETUP = command({
  name: "setup",
  summary: "Install the programs that Tracekit needs and that are missing here.",
  flags: {},
  notes: [
    "Needs root or passwordless sudo and apt-get; else it prints the one command to run.",
  ],
});
