/**
 * Writes what OpenDC reads for a scenario: workload, topology, traces and the experiment.
 *
 * @module
 */

import { join } from "@std/path";
import { writeJsonAtomic } from "../../trace/atomic_file.ts";
import { parseWeigher, termsOf } from "../../trace/weighers.ts";
import { movedTo, readCarbon, writeCarbon } from "../opendc/carbon.ts";
import { experimentOf } from "../opendc/experiment.ts";
import { CARBON_FILE } from "../opendc/schema.ts";
import { withCarbon } from "../opendc/topology.ts";
import { writeFragments, writeTasks } from "../opendc/workload.ts";
import type { Scenario } from "./spec.ts";
import type { SourceWorkload, SweepSource } from "./source.ts";
import { writeFailures } from "./traces.ts";
import { topologyVariant, variantOf, type VariantTask } from "./variant.ts";

/** What a scenario is made of. */
export interface ScenarioOptions {
  /** Folder of the sweep. */
  readonly output: string;
  /** What it varies. */
  readonly source: SweepSource;
  /** Folder that paths of traces are relative to. */
  readonly base: string;
  /** Program, for footers. */
  readonly createdBy: string;
}

/** Name of every experiment of a sweep: its folder is the scenario's. */
export const SCENARIO_NAME = "scenario";

/** File of the experiment in the folder of a scenario. */
export const SCENARIO_FILE = "experiment.json";

/** The tasks of a scenario. */
export interface ScenarioTasks {
  /** Its tasks. */
  readonly tasks: readonly VariantTask[];
  /** Name of each. */
  readonly names: readonly string[];
  /** First submission, epoch ms. */
  readonly firstMs: number;
}

/** The tasks of `scenario`: ids are places from 1. */
export function tasksOf({ workload, seed }: Scenario, source: SourceWorkload): ScenarioTasks {
  const submissionsMs = source.numbers.submission_time;
  const tasks = variantOf(submissionsMs, { workload, seed });
  const names = tasks.map(({ original, copy }) =>
    copy === 0 ? source.names[original] as string : `${source.names[original]}~${copy}`
  );
  return { tasks, names, firstMs: tasks[0]?.submissionMs ?? 0 };
}

/** Write all files of `scenario`; its folder is made. */
export async function writeScenario(scenario: Scenario, options: ScenarioOptions): Promise<void> {
  const { source, output, base, createdBy } = options;
  const folder = join(output, "scenarios", scenario.id);
  await removeTree(folder);
  await Deno.mkdir(folder, { recursive: true });
  const { tasks, names, firstMs } = tasksOf(scenario, source.workload);
  await writeWorkload(folder, { tasks, names, source: source.workload, createdBy });
  const { failures, carbon } = scenario;
  const { timeFactor } = source;
  if (failures.trace !== null) {
    const from = join(base, failures.trace);
    await writeFailures(join(folder, "failures.parquet"), { from, timeFactor, createdBy });
  }
  if (carbon.trace !== null) {
    const trace = movedTo(await readCarbon(join(base, carbon.trace)), firstMs);
    await writeCarbon(join(folder, CARBON_FILE), { trace, firstMs, timeFactor, createdBy });
  }
  await writeJsonAtomic(join(folder, "topology.json"), topologyFile(scenario, source));
  await writeJsonAtomic(join(folder, SCENARIO_FILE), experimentFile(scenario, source));
}

function topologyFile({ topology, carbon }: Scenario, source: SweepSource): unknown {
  const variant = topologyVariant(source.topology, topology);
  return carbon.trace === null ? variant : withCarbon(variant, CARBON_FILE);
}

function experimentFile({ policy, failures, seed }: Scenario, source: SweepSource): unknown {
  const spec = experimentOf({
    name: SCENARIO_NAME,
    topology: "topology.json",
    workload: ".",
    policy: {
      weighers: termsOf(parseWeigher(policy.weigher ?? ""), policy.order ?? "min"),
      slots: policy.slots,
    },
    exportIntervalS: source.timeFactor,
  });
  const isOfRun = policy.weigher === null && policy.slots === null;
  return {
    ...spec,
    ...(isOfRun ? { allocationPolicies: [source.policy] } : {}),
    ...(failures.trace === null ? {} : {
      failureModels: [{
        type: "trace-based",
        pathToFile: "failures.parquet",
        repeat: failures.repeat ?? false,
      }],
    }),
    runs: 1,
    initialSeed: seed,
  };
}

async function writeWorkload(
  folder: string,
  { tasks, names, source, createdBy }: {
    readonly tasks: readonly VariantTask[];
    readonly names: readonly string[];
    readonly source: SourceWorkload;
    readonly createdBy: string;
  },
): Promise<void> {
  const fragmentsAt = (original: number) =>
    source.fragments[original] ?? { durationMs: [], mhz: [] };
  const common = { compression: "snappy", createdBy } as const;
  await writeFragments(join(folder, "fragments.parquet"), {
    ...common,
    timeFactor: 1,
    tasks: tasks.map(({ original }, at) => {
      const { durationMs, mhz } = fragmentsAt(original);
      return {
        id: at + 1,
        freqMhz: 1,
        fragments: {
          length: mhz.length,
          durationMs: Float64Array.from(durationMs),
          cores: Float64Array.from(mhz),
          duplicates: 0,
          outside: 0,
        },
      };
    }),
  });
  const { numbers } = source;
  await writeTasks(join(folder, "tasks.parquet"), {
    ...common,
    tasks: tasks.map(({ original, submissionMs }, at) => ({
      id: at + 1,
      name: names[at] as string,
      submissionMs,
      durationMs: numbers.duration[original] as number,
      cpuCount: numbers.cpu_count[original] as number,
      capacityMhz: numbers.cpu_capacity[original] as number,
      memCapacity: numbers.mem_capacity[original] as number,
      fragmentCount: fragmentsAt(original).mhz.length,
    })),
  });
}

async function removeTree(folder: string): Promise<void> {
  try {
    await Deno.remove(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
