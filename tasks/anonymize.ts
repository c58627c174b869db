/** Write a copy of a run without what identifies machines, people and files. */

import {
  AnonymizeError,
  anonymizeRun,
  type AnonymizeSummary,
  TOKEN_MIN,
} from "../export/anonymize/anonymize.ts";
import type { Parsed } from "./command/parse.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { ANONYMIZE, anonymizePaths } from "./flags/anonymize.ts";

/** `deno task anonymize`. */
export async function main(
  { options }: Parsed<typeof ANONYMIZE.flags>,
  io: Io,
): Promise<number> {
  const paths = anonymizePaths(options);
  const salt = await readSalt(options["salt-file"]);
  const summary = await anonymize({ ...paths, salt });
  if (options.json) io.print(JSON.stringify(summary));
  else for (const line of linesOf(summary)) io.print(line);
  return summary.leaks.length === 0 ? 0 : 1;
}

async function readSalt(path: string | null): Promise<string> {
  if (path === null) return crypto.getRandomValues(new Uint8Array(32)).toHex();
  const salt = (await Deno.readTextFile(path)).trim();
  if (salt.length >= 16) return salt;
  throw new CommandError(`"${path}": a key of at least 16 characters is required`);
}

async function anonymize(
  options: Parameters<typeof anonymizeRun>[0],
): Promise<AnonymizeSummary> {
  try {
    return await anonymizeRun(options);
  } catch (error) {
    if (!(error instanceof AnonymizeError)) throw error;
    throw new CommandError(error.message, { cause: error });
  }
}

function linesOf(
  { output, records, malformed, changes, leftOut, leaks }: AnonymizeSummary,
): string[] {
  return [
    `${records} records in ${output}`,
    ...Object.entries(changes).map(([what, count]) => `  ${what} ${count} times`),
    ...malformed === 0 ? [] : [`${malformed} malformed lines were left out`],
    `Left out: ${leftOut.length} files (${leftOut.slice(0, 8).join(", ")}${
      leftOut.length > 8 ? ", …" : ""
    })`,
    leaks.length === 0
      ? `No original of ${TOKEN_MIN} or more characters is left in the result`
      : `FAIL: ${leaks.length} originals are left: ${leaks.slice(0, 8).join(", ")}`,
  ];
}

if (import.meta.main) await runMain(ANONYMIZE, main);
