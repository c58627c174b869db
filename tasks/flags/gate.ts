/** Flags of gate, and the permissions that they need. */

import { command, number, toggle } from "../command/flag_table.ts";
import { role } from "../command/role.ts";
import { commandNamed } from "../commands.ts";
import { readGrant, SAVED_RUN_FLAGS } from "./groups/saved_runs.ts";

function limit(what: string): ReturnType<typeof number> {
  return number(`Largest increase of ${what} that passes, percent.`, { placeholder: "PERCENT" });
}

/** `deno task gate`. */
export const GATE = command({
  ...commandNamed("gate"),
  flags: {
    "max-makespan-percent": limit("the makespan"),
    "max-wait-p50-percent": limit("the median wait"),
    "max-wait-p95-percent": limit("the 95th percentile of the waits"),
    "max-run-p50-percent": limit("the median run time"),
    "max-run-p95-percent": limit("the 95th percentile of the run times"),
    "max-slowdown-p50-percent": limit("the median slowdown"),
    "max-cpu-p50-percent": limit("the median CPU time of a task"),
    "logs": SAVED_RUN_FLAGS.logs,
    "json": toggle("Print JSON instead of text."),
  },
  operands: "BASELINE[,REPEAT…] RUN[,REPEAT…]",
  notes: [
    "Exit 1 where the whole 95 % interval of an increase is above its limit. The interval is over",
    "the repeats where both sides have two or more, else over tasks; a makespan without repeats has",
    "none, and is judged as it is.",
  ],
});

/** Gate as a role: it reads runs. */
export const GATE_ROLE = role({
  command: GATE,
  grant: (options, operands) =>
    readGrant({ ...options, "run-id": null }, operands.flatMap((one) => one.split(","))),
});
