/** Flags of the commands that can follow a container. */

import { text } from "../../command/flag_table.ts";

/** Which container, and whom to ask for its id. */
export const CONTAINER_FLAGS = {
  "container": text("Follow this container: a name, or the first 12 digits of its id or more.", {
    placeholder: "NAME|ID",
  }),
  "engine-socket": text(
    "Socket of a container engine, to ask which id a name has; else the usual places.",
    { env: "DOCKER_HOST", placeholder: "PATH" },
  ),
} as const;
