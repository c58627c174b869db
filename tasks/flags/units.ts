/** Flags of units. */

import { command, text, toggle } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";

/** `deno task units`. */
export const UNITS = command({
  ...commandNamed("units"),
  flags: {
    "out": text("Folder to write to; default: print them.", { placeholder: "DIR" }),
    "dir": text(
      "Folder of the executables on the machines, owned by root.",
      {
        fallback: "/opt/tracekit",
        placeholder: "DIR",
      },
    ),
    "user": text("User of the roles.", { fallback: "tracekit", placeholder: "NAME" }),
    "tls": toggle("Redis uses TLS."),
    "privileged-adapter": toggle(
      "Start the adapter with sudo, which CPU limits with cgroup v1 need.",
    ),
  },
  notes: [
    "/etc/tracekit must have run_id.env, ROLE.env, ROLE.password and ca.crt of controller start; logs",
    "are in /var/lib/tracekit. --privileged-adapter needs this line in /etc/sudoers.d/tracekit, no more:",
    '  tracekit ALL=(root) NOPASSWD: /opt/tracekit/tracekit-adapter ""',
  ],
});
