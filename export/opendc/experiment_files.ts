/**
 * Writes an experiment in both forms of OpenDC: that of OpenDCExperimentRunner and that of the SDK.
 *
 * @module
 */

import { join } from "@std/path";
import { type CarbonTrace, writeCarbon } from "./carbon.ts";
import { experimentOf, type ExperimentOptions } from "./experiment.ts";
import { CARBON_FILE } from "./schema.ts";
import { sdkExperimentOf, sdkFileOf, sdkTopologyFileOf, sdkTopologyOf } from "./sdk.ts";
import type { Stage } from "./stage.ts";
import { type TopologySpec, withCarbon } from "./topology.ts";
import type { ManifestExperiment } from "./written.ts";

/** What is written. */
export interface ExperimentFiles extends ExperimentOptions {
  /** The experiment in the older form, relative to the export. */
  readonly file: string;
  /** Content of `topology`. */
  readonly topologySpec: TopologySpec;
  /** What its times are multiplied by. */
  readonly timeFactor: number;
  /** The node that it replays; null: all, with the run's policy. */
  readonly node: string | null;
  /** True where the tasks hold their capacity from placement to release. */
  readonly hasLatencies: boolean;
  /** Tasks that are not of the run. */
  readonly extraTasks: number;
  /** Carbon intensities of its grid; null: not known. */
  readonly carbon: CarbonTrace | null;
  /** First submission of its workload, epoch ms. */
  readonly firstMs: number;
  /** Program, for footers. */
  readonly createdBy: string;
}

/** Write topology and experiment in both forms, and the carbon trace. */
export async function writeExperiment(
  stage: Stage,
  given: ExperimentFiles,
): Promise<ManifestExperiment> {
  const { name, file, topology, timeFactor, node, hasLatencies, extraTasks } = given;
  const spec = experimentOf(given);
  const topologySpec = await writeCarbonOf(stage, given);
  await stage.writeJson(topology, topologySpec);
  await stage.writeJson(file, spec);
  await stage.writeJson(sdkTopologyFileOf(name), sdkTopologyOf(topologySpec));
  await stage.writeJson(sdkFileOf(name), sdkExperimentOf(spec));
  return {
    name,
    file,
    sdk_file: sdkFileOf(name),
    time_factor: timeFactor,
    node,
    has_latencies: hasLatencies,
    extra_tasks: extraTasks,
  };
}

/** Write the carbon trace of an experiment beside its workload; its topology, with it. */
async function writeCarbonOf(
  stage: Stage,
  { carbon, workload, topologySpec, firstMs, timeFactor, createdBy }: ExperimentFiles,
): Promise<TopologySpec> {
  if (carbon === null) return topologySpec;
  const name = join(workload, CARBON_FILE);
  const path = await stage.path(name);
  await writeCarbon(path, { trace: carbon, firstMs, timeFactor, createdBy });
  return withCarbon(topologySpec, name);
}
