/**
 * Start a role with the permissions that its flags need and no more.
 *
 * Host of Redis, folders and adapter are known only at start, and a grant cannot be narrowed later. So
 * this small program, which imports nothing of a third party, reads the flags with every permission,
 * writes down the role's identity and replaces itself by the role under the narrow grant; pid, signals
 * and terminal stay. A command without third-party code that ends soon runs in this process instead,
 * less the kinds of permission that it does not need. A password moves from the arguments, which everybody can read, to the environment.
 */

import { toFileUrl } from "@std/path";
import { findCommand, programOf } from "../commands.ts";
import type { Command, Flags } from "./flag_table.ts";
import {
  asksForHelp,
  enterCallersFolder,
  type Main,
  printHelp,
  readSources,
  runMain,
  tell,
} from "./main.ts";
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
  const { command } = role;
  if (asksForHelp(args)) {
    printHelp(command, args);
    Deno.exit(0);
  }
  const { args: publicArgs, password } = asUsage(() => redactArguments(args));
  if (password !== null) {
    console.error(`${command.name}: ${PASSWORD_ADVICE}`);
    Deno.env.set("REDIS_PASSWORD", password);
  }
  const { options, operands } = parseCommand(command, args, readSources(command.flags));
  const grant = withSources(asUsage(() => role.grant(options as never, operands)), command.flags);
  const place = role.registersIn?.(options as never) ?? null;
  if (place !== null) await registerRole(place, command.name);
  // The arguments of this process cannot be changed: only another program is without the password.
  const isInPlace = findCommand(command.name)?.isInPlace === true && password === null;
  if (isInPlace) return await runInPlace(command, { grant, args });
  return replaceByRole(command, { grant, args: publicArgs });
}

interface Start {
  readonly grant: Grant;
  readonly args: readonly string[];
}

function replaceByRole(command: Command, { grant, args }: Start): never {
  if (Deno.env.get("TRACEKIT_DIE_WITH_PARENT") === "1") dieWithParent();
  replaceProcess(Deno.execPath(), [
    ...PROGRAM_ARGUMENTS,
    "--no-prompt",
    ...grantArguments(grant),
    programFile(programOf(command)),
    ...args,
  ]);
}

/** Every kind of permission. */
const KINDS: readonly Deno.PermissionName[] = [
  "read",
  "write",
  "net",
  "env",
  "sys",
  "run",
  "ffi",
];

async function runInPlace(command: Command, { grant, args }: Start): Promise<never> {
  const program = toFileUrl(programFile(programOf(command))).href;
  const { main }: { readonly main: Main<Flags> } = await import(program);
  for (const name of kindsWithout(grant)) {
    Deno.permissions.revokeSync({ name } as Deno.PermissionDescriptor);
  }
  return await runMain(command, main, { args });
}

/** The kinds of permission of which `grant` has nothing. */
export function kindsWithout(grant: Grant): readonly Deno.PermissionName[] {
  const granted = Object.entries(grant)
    .filter(([, names]: [string, readonly string[] | true]) => names === true || names.length > 0);
  return KINDS.filter((kind) => !granted.some(([name]) => name === kind));
}
