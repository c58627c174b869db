/**
 * Start a role with the permissions that its flags need and no more: `run.ts ROLE [flags]`.
 *
 * Host of Redis, folders and adapter are known only at start, and a grant cannot be narrowed later. So
 * this small program, which imports nothing of a third party, reads the flags with every permission,
 * writes down the role's identity and replaces itself by the role under the narrow grant; pid, signals
 * and terminal stay. A password moves from the arguments, which everybody can read, to the environment.
 */

import { basename } from "@std/path";
import { asUsage, parseCommand, UsageError } from "./flag_table.ts";
import { asksForHelp, enterCallersFolder, readSources, tell } from "./main.ts";
import { dieWithParent, registerRole, replaceProcess } from "./process.ts";
import { PROGRAM_ARGUMENTS, programFile } from "./own_program.ts";
import { PASSWORD_ADVICE, redactArguments } from "./secrets.ts";
import { type Grant, grantArguments, type Role, withSources } from "./role.ts";
import { ROLES } from "../flags/roles.ts";

async function startRole(role: Role, args: readonly string[]): Promise<never> {
  const { args: publicArgs, password } = asUsage(() => redactArguments(args));
  if (password !== null) {
    console.error(`${role.command.name}: ${PASSWORD_ADVICE}`);
    Deno.env.set("REDIS_PASSWORD", password);
  }
  let grant: Grant = {};
  if (!asksForHelp(args)) {
    const { options, operands } = parseCommand(role.command, args, readSources(role.command.flags));
    grant = asUsage(() => role.grant(options as never, operands));
    const place = role.registersIn?.(options as never) ?? null;
    if (place !== null) await registerRole(place, role.command.name);
  }
  if (Deno.env.get("TRACEKIT_DIE_WITH_PARENT") === "1") dieWithParent();
  const permissions = grantArguments(withSources(grant, role.command.flags));
  replaceProcess(Deno.execPath(), [
    ...PROGRAM_ARGUMENTS,
    "--no-prompt",
    ...permissions,
    programFile(basename(role.entry, ".ts")),
    ...publicArgs,
  ]);
}

if (import.meta.main) {
  const [name = "", ...args] = Deno.args;
  try {
    enterCallersFolder();
    const role = ROLES.find(({ command }) => command.name === name);
    if (role === undefined) {
      const names = ROLES.map(({ command }) => command.name).join(", ");
      throw new UsageError(`a role is required: ${names}`);
    }
    await startRole(role, args);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    Deno.exit(tell(name || "run", error));
  }
}
