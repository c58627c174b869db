/**
 * Start a role with the permissions that its flags need and no more.
 *
 * Host of Redis, folders and adapter are known only at start, and a grant cannot be narrowed later. So
 * this small program, which imports nothing of a third party, reads the flags with every permission,
 * writes down the role's identity and replaces itself by the role under the narrow grant; pid, signals
 * and terminal stay. A password moves from the arguments, which everybody can read, to the environment.
 */

import { programOf } from "../commands.ts";
import { asksForHelp, enterCallersFolder, readSources, tell } from "./main.ts";
import { PROGRAM_ARGUMENTS, programFile } from "./own_program.ts";
import { parseCommand } from "./parse.ts";
import { dieWithParent, registerRole, replaceProcess } from "./process.ts";
import { type Grant, grantArguments, type Role, withSources } from "./role.ts";
import { PASSWORD_ADVICE, redactArguments } from "./secrets.ts";
import { asUsage, UsageError } from "./usage_error.ts";

/**
 * Start the role that the first argument names, as `find` declares it; this process becomes the role.
 * `find` throws a UsageError for a name that is not a role.
 */
export async function launch(
  [name = "", ...args]: readonly string[],
  find: (name: string) => Role | Promise<Role>,
): Promise<never> {
  try {
    enterCallersFolder();
    return await startRole(await find(name), args);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    Deno.exit(tell(name || "run", error));
  }
}

/** {@linkcode launch} one of `roles`: the launcher of an executable, which holds no others. */
export function launchOneOf(args: readonly string[], roles: readonly Role[]): Promise<never> {
  return launch(args, (name) => {
    const role = roles.find(({ command }) => command.name === name);
    if (role !== undefined) return role;
    const names = roles.map(({ command }) => command.name).join(", ");
    throw new UsageError(`a role is required: ${names}`);
  });
}

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
    programFile(programOf(role.command)),
    ...publicArgs,
  ]);
}
