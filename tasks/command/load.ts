/**
 * The declarations of commands, loaded when they are needed: a launcher that starts one command does not
 * read the flags of all others. In source only; a bundle has the declarations that its builder put in.
 */

import { type CommandEntry, exportOf, flagFileOf } from "../commands.ts";
import type { Command } from "./flag_table.ts";
import type { Role } from "./role.ts";

async function exportsOf(entry: CommandEntry): Promise<Record<string, unknown>> {
  return await import(new URL(`../flags/${flagFileOf(entry)}.ts`, import.meta.url).href);
}

function required<T>(entry: CommandEntry, { name, found }: { name: string; found: unknown }): T {
  if (found !== undefined) return found as T;
  throw new TypeError(
    `Cannot load the command ${entry.name}: tasks/flags/${
      flagFileOf(entry)
    }.ts must export ${name}`,
  );
}

/** What `entry` takes: its flags, operands and notes. */
export async function loadCommand(entry: CommandEntry): Promise<Command> {
  const name = exportOf(entry);
  return required(entry, { name, found: (await exportsOf(entry))[name] });
}

/** `entry` with the grant that it runs under; for a command that is not privileged. */
export async function loadRole(entry: CommandEntry): Promise<Role> {
  const name = `${exportOf(entry)}_ROLE`;
  return required(entry, { name, found: (await exportsOf(entry))[name] });
}

/** What a launcher needs of `entry`. */
export async function loadDeclared(
  entry: CommandEntry,
): Promise<{ readonly command: Command; readonly role: Role | null }> {
  if (entry.privilege === "all") return { command: await loadCommand(entry), role: null };
  const role = await loadRole(entry);
  return { command: role.command, role };
}
