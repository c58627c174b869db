/**
 * The entry modules of bundles, written from the table of commands: a bundle holds everything that it
 * may load, so that its imports are spelled out.
 */

import { toFileUrl } from "@std/path";
import { type CommandEntry, exportOf, flagFileOf, programOf } from "../commands.ts";
import { programFile } from "../command/own_program.ts";
import type { Executable } from "./contents.ts";

/** URL of a file of ours, by its path below `tasks/` without the ending. */
function urlOf(program: string): string {
  return toFileUrl(programFile(program)).href;
}

function importLine(names: string, program: string): string {
  return `import { ${names} } from ${JSON.stringify(urlOf(program))};`;
}

/** A launcher that has the declarations of `commands` and of no others. */
export function launcherEntry(commands: readonly CommandEntry[]): string {
  const imports = [importLine("launch", "command/launch")];
  const cases: string[] = [];
  for (const entry of commands) {
    const isRole = entry.privilege === "granted";
    const declared = `${exportOf(entry)}${isRole ? "_ROLE" : ""}`;
    imports.push(importLine(declared, `flags/${flagFileOf(entry)}`));
    const value = isRole
      ? `{ command: ${declared}.command, role: ${declared} }`
      : `{ command: ${declared}, role: null }`;
    cases.push(`  ${JSON.stringify(entry.name)}: ${value},`);
  }
  return [
    ...imports,
    "const declared = {",
    ...cases,
    "};",
    "await launch(Deno.args, (entry) => {",
    "  const found = declared[entry.name];",
    "  if (found !== undefined) return Promise.resolve(found);",
    "  throw new RangeError(`${entry.name} is not part of this program: a checkout is required`);",
    "});",
    "",
  ].join("\n");
}

/** What the compiled form of `executable` begins with. */
export function compiledEntry({ commands }: Executable): string {
  const imports: string[] = [importLine("plain, role, runExecutable", "build/standalone")];
  const starts: string[] = [];
  for (const [index, { name, entry, isPrivileged }] of commands.entries()) {
    const declared = `${exportOf(entry)}${isPrivileged ? "" : "_ROLE"}`;
    imports.push(importLine(declared, `flags/${flagFileOf(entry)}`));
    imports.push(importLine(`main as main${index}`, programOf(entry)));
    const start = isPrivileged ? "plain" : "role";
    starts.push(`  ${JSON.stringify(name)}: ${start}(${declared}, main${index}),`);
  }
  return [...imports, "await runExecutable({", ...starts, "});", ""].join("\n");
}
