/** Run an export in OpenDC and compare the outcome with the run: from a run to a verdict. */

import { join, resolve } from "@std/path";
import { compareOpendc, type CompareReport } from "../export/compare/compare.ts";
import { markdownOf } from "../export/compare/report.ts";
import type { ManifestExperiment } from "../export/opendc/written.ts";
import { type ReadManifest, readManifest } from "../export/opendc/manifest.ts";
import type { Parsed } from "./command/parse.ts";
import { UsageError } from "./command/usage_error.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { writeReport } from "./compare_opendc.ts";
import { thresholdsOf } from "./flags/compare_opendc.ts";
import { SIMULATE, type SimulateFlags, TIMEOUT_PROGRAM } from "./flags/simulate.ts";
import { workloadFolder } from "./flags/verify_opendc.ts";

/** `deno task simulate`. */
export async function main(
  { options }: Parsed<typeof SIMULATE.flags>,
  io: Io,
): Promise<number> {
  const folder = workloadFolder(options);
  const runner = requireRunner(options);
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
  if (runner !== null) return resolve(runner);
  throw new CommandError(
    "OPENDC_RUNNER is required: the path of OpenDCExperimentRunner. Install a Java runtime (21 or " +
      "later), unpack OpenDCExperimentRunner of a release from " +
      "https://github.com/atlarge-research/opendc/releases, and give its bin/OpenDCExperimentRunner",
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

/** What sh answers for a program that cannot be executed, and for one that is not there. */
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;

/** Writes all that a program says to a file, so that no pipe outlives it: `sh -c … sh LOG PROGRAM …`. */
const LOGGED = 'log="$1"; shift; exec "$@" >"$log" 2>&1';

/** Run one experiment; what an earlier simulation of it left is removed first. */
async function simulate(
  experiment: ManifestExperiment,
  { folder, runner, options, io }: {
    readonly folder: string;
    readonly runner: string;
    readonly options: SimulateFlags;
    readonly io: Io;
  },
): Promise<void> {
  const limitS = options["timeout-s"];
  const log = join(folder, "output", `${experiment.name}.log`);
  await removeTree(outputOf(folder, experiment));
  await Deno.mkdir(join(folder, "output"), { recursive: true });
  io.say(`Simulating ${experiment.name} with ${runner}, at most ${limitS} s`);
  const command = ["sh", "-c", LOGGED, "sh", log, runner, "--experiment-path", experiment.file];
  const child = new Deno.Command(TIMEOUT_PROGRAM, {
    // By force, for all that it started: a stuck simulator has nothing to save.
    args: ["--signal=KILL", String(limitS), ...command],
    cwd: folder,
    stdin: "null",
    stdout: "null",
  }).spawn();
  const stop = () => child.kill("SIGTERM");
  io.signal.addEventListener("abort", stop);
  const { success, code, signal } = await child.status;
  io.signal.removeEventListener("abort", stop);
  if (io.signal.aborted) throw new CommandError("Interrupted");
  if (success) return;
  if (signal === "SIGKILL") {
    throw new CommandError(
      `OpenDC did not finish ${experiment.name} within ${limitS} s and was ended; --timeout-s gives ` +
        `it longer, more tasks than cores on a host make it hang; see ${log}`,
    );
  }
  if (code === NOT_EXECUTABLE || code === NOT_FOUND) {
    throw new CommandError(`Cannot run OPENDC_RUNNER "${runner}": an executable file is required`);
  }
  const text = await Deno.readTextFile(log);
  const lastLine = text.trimEnd().split("\n").at(-1) || "it said nothing";
  throw new CommandError(`OpenDC failed with exit code ${code}: ${lastLine}; see ${log}`);
}

async function removeTree(folder: string): Promise<void> {
  try {
    await Deno.remove(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

if (import.meta.main) await runMain(SIMULATE, main);
