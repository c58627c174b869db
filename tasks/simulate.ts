/** Run an export in OpenDC and compare the outcome with the run: from a run to a verdict. */

import { join, resolve } from "@std/path";
import { compareOpendc, type CompareReport } from "../export/compare/compare.ts";
import { markdownOf } from "../export/compare/report.ts";
import type { ManifestExperiment } from "../export/opendc/written.ts";
import { type ReadManifest, readManifest } from "../export/opendc/manifest.ts";
import type { Parsed } from "./command/parse.ts";
import { UsageError } from "./command/usage_error.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { writeReport } from "./reports/compare.ts";
import { thresholdsOf } from "./flags/compare_opendc.ts";
import { SIMULATE, type SimulateFlags } from "./flags/simulate.ts";
import { findRunner, type Runner, runnerCommand, runSimulator } from "./opendc/runner.ts";
import { workloadFolder } from "./flags/verify_opendc.ts";

/** `deno task simulate`. */
export async function main(
  { options }: Parsed<typeof SIMULATE.flags>,
  io: Io,
): Promise<number> {
  const folder = workloadFolder(options);
  const runner = await findRunner(requireRunner(options));
  const manifest = await readManifest(folder);
  if (manifest === null) {
    throw new CommandError(
      `Cannot simulate "${folder}": the manifest.json of an export is required; run export-opendc`,
    );
  }
  const experiments = chosenExperiments(options, manifest);
  const reports: CompareReport[] = [];
  for (const experiment of experiments) {
    await simulate(experiment, { folder, runner, options, io });
    const report = await compareOpendc({
      measured: resolve(options.measured ?? manifest.options.input),
      simulated: outputOf(folder, experiment),
      export: folder,
      experiment: experiment.name,
      thresholds: thresholdsOf(options),
    });
    await writeReport(outputOf(folder, experiment), report);
    io.print(options.json ? JSON.stringify(report) : markdownOf(report));
    reports.push(report);
  }
  return reports.every(({ ok }) => ok) ? 0 : 1;
}

function requireRunner({ runner }: SimulateFlags): string {
  if (runner !== null) return runner;
  throw new CommandError(
    "OPENDC_RUNNER is required: the path of OpenDCExperimentRunner or of opendc, or the folder of a " +
      "built distribution with one of them in bin/. Install a Java runtime (21 or later) and unpack " +
      "a release from https://github.com/atlarge-research/opendc/releases",
  );
}

function chosenExperiments(
  { experiment }: SimulateFlags,
  { experiments }: ReadManifest,
): readonly ManifestExperiment[] {
  const chosen = experiments.filter(({ name, node }) =>
    name === experiment || (experiment === "replay" && node !== null)
  );
  if (chosen.length > 0) return chosen;
  throw new UsageError(
    `--experiment must be policy, replay or one of ${
      experiments.map(({ name }) => name).join(", ")
    }, got "${experiment}"`,
  );
}

/** Where OpenDC writes what it finds. */
function outputOf(folder: string, { name }: ManifestExperiment): string {
  return join(folder, "output", name);
}

/** Run one experiment; what an earlier simulation of it left is removed first. */
async function simulate(
  experiment: ManifestExperiment,
  { folder, runner, options, io }: {
    readonly folder: string;
    readonly runner: Runner;
    readonly options: SimulateFlags;
    readonly io: Io;
  },
): Promise<void> {
  const { name } = experiment;
  const limitS = options["timeout-s"];
  const command = runnerCommand(runner, { experiment, form: options.form });
  await removeTree(outputOf(folder, experiment));
  io.say(`Simulating ${name} with ${command.join(" ")}, at most ${limitS} s`);
  const log = join(folder, "output", `${name}.log`);
  await runSimulator({ command, folder, name, log, limitS, io });
}

async function removeTree(folder: string): Promise<void> {
  try {
    await Deno.remove(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

if (import.meta.main) await runMain(SIMULATE, main);
