/** Flags of deploy. */

import { command, integer, text, toggle } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";
import { RUN_FLAGS } from "./groups/run.ts";

/** `deno task deploy`. */
export const DEPLOY = command({
  ...commandNamed("deploy"),
  operands: "up|down|status|logs|fetch",
  flags: {
    "hosts": text("File with the hosts.", { fallback: "hosts.conf", placeholder: "FILE" }),
    "run-id": RUN_FLAGS["run-id"],
    "logs": RUN_FLAGS.logs,
    "dist": text("Folder of the executables, made by deno task compile.", {
      fallback: "dist",
      placeholder: "DIR",
    }),
    "remote-dir": text("Folder on the hosts, relative to the home.", {
      fallback: "tracekit",
      placeholder: "DIR",
    }),
    "port": integer("Port of Redis.", { fallback: 6379, min: 1 }),
    "tls": toggle("Make Redis accept TLS only."),
    "ssh-config": text("Configuration for ssh and scp, instead of your own.", {
      placeholder: "FILE",
    }),
  },
  notes: [
    "FILE has one line per host: [user@]host[:port] controller|worker [NAME=value…] [--flag…]",
    "  ubuntu@10.0.0.5   controller",
    "  ubuntu@10.0.0.11  worker NODE_ID=cloud1 --capacity-units 4",
    "The controller runs Redis and the scheduler. Redis listens on the address that ssh uses, or on",
    "ADDRESS=… in its line; all workers must be able to reach it.",
    "up copies what changed and starts what is not running. Then dispatch on the controller; down; fetch.",
    "fetch copies the records of all nodes to logs/RUN_ID/NODE_ID/ and resumes an interrupted fetch.",
  ],
});
