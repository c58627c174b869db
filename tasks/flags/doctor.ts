/** Flags of `doctor`. */

import { command, toggle } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";
import { REDIS_FLAGS } from "./groups/redis.ts";

/** Says what this machine offers. */
export const DOCTOR = command({
  ...commandNamed("doctor"),
  flags: {
    "redis": REDIS_FLAGS["redis"],
    "redis-password-file": REDIS_FLAGS["redis-password-file"],
    "tls-ca": REDIS_FLAGS["tls-ca"],
    "json": toggle("Print the findings as JSON."),
  },
  notes: [
    "Exit code 0 if this machine can be a node, 1 if something required is missing.",
  ],
});
