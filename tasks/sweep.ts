/** Simulate many variants of a run in OpenDC, and compare them: what if. */

import { dirname, join, resolve } from "@std/path";
import { groupsOf } from "../export/sweep/groups.ts";
import { measuredMetrics, type Metrics } from "../export/sweep/metrics.ts";
import { csvOf, frontPicture, markdownOf, writeTable } from "../export/sweep/report.ts";
import { readSource, type SweepSource } from "../export/sweep/source.ts";
import { objectivesOf, scenariosOf, SWEEP_SPEC, type SweepSpec } from "../export/sweep/spec.ts";
import { runSweep, SCENARIO_EXPERIMENT, type ScenarioResult } from "../export/sweep/sweep.ts";
import { isThere, messageOf, writeFileAtomic, writeJsonAtomic } from "../trace/atomic_file.ts";
import { CommandError, type Io, runMain, VERSION } from "./command/main.ts";
import type { Parsed } from "./command/parse.ts";
import { SWEEP, type SweepFlags, sweepPaths } from "./flags/sweep.ts";
import { findRunner, runnerCommand, runSimulator } from "./opendc/runner.ts";

/** `deno task sweep`. */
export async function main(
  { options }: Parsed<typeof SWEEP.flags>,
  io: Io,
): Promise<number> {
  const { spec: specFile, output } = sweepPaths(options);
  const spec = await readSpec(specFile);
  const scenarios = scenariosOf(spec);
  if (options["dry-run"]) {
    for (const { id } of scenarios) io.print(id);
    return 0;
  }
  const source = await readSource(resolve(dirname(specFile), spec.export));
  const simulate = await simulatorOf(options, io);
  await Deno.mkdir(output, { recursive: true });
  const results = await runSweep(scenarios, {
    source,
    base: dirname(specFile),
    output,
    jobs: options.jobs,
    createdBy: `tracekit ${VERSION}`,
    simulate,
    report: ({ id, status, reason }, { done, total }) =>
      io.say(`${done} of ${total}: ${id} ${status}${reason === null ? "" : `: ${reason}`}`),
    signal: io.signal,
  });
  const measured = await measuredOf(options, { source, io });
  const markdown = await writeReport(output, { spec, results, measured });
  io.print(options.json ? JSON.stringify(results) : markdown.trimEnd());
  return results.every(({ status }) => status === "done") ? 0 : 1;
}

async function readSpec(path: string): Promise<SweepSpec> {
  try {
    return SWEEP_SPEC.decode(JSON.parse(await Deno.readTextFile(path)), path);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new CommandError(`Cannot read "${path}": JSON is required: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Runs OpenDC in the folder of a scenario; both generations read the older form. */
async function simulatorOf(
  { runner, "timeout-s": limitS }: SweepFlags,
  io: Io,
): Promise<(folder: string, id: string) => Promise<void>> {
  if (runner === null) {
    throw new CommandError(
      "OPENDC_RUNNER is required: OpenDCExperimentRunner, opendc, or the folder of a distribution",
    );
  }
  const command = runnerCommand(await findRunner(runner), {
    experiment: { ...SCENARIO_EXPERIMENT, time_factor: 1, has_latencies: null, extra_tasks: null },
    form: "legacy",
  });
  return async (folder, id) => {
    await runSimulator({ command, folder, name: id, log: join(folder, "opendc.log"), limitS, io });
  };
}

/** The figures of the run itself; null where it is not there any more, which is said. */
async function measuredOf(
  { measured }: SweepFlags,
  { source, io }: { readonly source: SweepSource; readonly io: Io },
): Promise<Metrics | null> {
  const folder = resolve(measured ?? source.manifest.options.input);
  if (await isThere(folder)) return await measuredMetrics(folder, source);
  io.say(`The run is not at ${folder}: the report is without it; give it with --measured DIR`);
  return null;
}

async function writeReport(
  output: string,
  { spec, results, measured }: {
    readonly spec: SweepSpec;
    readonly results: readonly ScenarioResult[];
    readonly measured: Metrics | null;
  },
): Promise<string> {
  const objectives = objectivesOf(spec);
  const groups = groupsOf(results, { measured, objectives });
  const failures = results.filter(({ status }) => status === "failed");
  const markdown = markdownOf(groups, { objectives, failures });
  await writeFileAtomic(join(output, "table.csv"), csvOf(results));
  const table = join(output, "table.parquet");
  await Deno.remove(table).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await writeTable(table, { results, createdBy: `tracekit ${VERSION}` });
  await writeFileAtomic(join(output, "report.md"), markdown);
  const picture = frontPicture(groups, objectives);
  if (picture !== null) await writeFileAtomic(join(output, "front.svg"), picture);
  await writeJsonAtomic(join(output, "sweep.json"), { spec, groups });
  return markdown;
}

if (import.meta.main) await runMain(SWEEP, main);
