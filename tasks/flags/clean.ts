/** Flags of clean. */

import { command } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";
import { RUN_FLAGS } from "./groups/run.ts";

/** `deno task clean`. */
export const CLEAN = command({
  ...commandNamed("clean"),
  flags: { "run-id": RUN_FLAGS["run-id"], "logs": RUN_FLAGS["logs"] },
  notes: ["Refused while a role of that run is alive on this node (deno task stop)."],
});
