/** Flags of the central scheduler. */

import { command, integer, type OptionsOf, text } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";
import { DURABILITY_FLAGS, REDIS_FLAGS, redisGrant } from "./groups/redis.ts";
import { placeOf, RUN_FLAGS, runDirOf, type RunOptions } from "./groups/run.ts";
import { WEIGHER_FLAGS } from "./groups/weigher.ts";
import { role, type RolePlace } from "../command/role.ts";

/** Places pending tasks on nodes. */
export const SCHEDULER = command({
  ...commandNamed("scheduler"),
  flags: {
    ...WEIGHER_FLAGS,
    "pending": text("Redis list of pending tasks.", { fallback: "q:pending", placeholder: "KEY" }),
    "slots": text("Redis list of slot tokens.", {
      fallback: "slots:available",
      placeholder: "KEY",
    }),
    "scan-slots": integer("Consider only the rightmost N slot tokens; 0: all.", {
      fallback: 0,
      min: 0,
    }),
    "scan-pending": integer("Tasks to consider; 1: strict FIFO; more: backfill.", {
      fallback: 1,
      min: 1,
    }),
    "max-attempts": integer("Failures after which a task does not run again.", {
      fallback: 1,
      min: 1,
    }),
    "on-lost": text("What happens to tasks submitted to a node directly when it is lost.", {
      choices: ["keep", "pending"],
      fallback: "pending",
    }),
    ...RUN_FLAGS,
    ...REDIS_FLAGS,
    ...DURABILITY_FLAGS,
  },
  notes: [
    "--weigher instances:1,vcpu:-0.5: over the feasible nodes each weight is scaled to 0..1 and",
    "multiplied; the highest sum wins, the first by name among equals. instances counts tasks,",
    "vcpu the vCPUs in use; a multiplier below 0 prefers few.",
    "Ctrl-C: placed tasks continue, and another scheduler takes over at once.",
    "Writes placement_events.jsonl and results.jsonl into the run directory.",
  ],
});

/** Options of the central scheduler. */
export type SchedulerFlags = OptionsOf<typeof SCHEDULER.flags>;

/** Where a scheduler writes down that it runs: several may, one leads and the others stand by. */
export function schedulerPlace(options: RunOptions): RolePlace {
  return { ...placeOf(options), isOneOfMany: true };
}

/** The central scheduler as a role. */
export const SCHEDULER_ROLE = role({
  command: SCHEDULER,
  grant: (options) => {
    const redis = redisGrant(options);
    const { path } = runDirOf(options);
    return {
      ...redis,
      read: [...redis.read, Deno.cwd(), path],
      write: [path],
      sys: ["hostname"],
    };
  },
  registersIn: schedulerPlace,
});
