/**
 * `deno task readme`: the reference of all commands and flags in README.md, made from the tables that
 * the commands themselves read.
 */

import config from "../deno.json" with { type: "json" };
import { writeFileAtomic } from "../trace/atomic_file.ts";
import type { Command, Flag, Parsed } from "./command/flag_table.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { README } from "./flags/readme.ts";

const PATH = new URL("../README.md", import.meta.url).pathname;

/** What stands around the generated part of the README. */
const BEGIN = "<!-- made by deno task readme: begin -->";
const END = "<!-- made by deno task readme: end -->";

/** Every command that a table under `tasks/flags/` declares, in the order of their names. */
export async function allCommands(): Promise<Command[]> {
  const commands: Command[] = [];
  const folder = new URL("flags/", import.meta.url);
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".ts")) continue;
    const exported: Record<string, unknown> = await import(new URL(name, folder).href);
    commands.push(...Object.values(exported).filter(isCommand));
  }
  return commands.sort((a, b) => a.name < b.name ? -1 : 1);
}

function isCommand(value: unknown): value is Command {
  return typeof value === "object" && value !== null && "flags" in value && "summary" in value;
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
    `<details><summary><code>${name}</code>: ${command.summary}</summary>`,
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
  // Programs that other commands start (adapter, collector) are not for people.
  const commands = (await allCommands()).filter(({ name }) => name in config.tasks);
  const readme = withReference(await Deno.readTextFile(PATH), commands);
  await writeFileAtomic(PATH, readme);
  // The formatter aligns the tables.
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", PATH] }).output();
  io.say(`README.md: ${commands.length} commands`);
  return 0;
}

if (import.meta.main) await runMain(README, main);
