/** Flags of `deno task ok`. */

import { command } from "../command/flag_table.ts";

/** `deno task ok`. */
export const OK = command({
  name: "ok",
  summary: "Check everything that must hold before a commit: format, lint, types, docs, tests.",
  flags: {},
  operands: "[STEP…]",
  notes: ["Steps: fmt, lint, check, docs, test; all when none is named."],
});
