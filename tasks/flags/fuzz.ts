/** Flags of `deno task fuzz`. */

import { command, integer, text } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";

/** `deno task fuzz`. */
export const FUZZ = command({
  ...commandNamed("fuzz"),
  flags: {
    "minutes": integer("How long.", { fallback: 1, min: 1 }),
    "seed": integer("Seed of the first round; each round takes the next one.", {
      fallback: 1000,
      min: 0,
    }),
    "target": text("Only this one: raw_run, parsed_run, parquet, http or task_json.", {
      placeholder: "NAME",
    }),
  },
  notes: [
    "It ends at the first round that finds something and prints its target and seed: with --target",
    "and --seed that round runs again, as the first.",
  ],
});
