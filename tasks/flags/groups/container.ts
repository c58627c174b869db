/** Flags of the commands that can follow a container. */

import { text } from "../../command/flag_table.ts";

/** Which container, and whom to ask for its id. */
export const CONTAINER_FLAGS = {
  "container": text("Follow this container: name, or at least the first 12 digits of its id.", {
    placeholder: "NAME|ID",
  }),
  "engine-socket": text(
    "Socket of the container engine, which knows names; default: the usual paths.",
    { env: "DOCKER_HOST", placeholder: "PATH" },
  ),
} as const;
