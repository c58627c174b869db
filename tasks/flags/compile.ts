/** Flags of compile. */

import { command, text } from "../_command.ts";

/** `deno task compile`. */
export const COMPILE = command({
  name: "compile",
  summary: "Make one standalone executable per role, to be copied to machines without Deno.",
  operands: "[ROLE…]",
  flags: {
    "form": text(
      "compile: deno compile; portable: unpacks itself; auto: the first that can be had.",
      {
        choices: ["auto", "compile", "portable"],
        fallback: "auto",
      },
    ),
    "target": text("Processor of the machines, for --form compile; else this machine's.", {
      choices: ["x86_64", "aarch64"],
    }),
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
    "  dispatcher, scheduler  net, env, read, write, sys=hostname, run=cat (its own /proc entry)",
    "  worker                 net, env, read, write, sys=hostname,uid,gid, run (the adapter)",
    "  exporter               env, read, write",
    "  controller, adapter, collector  everything",
    "A password inside --redis stays visible in ps there: use REDIS_PASSWORD or a file.",
    "Executables for aarch64 have not been run by us; nor has the compiled form, for want of denort.",
  ],
});
