/**
 * Start a role with the permissions that its flags need and no more: `run.ts ROLE [flags]`.
 *
 * Host of Redis, folders and adapter are known only at start, and a grant cannot be narrowed later. So
 * this small program, which imports nothing of a third party, reads the flags with every permission,
 * writes down the role's identity and replaces itself by the role under the narrow grant; pid, signals
 * and terminal stay.
 */

import { fromFileUrl } from "@std/path";
import { parseCommand, UsageError } from "./_command.ts";
import { CommandError, readSources } from "./_main.ts";
import { dieWithParent, registerRole, replaceProcess } from "./_process.ts";
import { grantArguments, type Role, withSources } from "./flags/_role.ts";
import { ROLES } from "./flags/roles.ts";

async function startRole(role: Role, args: readonly string[]): Promise<never> {
  const isHelp = args.includes("--help") || args.includes("--version");
  const parsed = isHelp ? null : parseCommand(role.command, args, readSources(role.command.flags));
  const own = parsed === null ? {} : role.grant(parsed.options as never, parsed.operands);
  const grant = withSources(own, role.command.flags);
  const place = parsed === null ? null : role.registersIn?.(parsed.options as never) ?? null;
  if (place !== null) await registerRole(place, role.command.name);
  if (Deno.env.get("TRACEKIT_DIE_WITH_PARENT") === "1") dieWithParent();
  const entry = fromFileUrl(new URL(role.entry, import.meta.url));
  replaceProcess(Deno.execPath(), ["run", "-q", ...grantArguments(grant), entry, ...args]);
}

if (import.meta.main) {
  const [name = "", ...args] = Deno.args;
  const role = ROLES.find(({ command }) => command.name === name);
  if (role === undefined) {
    console.error(
      `run: a role is required: ${ROLES.map(({ command }) => command.name).join(", ")}`,
    );
    Deno.exit(2);
  }
  try {
    await startRole(role, args);
  } catch (error) {
    if (
      !(error instanceof UsageError || error instanceof RangeError || error instanceof CommandError)
    ) {
      throw error;
    }
    console.error(`${name}: ${error.message} (deno task ${name} --help)`);
    Deno.exit(2);
  }
}
