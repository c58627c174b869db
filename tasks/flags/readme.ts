/** Flags of `deno task readme`. */

import { command } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";

/** `deno task readme`. */
export const README = command({
  ...commandNamed("readme"),
  flags: {},
});
