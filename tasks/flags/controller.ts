/** Flags of the controller. */

import { command, integer, text, toggle } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";
import { REDIS_FLAGS } from "./groups/redis.ts";

/** `deno task controller`. */
export const CONTROLLER = command({
  ...commandNamed("controller"),
  operands: "start|stop|check",
  flags: {
    "dir": text("Folder of its configuration, secrets and data.", {
      fallback: "controller",
      placeholder: "DIR",
    }),
    "bind": text("Addresses to listen on, and no others.", {
      fallback: "127.0.0.1",
      placeholder: "ADDRESS,…",
    }),
    "port": integer("Port.", { fallback: 6379, min: 1 }),
    "max-clients": integer(
      "Connections at most, two for each worker; fewer where open files are limited.",
      // 10,000 workers, and a hundred for the roles and people beside them.
      { fallback: 20_100, min: 10 },
    ),
    "tls": toggle("Speak TLS only, with an authority made for this controller."),
    ...REDIS_FLAGS,
  },
  notes: [
    "start makes what is missing in DIR and runs redis-server in the background, unless it runs already.",
    "For each role there is DIR/ROLE.env (REDIS_URL, and with TLS REDIS_TLS_CA) and DIR/ROLE.password,",
    "readable by you alone: copy both, and with TLS ca.crt, to where the role runs.",
    "DIR/admin.password is the default user's: redis-cli -a with it may do everything.",
    "check asks the server of --redis, with the administrator's password, what a stranger may do there.",
  ],
});
