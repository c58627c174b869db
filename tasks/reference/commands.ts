/** `docs/reference/commands.md`: every command with its flags. */

import type { Command, Flag } from "../command/flag_table.ts";
import { loadCommand } from "../command/load.ts";
import { type CommandEntry, COMMANDS } from "../commands.ts";
import { code, type Page, page, table } from "./page.ts";

/** The commands of the reference, by name; programs that only other commands start are left out. */
export async function referenceCommands(): Promise<Command[]> {
  const entries = COMMANDS.filter(({ isTask = true }: CommandEntry) => isTask);
  const commands = await Promise.all(entries.map(loadCommand));
  return commands.sort((a, b) => a.name < b.name ? -1 : 1);
}

const INTRODUCTION =
  `Call a command as \`deno task NAME\`, with \`--help\` for the same text as here.
A flag that has a variable can also be given as \`NAME=value\` after the command, in the environment or
in \`run_id.env\`; the order of precedence is flag, \`NAME=value\`, environment, \`run_id.env\`, default.
Switches take \`--name\` and \`--no-name\`; their variables take 1 and 0. Results go to stdout, log
messages to stderr. Exit codes: [exit-codes.md](exit-codes.md).`;

/** The page. */
export function commandsPage(commands: readonly Command[]): Page {
  const list = table(
    ["command", "what it does"],
    commands.map(({ name, description }) => [`[\`${name}\`](#${name})`, description]),
  );
  return page("commands.md", "Commands and flags", INTRODUCTION, list, ...commands.map(section));
}

function section(command: Command): string {
  const operands = command.operands === null ? "" : ` ${command.operands}`;
  const flags = Object.entries(command.flags);
  const rows = flags.map(([name, flag]) => row(name, flag));
  return [
    `## ${command.name}`,
    command.description,
    `\`\`\`text\ndeno task ${command.name}${flags.length > 0 ? " [flags]" : ""}${operands}\n\`\`\``,
    ...(rows.length === 0 ? [] : [table(["flag", "variable", "default", "meaning"], rows)]),
    ...(command.notes.length === 0 ? [] : [`\`\`\`text\n${command.notes.join("\n")}\n\`\`\``]),
  ].join("\n\n");
}

function row(name: string, flag: Flag): string[] {
  const value = flag.kind === "boolean" ? "" : ` ${flag.placeholder}`;
  return [code(`--${name}${value}`), code(flag.env ?? ""), defaultOf(flag), flag.help];
}

function defaultOf({ kind, fallback }: Flag): string {
  if (fallback === null) return "";
  if (kind === "boolean") return fallback === true ? "on" : "";
  return fallback === "" ? "empty" : `\`${fallback}\``;
}
