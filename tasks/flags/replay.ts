/** The command that places a recorded run again. */

import { resolve } from "@std/path";
import { command } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";
import { role } from "../command/role.ts";

/** Places a recorded run again. */
export const REPLAY = command({
  ...commandNamed("replay"),
  flags: {},
  operands: "placement_events.jsonl",
  notes: ["Exit code 0: all decisions are equal; 1: one differs, or a line is not a record."],
});

/** Replay as a role. */
export const REPLAY_ROLE = role({
  command: REPLAY,
  grant: (_options, operands) => ({ read: operands.map((path) => resolve(path)) }),
});
