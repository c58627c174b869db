/**
 * Start a command, and one that is not privileged with the permissions that its flags need and no more.
 *
 * Host of Redis, folders and adapter are known only at start, and a grant cannot be narrowed later. So
 * this small program, which imports nothing of a third party, reads the flags with every permission,
 * writes down the role's identity and replaces itself by the role under the narrow grant; pid, signals
 * and terminal stay. A command without third-party code that ends soon runs in this process instead,
 * less the kinds of permission that it does not need. A password moves from the arguments, which everybody can read, to the environment.
 */

import { toFileUrl } from "@std/path";
import { quote } from "../../trace/schema.ts";
import { type CommandEntry, COMMANDS, findCommand, programOf } from "../commands.ts";
import { listOfCommands } from "./help.ts";
import type { Command, Flags } from "./flag_table.ts";
import {
  asksForHelp,
  enterCallersFolder,
  type Main,
  printHelp,
  readSources,
  runMain,
  tell,
  versionLine,
} from "./main.ts";
import { PROGRAM_ARGUMENTS, programFile } from "./own_program.ts";
import { parseCommand } from "./parse.ts";
import { dieWithParent, registerRole, replaceProcess } from "./process.ts";
import { type Grant, grantArguments, type Role, withSources } from "./role.ts";
import { PASSWORD_ADVICE, redactArguments } from "./secrets.ts";
import { findUserPrograms } from "./user_programs.ts";
import { asUsage, UsageError } from "./usage_error.ts";

/** What a launcher knows of a command. */
export interface Declared {
  /** Its flags. */
  readonly command: Command;
  /** Its grant; null for a command that runs with every permission. */
  readonly role: Role | null;
}

/** Start the command that the first argument names, as `load` declares it; ends this process. */
export async function launch(
  args: readonly string[],
  load: (entry: CommandEntry) => Promise<Declared>,
): Promise<never> {
  const [name = "", ...rest] = args;
  try {
    if (!name.startsWith("-") && name !== "") return await start(await load(entryOf(name)), rest);
    if (name === "") throw new UsageError(`a command is required; --help lists them`);
    if (!asksForHelp([name])) throw new UsageError(`a command is required before ${name}`);
    console.log(name === "--version" ? versionLine() : listOfCommands());
    Deno.exit(0);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (findCommand(name) !== undefined) Deno.exit(tell(name, error));
    console.error(`tracekit: ${error.message}`);
    Deno.exit(2);
  }
}

function entryOf(name: string): CommandEntry {
  const entry = findCommand(name);
  if (entry !== undefined) return entry;
  const near = COMMANDS.find((one) => one.name.startsWith(name) || name.startsWith(one.name));
  const hint = near === undefined ? "--help lists them" : `did you mean ${near.name}?`;
  throw new UsageError(`unknown command ${quote(name)}, ${hint}`);
}

async function start({ command, role }: Declared, args: readonly string[]): Promise<never> {
  if (asksForHelp(args)) {
    printHelp(command, args);
    Deno.exit(0);
  }
  enterCallersFolder();
  if (role === null) return await runMain(command, await mainOf(command), { args });
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
  findUserPrograms();
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

async function mainOf(command: Command): Promise<Main<Flags>> {
  const { main } = await import(toFileUrl(programFile(programOf(command))).href);
  return main;
}

async function runInPlace(command: Command, { grant, args }: Start): Promise<never> {
  const main = await mainOf(command);
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
