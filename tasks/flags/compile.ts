/** Flags of compile. */

import { command, text } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";
import { PROCESSORS } from "../build/deno_binary.ts";

/** `deno task compile`. */
export const COMPILE = command({
  ...commandNamed("compile"),
  operands: "[ROLE…]",
  flags: {
    "form": text(
      "compile: deno compile; portable: unpacks itself; auto: the first available.",
      {
        choices: ["auto", "compile", "portable"],
        fallback: "auto",
      },
    ),
    "target": text("Processor of the machines; default: this machine's.", {
      choices: PROCESSORS,
    }),
    "deno": text(
      "Deno for the portable form; default: this one, or npm's for another --target.",
      { placeholder: "FILE" },
    ),
    "out": text("Folder of the executables.", { fallback: "dist", placeholder: "DIR" }),
  },
  notes: [
    "Roles: controller, dispatcher, scheduler, worker, adapter, collector, exporter; default: all.",
    "auto: if deno compile cannot download its base runtime and DENORT_BIN names none, the portable",
    "form is made under the same names, with a message.",
    "portable: contains Deno and unpacks itself once into a folder that allows executables; set",
    "TRACEKIT_CACHE_DIR to choose it. Roles start under a grant computed from their flags. The same",
    "commit gives the same files, byte for byte.",
    "compile: permissions are fixed at build time, when hosts and folders are not known:",
    "  dispatcher, scheduler  net, read, write, sys=hostname, run=cat (for their own /proc entry)",
    "  worker                 net, read, write, sys=hostname,uid,gid, run (the adapter)",
    "  exporter               read, write",
    "  controller, adapter, collector  all permissions",
    "A password inside --redis is visible in ps there: use REDIS_PASSWORD or a file.",
    "Not tested: the compiled form (denort was not available). The portable form for aarch64 was tested",
    "under qemu-user only; there the adapter starts processes through a shell, with less exact totals,",
    "and records that.",
  ],
});
