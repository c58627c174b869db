/** Flags of the export to OpenDC, and the permissions that they need. */

import { dirname, join, resolve } from "@std/path";
import { REPLAY_TIME_FACTOR } from "../../export/opendc/experiment.ts";
import { COMPRESSIONS, OPENDC_MIN_VERSION } from "../../export/opendc/schema.ts";
import {
  CAPACITY_CHOICES,
  FILL_CHOICES,
  STATUS_CHOICES,
  TASK_ID_MODES,
} from "../../export/opendc/tasks.ts";
import { command, integer, number, type OptionsOf, text, toggle } from "../command/flag_table.ts";
import { UsageError } from "../command/usage_error.ts";
import { commandNamed } from "../commands.ts";
import { requireRunId, RUN_FLAGS } from "./groups/run.ts";
import { role } from "../command/role.ts";

/** `deno task export-opendc`. */
export const EXPORT_OPENDC = command({
  ...commandNamed("export-opendc"),
  flags: {
    "input": text("Parsed run, or one node of it; default: logs/RUN_ID.", {
      placeholder: "DIR",
    }),
    "output": text("Folder for the export; default: opendc_traces_RUN_ID.", { placeholder: "DIR" }),
    "run-id": RUN_FLAGS["run-id"],
    "logs": RUN_FLAGS.logs,
    "task-id-mode": text(
      "Task ids: auto (pids if all differ, else numbers), pid, or sequential numbers.",
      {
        choices: TASK_ID_MODES,
        fallback: "auto",
      },
    ),
    "capacity": text(
      "cpu_capacity: reserved vCPUs, or the 95th percentile or peak of use.",
      {
        choices: CAPACITY_CHOICES,
        fallback: "reserved",
      },
    ),
    "fill": text("Also export tasks without measurement, as using all that was reserved.", {
      choices: FILL_CHOICES,
    }),
    "status": text("End states to export: done, or all including failed.", {
      choices: STATUS_CHOICES,
      fallback: "done",
    }),
    "services": toggle("Export processes, trees and cgroups that were observed, as tasks."),
    "cpu-freq-mhz": number("Frequency of a core, MHz, for all nodes; default: that of each node.", {
      env: "CPU_FREQ_MHZ",
      min: 1,
      placeholder: "MHZ",
    }),
    "power": text(
      "Power models of calibrate-power (OpenDC 2.4f does not end with mse); default: OpenDC's own.",
      {
        placeholder: "FILE",
      },
    ),
    "carbon": text(
      "Carbon intensities: parquet or CSV of timestamp, carbon_intensity (g CO2/kWh).",
      {
        placeholder: "FILE",
      },
    ),
    "time-scale": integer(
      "Factor of the policy experiment's times; 1: no scaling, no latencies, all hosts at once.",
      { fallback: REPLAY_TIME_FACTOR, min: 1 },
    ),
    "compression": text("Codec of the parquet files.", { choices: COMPRESSIONS, fallback: "zstd" }),
    "json": toggle("Print the summary as JSON."),
  },
  notes: [
    `The files are for OpenDC ${OPENDC_MIN_VERSION} and later.`,
    "Superseded attempts are never exported; unmeasured tasks only with --fill reserved.",
    "README.md of the export says how to simulate it; manifest.json lists what it contains and what not.",
  ],
});

/** Options of the export. */
export type ExportFlags = OptionsOf<typeof EXPORT_OPENDC.flags>;

/**
 * Folder to read and folder to write, absolute.
 *
 * @throws {UsageError} when neither a folder nor a RUN_ID was given.
 */
export function exportFolders(options: ExportFlags): { input: string; output: string } {
  if (options.input === null && options["run-id"] === null) {
    throw new UsageError("--input DIR or RUN_ID is required");
  }
  const input = resolve(options.input ?? join(options.logs, requireRunId(options)));
  const output = options.output ??
    (options["run-id"] === null ? null : `opendc_traces_${requireRunId(options)}`);
  if (output === null) throw new UsageError("--output DIR is required");
  return { input, output: resolve(output) };
}

/** The export as a role. It reads the folder above its input too: the scheduler's flags are there. */
export const EXPORT_OPENDC_ROLE = role({
  command: EXPORT_OPENDC,
  grant: (options) => {
    const { input, output } = exportFolders(options);
    const given = [options.power, options.carbon].filter((path) => path !== null)
      .map((path) => resolve(path));
    return { read: [input, dirname(input), output, ...given], write: [output] };
  },
});
