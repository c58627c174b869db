/** Flags of the controller. */

import { command, integer, text, toggle } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";
import { REDIS_FLAGS } from "./groups/redis.ts";

/** `deno task controller`. */
export const CONTROLLER = command({
  ...commandNamed("controller"),
  operands: "start|stop|check",
  flags: {
    "dir": text("Folder for configuration, secrets and data.", {
      fallback: "controller",
      placeholder: "DIR",
    }),
    "bind": text("Addresses to listen on.", {
      fallback: "127.0.0.1",
      placeholder: "ADDRESS,…",
    }),
    "port": integer("Port.", { fallback: 6379, min: 1 }),
    "max-clients": integer(
      "Maximum number of connections, two per worker; also limited by open files.",
      // 10,000 workers, and a hundred for the roles and people beside them.
      { fallback: 20_100, min: 10 },
    ),
    "slots-keys": text("Names given to --slots-key of workers and --slots of the scheduler.", {
      fallback: "",
      placeholder: "KEY,…",
      isEmptyGiven: true,
    }),
    "tls": toggle("Accept TLS only, with a certificate authority made for this controller."),
    ...REDIS_FLAGS,
  },
  notes: [
    "start creates what is missing in DIR and starts redis-server in the background, unless it runs.",
    "For each role there is DIR/ROLE.env (REDIS_URL, and with TLS REDIS_TLS_CA) and DIR/ROLE.password,",
    "readable by you alone: copy both, and with TLS also ca.crt, to the machine of the role.",
    "DIR/admin.password is the default user's, who may do everything: redis-cli -a.",
    "check asks the server of --redis, with the administrator's password, what others may do there.",
  ],
});
