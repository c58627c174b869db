/** `docs/reference/exit-codes.md`: what the exit code of a command means. */

import type { Command } from "../command/flag_table.ts";
import { type Page, page, table } from "./page.ts";

const CODES: readonly (readonly [code: string, meaning: string])[] = [
  ["0", "Done."],
  ["1", "Failed, or a check found a problem; the reason is one line on stderr."],
  ["2", "Usage error: unknown flag, missing or invalid value. Nothing was started."],
  [
    "130",
    "Ended by a third Ctrl-C. The first asks for an orderly end, the second stops what runs.",
  ],
  [
    "of the command",
    "`adapt` ends with the exit code of the command that it ran, and by the same signal.",
  ],
];

/** The page. */
export function exitCodesPage(commands: readonly Command[]): Page {
  const specific = commands.flatMap(({ name, notes, flags }) => {
    const sentences = [...notes, ...Object.values(flags).map(({ help }) => help)]
      .flatMap((text) => text.split(/(?<=\.)\s/)).filter((text) => /\bExit (code )?\d/.test(text));
    return sentences.map((sentence) => [`\`${name}\``, sentence]);
  });
  return page(
    "exit-codes.md",
    "Exit codes",
    table(["code", "meaning"], CODES),
    "## Commands that say more",
    table(["command", "meaning"], specific),
  );
}
