/** Flags of the simulation of an export, and the permissions that it needs. */

import { join, resolve } from "@std/path";
import { MANIFEST_NAME } from "../../export/opendc/schema.ts";
import { command, integer, type OptionsOf, text, toggle } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";
import { THRESHOLD_FLAGS } from "./compare_opendc.ts";
import { role } from "../command/role.ts";
import { FORM_CHOICES, TIMEOUT_PROGRAM } from "../opendc/runner.ts";
import { workloadFolder } from "./verify_opendc.ts";
import { readInputTextSync } from "../../trace/input_file.ts";

/** `deno task simulate`. */
export const SIMULATE = command({
  ...commandNamed("simulate"),
  flags: {
    "input": text("Folder of the export.", { placeholder: "DIR" }),
    "measured": text("Parsed run; default: the one that was exported.", {
      placeholder: "DIR",
    }),
    "experiment": text("policy, replay (all hosts, one after the other), or a name.", {
      fallback: "policy",
      placeholder: "NAME",
    }),
    "runner": text("OpenDCExperimentRunner, opendc, or the folder of a built distribution.", {
      env: "OPENDC_RUNNER",
      placeholder: "PATH",
    }),
    "form": text("Form of the experiment; default: that of the program.", {
      choices: FORM_CHOICES,
    }),
    "timeout-s": integer("Kill a simulator that takes longer, s.", {
      fallback: 600,
      min: 1,
    }),
    "json": toggle("Print the reports as JSON, one per line, instead of Markdown."),
    ...THRESHOLD_FLAGS,
  },
  notes: [
    "OpenDC writes to output/NAME in the export's folder; the reports are there, too.",
    "Exit code 1 if the simulator or a check fails.",
  ],
});

/** Options of the simulation. */
export type SimulateFlags = OptionsOf<typeof SIMULATE.flags>;

/** The simulation as a role: it may run timeout(1), which runs the simulator outside the sandbox. */
export const SIMULATE_ROLE = role({
  command: SIMULATE,
  grant: (options) => {
    const folder = workloadFolder(options);
    const measured = options.measured ?? runOf(folder);
    return {
      read: [
        folder,
        ...(measured === null ? [] : [resolve(measured)]),
        ...(options.runner === null ? [] : [resolve(options.runner)]),
      ],
      write: [folder],
      run: [TIMEOUT_PROGRAM],
    };
  },
});

/** The run that an export names as its input; null where there is none to be read. */
function runOf(folder: string): string | null {
  try {
    const manifest = JSON.parse(readInputTextSync(join(folder, MANIFEST_NAME)));
    const input: unknown = manifest?.options?.input;
    return typeof input === "string" ? input : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return null;
    throw error;
  }
}
