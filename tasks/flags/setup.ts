/** Flags of setup. */

import { command } from "../_command.ts";

/** `deno task setup`. */
export const SETUP = command({
  name: "setup",
  summary: "Install the programs that Tracekit needs and that are missing here.",
  flags: {},
  notes: [
    "Needs root or passwordless sudo and apt-get; else it prints the one command to run.",
  ],
});
