/** Flags of anonymize, and the permissions that they need. */

import { dirname, resolve } from "@std/path";
import { command, text, toggle } from "../command/flag_table.ts";
import { role } from "../command/role.ts";
import { UsageError } from "../command/usage_error.ts";
import { commandNamed } from "../commands.ts";

/** `deno task anonymize`. */
export const ANONYMIZE = command({
  ...commandNamed("anonymize"),
  flags: {
    "input": text("Folder of the run.", { placeholder: "DIR" }),
    "output": text("Folder for the copy; it must not exist.", { placeholder: "DIR" }),
    "salt-file": text("File with the key of the hashes; default: one that nobody keeps.", {
      placeholder: "FILE",
    }),
    "json": toggle("Print the report as JSON."),
  },
  notes: [
    "Names, ids, paths and arguments become keyed hashes, wall times move by one offset, free text goes.",
    "The copy is parsed again; exit code 1 when an original is still found in it.",
  ],
});

/** Folders to read and to write, absolute. */
export function anonymizePaths(
  { input, output }: { readonly input: string | null; readonly output: string | null },
): { readonly input: string; readonly output: string } {
  if (input === null || output === null) {
    throw new UsageError("--input DIR and --output DIR are required");
  }
  return { input: resolve(input), output: resolve(output) };
}

/** Anonymize as a role. */
export const ANONYMIZE_ROLE = role({
  command: ANONYMIZE,
  grant: (options) => {
    const { input, output } = anonymizePaths(options);
    const salt = options["salt-file"];
    return {
      read: [input, output, dirname(output), ...salt === null ? [] : [resolve(salt)]],
      write: [output],
    };
  },
});
