/** Flags of `deno task readme`. */

import { command } from "../command/flag_table.ts";

/** `deno task readme`. */
export const README = command({
  name: "readme",
  summary: "Write the reference of all commands and flags into README.md, from the flag tables.",
  flags: {},
});
