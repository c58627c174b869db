/** Flags of the adapter, which its worker starts, and of `adapt`, which traces one command. */

import { command } from "../_command.ts";

/** The adapter takes everything from its worker. */
export const ADAPTER = command({
  name: "adapter",
  summary: "Start tasks for a worker and account for them: JSON Lines over stdin and stdout.",
  flags: {},
  notes: [
    "A worker starts it by itself (--adapter-command); it ends with its stdin.",
  ],
});
