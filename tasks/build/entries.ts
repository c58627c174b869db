/**
 * The entry modules of bundles, written from the table of commands: a bundle holds everything that it
 * may load, so that its imports are spelled out.
 */

import { toFileUrl } from "@std/path";
import { exportOf, flagFileOf, programOf } from "../commands.ts";
import { programFile } from "../command/own_program.ts";
import type { Executable } from "./contents.ts";

/** URL of a file of ours, by its path below `tasks/` without the ending. */
function urlOf(program: string): string {
  return toFileUrl(programFile(program)).href;
}

function importLine(names: string, program: string): string {
  return `import { ${names} } from ${JSON.stringify(urlOf(program))};`;
}

/** The launcher of those commands of `executable` that start under a grant. */
export function launcherEntry({ commands }: Executable): string {
  const granted = commands.filter(({ isPrivileged }) => !isPrivileged).map(({ entry }) => entry);
  const names = granted.map((entry) => `${exportOf(entry)}_ROLE`);
  return [
    importLine("launchOneOf", "command/launch"),
    ...granted.map((entry, index) => importLine(names[index] ?? "", `flags/${flagFileOf(entry)}`)),
    `await launchOneOf(Deno.args, [${names.join(", ")}]);`,
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
