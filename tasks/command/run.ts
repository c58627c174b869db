/** The launcher of the commands that start under a grant: `run.ts COMMAND [flags]`. */

import { COMMANDS } from "../commands.ts";
import { launch } from "./launch.ts";
import { loadRole } from "./load.ts";
import type { Role } from "./role.ts";
import { UsageError } from "./usage_error.ts";

function find(name: string): Promise<Role> {
  const granted = COMMANDS.filter(({ privilege }) => privilege === "granted");
  const entry = granted.find((one) => one.name === name);
  if (entry !== undefined) return loadRole(entry);
  throw new UsageError(`a role is required: ${granted.map((one) => one.name).join(", ")}`);
}

if (import.meta.main) await launch(Deno.args, find);
