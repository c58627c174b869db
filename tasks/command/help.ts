/** The help of a command, made from its table of flags. */

import { quote } from "../../trace/schema.ts";
import type { Command, Flag } from "./flag_table.ts";

/** The help text of `command`. */
export function helpOf(command: Command): string {
  const operands = command.operands === null ? "" : ` ${command.operands}`;
  const lines = [
    `${command.name}: ${command.description}`,
    "",
    `Usage: deno task ${command.name} [flags]${operands}`,
    "",
    "Flags:",
  ];
  const rows = Object.entries(command.flags).map(([name, flag]): [string, string] => {
    const value = flag.kind === "boolean" ? "" : ` ${flag.placeholder}`;
    return [`--${name}${value}`, describe(flag)];
  });
  rows.push(["--help", "Print this and exit."], ["--version", "Print versions and exit."]);
  const width = Math.min(36, Math.max(...rows.map(([left]) => left.length)));
  for (const [left, right] of rows) lines.push(`  ${left.padEnd(width)}  ${right}`);
  if (command.notes.length > 0) lines.push("", ...command.notes);
  return lines.join("\n");
}

/** A flag's help sentence with its variable and default. */
function describe(flag: Flag): string {
  const extra = [
    flag.env === null ? null : flag.env,
    flag.fallback === null || flag.fallback === false ? null : `default ${quote(flag.fallback)}`,
  ].filter((one) => one !== null);
  return extra.length === 0 ? flag.help : `${flag.help} [${extra.join(", ")}]`;
}
