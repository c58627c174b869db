/**
 * The README of an export: how to run it in OpenDC, and how to read what comes out.
 *
 * @module
 */

import { basename } from "@std/path";
import type { ExportSummary } from "./summary.ts";
import { CARBON_FILE, OPENDC_MIN_VERSION } from "./schema.ts";
import { REPLAY_TIME_FACTOR } from "./experiment.ts";
import type { Topology } from "./topology.ts";

/** The text of `README.md`. */
export function readmeOf(
  { summary, topology, version }: {
    readonly summary: ExportSummary;
    readonly topology: Topology;
    readonly version: string;
  },
): string {
  const hosts = Object.entries(topology.nodeOfHost);
  const replays = summary.files.filter((name) => name.endsWith("/experiment.json"));
  return `# A measured run as an OpenDC workload

Written by Tracekit ${version}: ${summary.tasks} tasks, ${summary.fragments} fragments. For OpenDC
${OPENDC_MIN_VERSION} and later.

| file | what it is |
|---|---|
| \`tasks.parquet\`, \`fragments.parquet\` | the workload |
| \`small_datacenter.json\` | the topology: the nodes of the run |
| \`experiment_policy.json\` | the run simulated with the scheduler's policy |
| \`policy/\` | its workload, with the latencies of the run and hosts that joined late |
| \`replay/HOST/\` | one workload, topology and experiment per host, submitted as it really started |
${
    carbonRow(summary)
  }| \`sdk/\` | the same experiments and topologies in the form of OpenDC's SDK of 2026 |
| \`manifest.json\` | inputs, options, counts, which invocation each task is, what was left out and why |

## Run it

Start OpenDC in this folder: the paths in the experiments are relative to it.

    OpenDCExperimentRunner --experiment-path experiment_policy.json
${replays.map((name) => `    OpenDCExperimentRunner --experiment-path ${name}\n`).join("")}
With the \`opendc\` program of 2026, either form:

    opendc run sdk/policy.json -o output
    opendc --legacy run experiment_policy.json -o output

The results are \`output/NAME/raw-output/0/seed=0/{task,host,powerSource,service}.parquet\`. Compare
them with the run:

    deno task compare-opendc --measured RUN --simulated output/policy

## Read the results

- OpenDC places tasks on whole seconds from the first submission. \`replay\` has every time multiplied by
  ${REPLAY_TIME_FACTOR}, so that this second is a millisecond: divide times and energy by ${REPLAY_TIME_FACTOR}.
  Starts, ends and makespan are those of the run.
- \`policy\` has its times multiplied as well, by the \`time_factor\` of the manifest. A task holds its
  capacity from its placement to its release: \`lead_ms\` before its start and \`tail_ms\` after its end,
  in which it demands nothing. Tasks named "until NODE joined" occupy each host for that time.
- \`finish_time\` and \`schedule_time\` count from the first submission. \`submission_time\` does so up to
  v2.4f and is absolute from v2.4g on.
- \`mem_capacity\` is MiB × 1000, as OpenDC's loader wants it. The experiments do not filter by memory,
  as the run's scheduler did not.
${powerText(topology)}${carbonText(summary)}
Hosts in the output and the nodes that they stand for:

| host | node |
|---|---|
${hosts.map(([host, node]) => `| ${host} | ${node} |\n`).join("")}
${notesOf(summary)}`;
}

function powerText({ spec }: Topology): string {
  const isCalibrated = spec.clusters.some(({ hosts }) =>
    hosts.some(({ cpuPowerModel }) => cpuPowerModel !== undefined)
  );
  return isCalibrated
    ? `- The power models are those of a calibration: energy is a figure of them, nothing that was measured.
`
    : `- The power model is OpenDC's default (200 W idle, 400 W at full load): energy is a figure of that model,
  nothing that was measured.
`;
}

function carbonRow({ carbon, files }: ExportSummary): string {
  if (carbon === null) return "";
  const names = files.filter((name) => basename(name) === CARBON_FILE).map((name) => `\`${name}\``);
  return `| ${
    names.join(", ")
  } | carbon intensities of the grid, in the times of each workload |\n`;
}

function carbonText({ carbon }: ExportSummary): string {
  return carbon === null
    ? ""
    : `- The carbon intensities are from \`${
      basename(carbon)
    }\`, in g CO2/kWh. An intensity counts from its
  timestamp to the next one. \`carbon_emission\` (g CO2) in powerSource.parquet is multiplied as energy
  is: divide it by the same factor. \`small_datacenter.json\` has the trace in the times of the policy's
  experiment, not in those of \`tasks.parquet\`.
`;
}

function notesOf({ notes, left_out, filled, totals_only, memory_unknown }: ExportSummary): string {
  const lines = [...notes];
  if (left_out.length > 0) {
    lines.push(`${left_out.length} invocations are left out: manifest.json.`);
  }
  if (filled.length > 0) {
    lines.push(
      `NOT MEASURED: the use of ${filled.length} tasks is filled from their reservation: ${
        some(filled)
      }.`,
    );
  }
  if (totals_only.length > 0) {
    lines.push(
      `Only the exact total is known of ${totals_only.length} tasks: ${some(totals_only)}.`,
    );
  }
  if (memory_unknown.length > 0) {
    lines.push(
      `Memory of ${memory_unknown.length} tasks is not known, 0 is written: ${
        some(memory_unknown)
      }.`,
    );
  }
  return lines.length === 0
    ? ""
    : `## About this run\n\n${lines.map((line) => `- ${line}\n`).join("")}`;
}

/** Names in a sentence; the manifest has them all. */
function some(names: readonly string[]): string {
  return names.length <= 10 ? names.join(", ") : `${names.slice(0, 10).join(", ")}, …`;
}
