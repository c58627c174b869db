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
      "compile: deno compile; portable: unpacks itself; auto: the first that works here.",
      {
        choices: ["auto", "compile", "portable"],
        fallback: "auto",
      },
    ),
    "target": text("Processor of the machines; else this machine's.", {
      choices: PROCESSORS,
    }),
    "deno": text(
      "Deno for the portable form; else this one, or npm's of the same version for another --target.",
      { placeholder: "FILE" },
    ),
    "out": text("Folder of the executables.", { fallback: "dist", placeholder: "DIR" }),
  },
  notes: [
    "Roles: controller, dispatcher, scheduler, worker, adapter, collector, exporter; else all.",
    "auto: where deno compile cannot fetch its base runtime, and DENORT_BIN names none, the portable",
    "form is made under the same names, and it says so.",
    "portable: holds Deno and unpacks itself once, into a folder where programs may be run; set",
    "TRACEKIT_CACHE_DIR to choose it. Roles start under a grant computed from their flags. The same",
    "commit gives the same files, byte for byte.",
    "compile: permissions are baked in, and hosts and folders are not known then:",
    "  dispatcher, scheduler  net, read, write, sys=hostname, run=cat (their own /proc entry, then no more)",
    "  worker                 net, read, write, sys=hostname,uid,gid, run (the adapter, wherever it is)",
    "  exporter               read, write; and each the variables that its flags name",
    "  controller, adapter, collector  everything",
    "A password inside --redis stays visible in ps there: use REDIS_PASSWORD or a file.",
    "The compiled form has not been tried by us: denort was not available. The portable form for aarch64 was tried",
    "under qemu-user only, a batch from dispatch to verify-opendc; the adapter starts processes there by a",
    "shell, less exactly, and says so.",
  ],
});
