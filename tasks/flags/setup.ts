/** Flags of setup. */

import { command } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";

/** `deno task setup`. */
export const SETUP = command({
  ...commandNamed("setup"),
  flags: {},
  notes: [
    "With root or passwordless sudo: apt-get installs them. Else the same packages are fetched and",
    "unpacked for this user alone, in ~/.cache/tracekit/packages, where commands find them.",
  ],
});
