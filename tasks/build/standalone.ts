/**
 * What a compiled executable begins with. The permissions of its role are baked into it, so that it
 * neither computes a grant nor replaces itself: it finds the command that is meant, and registers a role.
 */

import { asUsage } from "../command/usage_error.ts";
import type { Command, Flags } from "../command/flag_table.ts";
import { parseCommand } from "../command/parse.ts";
import { asksForHelp, type Main, readSources, runMain, tell } from "../command/main.ts";
import { registerRole } from "../command/process.ts";
import { PASSWORD_ADVICE, redactArguments } from "../command/secrets.ts";
import type { Role } from "../command/role.ts";

/** Begins a command with these arguments; ends the process. */
export type Start = (args: readonly string[]) => Promise<never>;

/** A command that has nothing to do before it begins. */
export function plain<F extends Flags>(command: Command<F>, main: Main<F>): Start {
  return (args) => runMain(command, main, { args });
}

/** A role: its flags are checked and its identity is written down before it begins. */
export function role<F extends Flags>(declared: Role, main: Main<F>): Start {
  const command: Command<F> = declared.command;
  return async (args) => {
    try {
      const { password } = asUsage(() => redactArguments(args));
      // Nothing takes it out of this process's own arguments: it does not replace itself.
      if (password !== null) console.error(`${command.name}: ${PASSWORD_ADVICE}`);
      if (!asksForHelp(args)) await register(declared, args);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      Deno.exit(tell(command.name, error));
    }
    return await runMain(command, main, { args });
  };
}

async function register(
  { command, grant, registersIn }: Role,
  args: readonly string[],
): Promise<void> {
  const { options, operands } = parseCommand(command, args, readSources(command.flags));
  // What is baked in is wider than this grant; but it tells what is wrong with the flags.
  const { run } = asUsage(() => grant(options as never, operands));
  const place = registersIn?.(options as never) ?? null;
  if (place !== null) await registerRole(place, command.name);
  // Registering reads the start time by `cat`; the role itself starts nothing.
  if (run === undefined) Deno.permissions.revokeSync({ name: "run" });
}

/** Run the command that the first argument names; the first one of `commands` when it names none. */
export async function runExecutable(commands: Readonly<Record<string, Start>>): Promise<never> {
  const [name = "", ...rest] = Deno.args;
  const named = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (named !== undefined) return await named(rest);
  const [first] = Object.values(commands);
  if (first === undefined) throw new TypeError("Cannot run an executable without commands");
  return await first(Deno.args);
}
