/** Flags of `deno task readme`. */

import { command, toggle } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";

/** `deno task readme`. */
export const README = command({
  ...commandNamed("readme"),
  flags: {
    "record": toggle("Also run the demo and record it as docs/images/demo.svg."),
  },
});
