/** Flags of units. */

import { command, text, toggle } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";

/** `deno task units`. */
export const UNITS = command({
  ...commandNamed("units"),
  flags: {
    "out": text("Folder to write them to; else they are printed.", { placeholder: "DIR" }),
    "dir": text(
      "Folder of the executables on the machines; root's, so that no role changes them.",
      {
        fallback: "/opt/tracekit",
        placeholder: "DIR",
      },
    ),
    "user": text("User that the roles run as.", { fallback: "tracekit", placeholder: "NAME" }),
    "tls": toggle("Redis speaks TLS."),
    "privileged-adapter": toggle(
      "The worker starts its adapter by sudo, so that it limits CPUs with cgroup v1, too.",
    ),
  },
  notes: [
    "/etc/tracekit has run_id.env, ROLE.env, ROLE.password and ca.crt of controller start; logs go to",
    "/var/lib/tracekit. With --privileged-adapter, and nothing wider, in /etc/sudoers.d/tracekit:",
    '  tracekit ALL=(root) NOPASSWD: /opt/tracekit/tracekit-adapter ""',
  ],
});
