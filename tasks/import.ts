/** Import what another system recorded as a run. */

import { ImportError } from "../export/import/contract.ts";
import { importRun, type ImportSummary } from "../export/import/import.ts";
import type { Parsed } from "./command/parse.ts";
import { CommandError, type Io, runMain, VERSION } from "./command/main.ts";
import { IMPORT, importPaths, memoryOf, utcOffsetOf } from "./flags/import.ts";

/** `deno task import`. */
export async function main(
  { options, operands }: Parsed<typeof IMPORT.flags>,
  io: Io,
): Promise<number> {
  const { files, runFolder } = importPaths(options, operands);
  const summary = await asCommandError(importRun({
    files,
    format: options.from,
    runFolder,
    settings: { utcOffsetMs: utcOffsetOf(options), cpuScale: options["cpu-scale"] },
    hosts: {
      cores: options.cores,
      freqMhz: options["cpu-freq-mhz"],
      memoryKb: memoryOf(options),
    },
    version: VERSION,
  }));
  for (const line of describeImport(summary)) io.say(line);
  if (options.json) io.print(JSON.stringify(describeJson(summary)));
  return 0;
}

async function asCommandError<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    throw new CommandError(error.message, { cause: error });
  }
}

/** What was imported, and what is missing, line by line. */
function describeImport({ format, folder, nodes, counts, audit }: ImportSummary): string[] {
  return [
    `Imported ${counts.invocations} invocations and ${counts.samples} readings on ${nodes} ` +
    `${nodes === 1 ? "node" : "nodes"} from ${format}`,
    ...audit.findings.map(({ what, cost }) => `Finding: ${what}; ${cost}`),
    ...audit.notes.map((note) => `Note: ${note}`),
    `Wrote ${folder}`,
  ];
}

function describeJson({ format, folder, nodes, counts, audit }: ImportSummary): object {
  return {
    format,
    folder,
    nodes,
    invocations: counts.invocations,
    samples: counts.samples,
    bad: counts.bad,
    left_out: counts.leftOut,
    findings: audit.findings,
    notes: audit.notes,
  };
}

if (import.meta.main) await runMain(IMPORT, main);
