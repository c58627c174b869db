/** Check the files of a run against the JSON Schemas of their records. */

import { type CheckedFile, checkRun } from "../export/check/check.ts";
import type { Parsed } from "./command/parse.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { CHECK, checkedFolder } from "./flags/check.ts";

/** `deno task check`. */
export async function main(
  { options, operands }: Parsed<typeof CHECK.flags>,
  io: Io,
): Promise<number> {
  const folder = checkedFolder(options, operands);
  const files = await checkFiles(folder);
  const checked = files.filter(({ record }) => record !== null);
  if (checked.length === 0) throw new CommandError(`no file of a run is in "${folder}"`);
  for (const file of checked) {
    if (options.json) io.print(JSON.stringify(file));
    else for (const line of linesOf(file)) io.print(line);
  }
  const problems = checked.reduce((sum, file) => sum + file.problems, 0);
  const records = checked.reduce((sum, file) => sum + file.records, 0);
  io.say(`${records} records in ${checked.length} files, ${problems} problems`);
  return problems === 0 ? 0 : 1;
}

async function checkFiles(folder: string): Promise<CheckedFile[]> {
  try {
    return await checkRun(folder);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new CommandError(`there is no folder "${folder}"`, { cause: error });
  }
}

function linesOf({ path, record, records, problems, examples }: CheckedFile): string[] {
  const rest = problems - examples.length;
  return [
    `${path}: ${records} × ${record}${problems === 0 ? ", valid" : `, ${problems} problems`}`,
    ...examples.map((example) => `  ${example}`),
    ...rest > 0 ? [`  and ${rest} more`] : [],
  ];
}

if (import.meta.main) await runMain(CHECK, main);
