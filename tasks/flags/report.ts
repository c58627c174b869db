/** Flags of the report, and the permissions that it needs. */

import { dirname, join, resolve } from "@std/path";
import { command, type OptionsOf, text, toggle } from "../command/flag_table.ts";
import { role } from "../command/role.ts";
import { UsageError } from "../command/usage_error.ts";
import { commandNamed } from "../commands.ts";
import { requireRunId, RUN_FLAGS } from "./groups/run.ts";

/** `deno task report`. */
export const REPORT = command({
  ...commandNamed("report"),
  operands: "[RUN…]",
  flags: {
    "output": text("File to write; default: report.html in the run's folder.", {
      placeholder: "FILE",
    }),
    "simulated": text("Output of OpenDC for an export of the run: shown beside it.", {
      placeholder: "DIR",
    }),
    "export": text("Export that was simulated; default: the folder above the output.", {
      placeholder: "DIR",
    }),
    "experiment": text("Experiment that was simulated; default: the one in the output's path.", {
      placeholder: "NAME",
    }),
    "run-id": RUN_FLAGS["run-id"],
    "logs": RUN_FLAGS.logs,
    "json": toggle("Print the report's figures as JSON."),
  },
  notes: [
    "RUN is a RUN_ID or the folder of a parsed run. Several runs are compared with the first one.",
    "FILE.json, beside FILE.html, has the same figures.",
  ],
});

/** Options of the report. */
export type ReportFlags = OptionsOf<typeof REPORT.flags>;

/**
 * Folders of the runs, and the file to write, absolute.
 *
 * @throws {UsageError} when no run was given, or the file's name does not end in .html.
 */
export function reportPaths(
  options: ReportFlags,
  operands: readonly string[],
): { readonly runs: readonly string[]; readonly output: string } {
  const named = operands.length > 0 ? operands : [requireRunId(options)];
  const runs = named.map((run) =>
    run.includes("/") ? resolve(run) : join(resolve(options.logs), run)
  );
  const [first = ""] = runs;
  if (options.simulated !== null && runs.length > 1) {
    throw new UsageError(`--simulated requires one RUN, got ${runs.length}`);
  }
  const output = resolve(options.output ?? join(first, "report.html"));
  if (!output.endsWith(".html")) {
    throw new UsageError(`--output FILE must end in .html, got "${options.output}"`);
  }
  return { runs, output };
}

/** The file with the same figures as JSON. */
export function jsonTwin(output: string): string {
  return output.replace(/\.html$/, ".json");
}

/** Folders in which the export is looked for: those that the output may be in. */
function foldersAbove(folder: string): string[] {
  const above = dirname(folder);
  return above === folder
    ? []
    : [join(above, "manifest.json"), join(above, "small_datacenter.json"), ...foldersAbove(above)];
}

/** The report as a role. It reads the folders above its runs too: the queue's records are there. */
export const REPORT_ROLE = role({
  command: REPORT,
  grant: (options, operands) => {
    const { runs, output } = reportPaths(options, operands);
    const { simulated, export: exported } = options;
    const above = exported === null && simulated !== null ? foldersAbove(resolve(simulated)) : [];
    const more = [simulated, exported].filter((one) => one !== null).map((one) => resolve(one));
    return {
      read: [...more, ...above, ...runs.flatMap((run) => [run, dirname(run)]), dirname(output)],
      write: [dirname(output)],
    };
  },
});
