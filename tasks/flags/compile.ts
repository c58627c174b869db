/** Flags of compile. */

import { command, text } from "../_command.ts";

/** `deno task compile`. */
export const COMPILE = command({
  name: "compile",
  summary: "Make one standalone executable per role, to be copied to machines without Deno.",
  operands: "[ROLE…]",
  flags: {
    "out": text("Folder of the executables.", { fallback: "dist", placeholder: "DIR" }),
  },
  notes: [
    "Roles: dispatcher, scheduler, worker, adapter, collector, exporter; all when none is named.",
    "An executable holds Deno and unpacks itself once, into a folder where programs may be run;",
    "set TRACEKIT_CACHE_DIR to choose it. The same commit gives the same files, byte for byte.",
  ],
});
