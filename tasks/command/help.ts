/** The help of a command, made from its table of flags. */

import { quote } from "../../trace/schema.ts";
import { type CommandEntry, COMMANDS } from "../commands.ts";
import type { Command, Flag } from "./flag_table.ts";
import { invocationOf } from "./own_program.ts";

/** Width of a terminal that the help fits in. */
const COLUMNS = 100;

/** Widest column of flags: the sentences beside them keep two thirds of the line. */
const LEFT_MAX = 32;

/** The help text of `command`. */
export function helpOf(command: Command): string {
  const operands = command.operands === null ? "" : ` ${command.operands}`;
  const lines = [
    `${command.name}: ${command.description}`,
    "",
    `Usage: ${invocationOf(command.name)} [flags]${operands}`,
    "",
    "Flags:",
  ];
  const rows = Object.entries(command.flags).map(([name, flag]): [string, string] => {
    const value = flag.kind === "boolean" ? "" : ` ${flag.placeholder}`;
    return [`--${name}${value}`, describe(flag)];
  });
  rows.push(["--help", "Print this and exit."], ["--version", "Print versions and exit."]);
  const width = Math.min(LEFT_MAX, Math.max(...rows.map(([left]) => left.length)));
  for (const row of rows) lines.push(...rowLines(row, width));
  if (command.notes.length > 0) lines.push("", ...command.notes);
  return lines.join("\n");
}

/** A flag and its sentence, wrapped; a flag that is too long for its column has lines of its own. */
function rowLines([left, right]: readonly [string, string], width: number): string[] {
  const indent = " ".repeat(width + 4);
  const [first = "", ...others] = wrapped(right.split(/ (?![^[]*\])/), {
    width: COLUMNS - indent.length,
  });
  const rest = others.map((one) => indent + one);
  if (left.length <= width) return [`  ${left.padEnd(width)}  ${first}`, ...rest];
  const lines = wrapped(left.split(/(?<=\|)/), { width: COLUMNS - 4, joint: "" });
  return [...lines.map((one, at) => (at === 0 ? "  " : "    ") + one), indent + first, ...rest];
}

/** `words` in lines of at most `width` columns, a longer one unbroken, with `joint` between them. */
function wrapped(
  words: readonly string[],
  { width, joint = " " }: { readonly width: number; readonly joint?: string },
): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const longer = `${lines.at(-1) ?? ""}${joint}${word}`;
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** A flag's help sentence with its variable and default. */
function describe(flag: Flag): string {
  const extra = [
    flag.env === null ? null : flag.env,
    flag.fallback === null || flag.fallback === false ? null : `default ${quote(flag.fallback)}`,
  ].filter((one) => one !== null);
  return extra.length === 0 ? flag.help : `${flag.help} [${extra.join(", ")}]`;
}

/** The list of commands, for who gives none. */
export function listOfCommands(): string {
  const entries = COMMANDS.filter(({ isTask = true }: CommandEntry) => isTask);
  const width = Math.max(...entries.map(({ name }) => name.length));
  return [
    "tracekit: record what cloud applications do, and export it for a datacenter simulator.",
    "",
    `Usage: ${invocationOf("COMMAND")} [flags]`,
    "",
    "Commands:",
    ...entries.map(({ name, description }) => `  ${name.padEnd(width)}  ${description}`),
    "",
    `${invocationOf("COMMAND")} --help lists the flags of one.`,
  ].join("\n");
}
