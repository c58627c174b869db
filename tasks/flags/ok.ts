/** Flags of `deno task ok`. */

import { command } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";

/** `deno task ok`. */
export const OK = command({
  ...commandNamed("ok"),
  flags: {},
  operands: "[STEP…]",
  notes: ["Steps: fmt, lint, check, docs, test; all when none is named."],
});
