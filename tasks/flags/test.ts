/** Flags of `deno task test`. */

import { command } from "../command/flag_table.ts";

/** `deno task test`. */
export const TEST = command({
  name: "test",
  summary:
    "Type-check everything and run the tests; the last line says how many passed and failed.",
  flags: {},
  operands: "[FILE…]",
  notes: [
    "With FILE only these files or folders are tested, with every permission.",
    "The last line of stdout is: N passed, N failed",
  ],
});
