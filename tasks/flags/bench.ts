/** Flags of `deno task bench`. */

import { command } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";

/** `deno task bench`. */
export const BENCH = command({
  ...commandNamed("bench"),
  flags: {},
  operands: "[NAME [ARGUMENT…]]",
  notes: ["NAME is a file tests/bench/NAME_bench.ts; the arguments after it are that program's."],
});
