/** Flags of `deno task bench`. */

import { command } from "../command/flag_table.ts";

/** `deno task bench`. */
export const BENCH = command({
  name: "bench",
  summary: "Measure one part of Tracekit; without a name, list what can be measured.",
  flags: {},
  operands: "[NAME [ARGUMENT…]]",
  notes: ["NAME is a file tests/bench/NAME_bench.ts; what follows it goes to that program."],
});
