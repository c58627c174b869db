/** Flags of deploy. */

import { command, integer, text, toggle } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";
import { RUN_FLAGS } from "./groups/run.ts";

/** `deno task deploy`. */
export const DEPLOY = command({
  ...commandNamed("deploy"),
  operands: "up|down|status|logs|fetch",
  flags: {
    "hosts": text("File of hosts.", { fallback: "hosts.conf", placeholder: "FILE" }),
    "run-id": RUN_FLAGS["run-id"],
    "logs": RUN_FLAGS.logs,
    "dist": text("Folder of the executables, made by deno task compile.", {
      fallback: "dist",
      placeholder: "DIR",
    }),
    "remote-dir": text("Folder on the hosts, below the home.", {
      fallback: "tracekit",
      placeholder: "DIR",
    }),
    "port": integer("Port of Redis.", { fallback: 6379, min: 1 }),
    "tls": toggle("Have Redis speak TLS only."),
    "ssh-config": text("Configuration for ssh and scp, instead of your own.", {
      placeholder: "FILE",
    }),
  },
  notes: [
    "FILE has a line for each host: [user@]host[:port] controller|worker [NAME=value…] [--flag…]",
    "  ubuntu@10.0.0.5   controller",
    "  ubuntu@10.0.0.11  worker NODE_ID=cloud1 --capacity-units 4",
    "The controller runs Redis and the scheduler; it listens where ssh reaches it, or at ADDRESS=… of its",
    "line, where all workers must reach it.",
    "up copies what changed, and starts what does not run. Then dispatch on the controller, down, fetch:",
    "fetch puts the records of all nodes together under logs/RUN_ID/NODE_ID/, and continues where it was.",
  ],
});
