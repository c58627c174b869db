/**
 * `deno task readme`: the reference of all commands and flags in README.md, made from the tables that
 * the commands themselves read.
 */

import { type CommandEntry, COMMANDS } from "./commands.ts";
import { writeFileAtomic } from "../trace/atomic_file.ts";
import type { Command, Flag } from "./command/flag_table.ts";
import type { Parsed } from "./command/parse.ts";
import { loadCommand } from "./command/load.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { README } from "./flags/readme.ts";

const PATH = new URL("../README.md", import.meta.url).pathname;

/** What stands around the generated part of the README. */
const BEGIN = "<!-- made by deno task readme: begin -->";
const END = "<!-- made by deno task readme: end -->";

/** The commands of the reference, by name; programs that only other commands start are left out. */
export async function referenceCommands(): Promise<Command[]> {
  const entries = COMMANDS.filter(({ isTask = true }: CommandEntry) => isTask);
  const commands = await Promise.all(entries.map(loadCommand));
  return commands.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** `readme` with the reference of `commands` in its place. */
export function withReference(readme: string, commands: readonly Command[]): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) {
    throw new CommandError(`README.md has no place for the reference: ${BEGIN} … ${END}`);
  }
  const reference = commands.map(section).join("\n");
  return `${readme.slice(0, begin)}${BEGIN}\n\n${reference}\n${readme.slice(end)}`;
}

/** One command, folded: a reader opens the one that is looked for. */
function section(command: Command): string {
  const operands = command.operands === null ? "" : ` ${command.operands}`;
  const name = `${command.name}${operands}`.replaceAll("<", "&lt;");
  const flags = Object.entries(command.flags);
  return [
    `<details><summary><code>${name}</code>: ${command.description}</summary>`,
    "",
    ...(flags.length === 0 ? [] : [
      "| flag | variable | default | meaning |",
      "| --- | --- | --- | --- |",
      ...flags.map(([name, flag]) => row(name, flag)),
      "",
    ]),
    ...(command.notes.length === 0 ? [] : ["```text", ...command.notes, "```", ""]),
    "</details>",
    "",
  ].join("\n");
}

function row(name: string, flag: Flag): string {
  const value = flag.kind === "boolean" ? "" : ` ${flag.placeholder}`;
  const variable = flag.env === null ? "" : `\`${flag.env}\``;
  const cells = [`\`--${name}${value}\``, variable, defaultOf(flag), flag.help];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function defaultOf({ kind, fallback }: Flag): string {
  if (fallback === null) return "";
  if (kind === "boolean") return fallback === true ? "on" : "";
  return fallback === "" ? "empty" : `\`${fallback}\``;
}

/** Write the reference into README.md. */
export async function main(_parsed: Parsed<typeof README.flags>, io: Io): Promise<number> {
  const commands = await referenceCommands();
  const readme = withReference(await Deno.readTextFile(PATH), commands);
  await writeFileAtomic(PATH, readme);
  // The formatter aligns the tables.
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", PATH] }).output();
  io.say(`README.md: ${commands.length} commands`);
  return 0;
}

if (import.meta.main) await runMain(README, main);
