/** Flags of import, and the permissions that they need. */

import { join, resolve } from "@std/path";
import { IMPORT_FORMATS } from "../../export/import/format_names.ts";
import { parseSizeKb, parseUtcOffset } from "../../export/import/quantities.ts";
import { command, number, type OptionsOf, text, toggle } from "../command/flag_table.ts";
import { UsageError } from "../command/usage_error.ts";
import { commandNamed } from "../commands.ts";
import { role } from "../command/role.ts";
import { requireRunId, RUN_FLAGS } from "./groups/run.ts";

/** `deno task import`. */
export const IMPORT = command({
  ...commandNamed("import"),
  operands: "FILE...",
  flags: {
    "from": text("Format of the files; default: recognized from the content.", {
      choices: IMPORT_FORMATS,
    }),
    "run-id": RUN_FLAGS["run-id"],
    "logs": RUN_FLAGS.logs,
    "cores": number(
      "Cores of a host, if the source does not say; default: a derived lower bound.",
      {
        min: 1,
      },
    ),
    "cpu-freq-mhz": number("Frequency of a core, MHz, if the source does not say.", {
      env: "CPU_FREQ_MHZ",
      min: 1,
      placeholder: "MHZ",
    }),
    "memory": text("Memory of a host, as 64GiB, if the source does not say.", {
      placeholder: "SIZE",
    }),
    "utc-offset": text("Offset of the source's local times from UTC, as +02:00.", {
      fallback: "+00:00",
      placeholder: "OFFSET",
    }),
    "cpu-scale": number("Cores that a CPU value of 1 stands for, if the source normalizes.", {
      min: 0,
    }),
    "json": toggle("Print the summary as JSON."),
  },
  notes: [
    "Writes logs/RUN_ID/CTS/: a parsed run, as parse does. What the source does not say is null,",
    "and a finding in the audit. All FILEs are of one format.",
    "",
    "Example: import --run-id old1 --cpu-freq-mhz 2400 jobs.txt; export-opendc RUN_ID=old1",
  ],
});

/** Options of import. */
export type ImportFlags = OptionsOf<typeof IMPORT.flags>;

/** Files to read and the run's folder to write, absolute. */
export function importPaths(
  options: ImportFlags,
  operands: readonly string[],
): { files: string[]; runFolder: string } {
  if (operands.length === 0) throw new UsageError("at least one FILE is required");
  const runFolder = join(resolve(options.logs), requireRunId(options));
  return { files: operands.map((operand) => resolve(operand)), runFolder };
}

/** The offset, ms. */
export function utcOffsetOf({ "utc-offset": offset }: ImportFlags): number {
  const utcOffsetMs = parseUtcOffset(offset);
  if (utcOffsetMs !== null) return utcOffsetMs;
  throw new UsageError(`--utc-offset: an offset such as +02:00 is required, got "${offset}"`);
}

/** Memory of a host, kB; null: not given. */
export function memoryOf({ memory }: ImportFlags): number | null {
  if (memory === null) return null;
  const memoryKb = parseSizeKb(memory);
  if (memoryKb !== null && memoryKb > 0) return memoryKb;
  throw new UsageError(`--memory: a size such as 64GiB is required, got "${memory}"`);
}

/** Import as a role. */
export const IMPORT_ROLE = role({
  command: IMPORT,
  grant: (options, operands) => {
    const { files, runFolder } = importPaths(options, operands);
    return { read: [...files, runFolder], write: [runFolder] };
  },
});
