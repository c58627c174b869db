/** Flags of the comparison of a simulation with its run, and the permissions that they need. */

import { dirname, join, resolve } from "@std/path";
import { DEFAULT_THRESHOLDS, type Thresholds } from "../../export/compare/thresholds.ts";
import { command, number, type OptionsOf, text, toggle } from "../command/flag_table.ts";
import { UsageError } from "../command/usage_error.ts";
import { commandNamed } from "../commands.ts";
import { role } from "../command/role.ts";

const d = DEFAULT_THRESHOLDS;

/** Bounds of the checks; those in percent are of the measured value. */
export const THRESHOLD_FLAGS = {
  "wait-p50-percent": number("Maximum error of the median wait.", {
    fallback: 100 * d.waitP50,
    min: 0,
  }),
  "wait-p95-percent": number("Maximum error of the 95th percentile of the waits.", {
    fallback: 100 * d.waitP95,
    min: 0,
  }),
  "wait-p99-percent": number("Maximum error of the 99th percentile of the waits.", {
    fallback: 100 * d.waitP99,
    min: 0,
  }),
  "wait-ks-p": number("Minimum p of the Kolmogorov-Smirnov test of the waits.", {
    fallback: d.waitKsP,
    min: 0,
  }),
  "completions-percent": number(
    "Maximum RMSE of the cumulative completions, relative to all tasks.",
    {
      fallback: 100 * d.completions,
      min: 0,
    },
  ),
  "bin-s": number("Bin width of completions and CPU demand, s; default: 60, less in a short run.", {
    min: 0.001,
    placeholder: "S",
  }),
  "max-lag": number("Lags tried for the completions, bins in each direction.", {
    fallback: d.maxLag,
    min: 0,
  }),
  "makespan-percent": number("Maximum error of the makespan.", {
    fallback: 100 * d.makespan,
    min: 0,
  }),
  "makespan-s": number("Maximum error of the makespan of a run under 10 minutes, s.", {
    fallback: d.makespanMs / 1000,
    min: 0,
  }),
  "same-node-percent": number("Minimum share of the tasks on the node that they ran on.", {
    fallback: 100 * d.sameNode,
    min: 0,
  }),
  "cpu-smape-percent": number("Maximum sMAPE of the CPU demand.", {
    fallback: 100 * d.cpuSmape,
    min: 0,
  }),
  "cpu-pearson": number("Minimum correlation of the CPU demand.", {
    fallback: d.cpuPearson,
    min: -1,
  }),
  "cpu-rmse-percent": number("Maximum RMSE of the CPU demand, relative to the simulated median.", {
    fallback: 100 * d.cpuRmse,
    min: 0,
  }),
} as const;

/** The bounds that these flags give. */
export function thresholdsOf(options: OptionsOf<typeof THRESHOLD_FLAGS>): Thresholds {
  return {
    ...DEFAULT_THRESHOLDS,
    waitP50: options["wait-p50-percent"] / 100,
    waitP95: options["wait-p95-percent"] / 100,
    waitP99: options["wait-p99-percent"] / 100,
    waitKsP: options["wait-ks-p"],
    completions: options["completions-percent"] / 100,
    binMs: options["bin-s"] === null ? null : options["bin-s"] * 1000,
    maxLag: options["max-lag"],
    makespan: options["makespan-percent"] / 100,
    makespanMs: options["makespan-s"] * 1000,
    sameNode: options["same-node-percent"] / 100,
    cpuSmape: options["cpu-smape-percent"] / 100,
    cpuPearson: options["cpu-pearson"],
    cpuRmse: options["cpu-rmse-percent"] / 100,
  };
}

/** `deno task compare-opendc`. */
export const COMPARE_OPENDC = command({
  ...commandNamed("compare-opendc"),
  flags: {
    "measured": text("Parsed run that the workload was exported from.", { placeholder: "DIR" }),
    "simulated": text("Folder with OpenDC's task.parquet, or a parent of it.", {
      placeholder: "DIR",
    }),
    "export": text("Folder of the export; default: the nearest parent of the simulation.", {
      placeholder: "DIR",
    }),
    "experiment": text("Name of the experiment; default: from the path of the simulation.", {
      placeholder: "NAME",
    }),
    "output": text("Folder for compare_report.md and compare.json.", { placeholder: "DIR" }),
    "json": toggle("Print the report as JSON instead of Markdown."),
    ...THRESHOLD_FLAGS,
  },
  notes: [
    "Reads the output of OpenDC 2.4f and later. Exit code 1 if a check fails.",
  ],
});

/** Options of the comparison. */
export type CompareFlags = OptionsOf<typeof COMPARE_OPENDC.flags>;

/**
 * Folders of the run and of the simulation, absolute.
 *
 * @throws {UsageError} when one was not given.
 */
export function compareFolders(options: CompareFlags): { measured: string; simulated: string } {
  if (options.measured === null) throw new UsageError("--measured DIR is required");
  if (options.simulated === null) throw new UsageError("--simulated DIR is required");
  return { measured: resolve(options.measured), simulated: resolve(options.simulated) };
}

/** The comparison as a role; above the simulation it may read an export's manifest and topology only. */
export const COMPARE_OPENDC_ROLE = role({
  command: COMPARE_OPENDC,
  grant: (options) => {
    const { measured, simulated } = compareFolders(options);
    const above = options.export === null ? exportFilesAbove(simulated) : [resolve(options.export)];
    const write = options.output === null ? [] : [resolve(options.output)];
    return { read: [measured, simulated, ...above, ...write], write };
  },
});

function exportFilesAbove(folder: string): string[] {
  const above = dirname(folder);
  const own = ["manifest.json", "small_datacenter.json"].map((name) => join(folder, name));
  return above === folder ? own : [...own, ...exportFilesAbove(above)];
}
