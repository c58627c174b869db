/**
 * Runs the scenarios of a sweep and keeps what came out: a scenario that is done is not run again.
 *
 * @module
 */

import { join } from "@std/path";
import { messageOf, writeJsonAtomic } from "../../trace/atomic_file.ts";
import { isFile } from "../opendc/input.ts";
import { type Metrics, readMetrics } from "./metrics.ts";
import { SCENARIO_FILE, tasksOf, writeScenario } from "./scenario_files.ts";
import type { SweepSource } from "./source.ts";
import type { Scenario } from "./spec.ts";

/** What became of a scenario. */
export interface ScenarioResult {
  /** The scenario. */
  readonly id: string;
  /** Its values without the seed. */
  readonly group: string;
  /** Its values by axis. */
  readonly values: Readonly<Record<Axis, string>>;
  /** Seed. */
  readonly seed: number;
  /** How it ended. */
  readonly status: "done" | "failed";
  /** Why it failed; null: it did not. */
  readonly reason: string | null;
  /** Its figures; null where it failed. */
  readonly metrics: Metrics | null;
}

/** What scenarios differ in besides the seed. */
export const AXES = ["policy", "topology", "workload", "failures", "carbon"] as const;

/** What scenarios differ in besides the seed. */
export type Axis = typeof AXES[number];

/** How a sweep is run. */
export interface SweepOptions {
  /** What it varies. */
  readonly source: SweepSource;
  /** Folder that paths of traces are relative to. */
  readonly base: string;
  /** Folder of the sweep. */
  readonly output: string;
  /** Scenarios at a time. */
  readonly jobs: number;
  /** Program, for footers. */
  readonly createdBy: string;
  /** Runs OpenDC in the folder of a scenario; throws when that fails. */
  readonly simulate: (folder: string, id: string) => Promise<void>;
  /** Told of each scenario that ended. */
  readonly report: (result: ScenarioResult, counts: { done: number; total: number }) => void;
  /** Ends the sweep between two scenarios. */
  readonly signal: AbortSignal;
}

/** Run `scenarios` as far as they are not done; their results in order. */
export async function runSweep(
  scenarios: readonly Scenario[],
  options: SweepOptions,
): Promise<ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  let next = 0;
  let done = 0;
  async function work(): Promise<void> {
    for (;;) {
      options.signal.throwIfAborted();
      const at = next++;
      const scenario = scenarios[at];
      if (scenario === undefined) return;
      const result = await earlierResult(scenario, options) ?? await runScenario(scenario, options);
      results[at] = result;
      options.report(result, { done: ++done, total: scenarios.length });
    }
  }
  await Promise.all(Array.from({ length: options.jobs }, work));
  return results;
}

const RESULT_FILE = "result.json";

/** What a result was made of: another spec or another export makes it void. */
interface StoredResult {
  readonly inputs: unknown;
  readonly result: ScenarioResult;
}

function inputsOf(scenario: Scenario, { source }: SweepOptions): unknown {
  const { outputs } = source.manifest;
  return { scenario, outputs: outputs.map(({ name, sha256 }) => ({ name, sha256 })) };
}

async function earlierResult(
  scenario: Scenario,
  options: SweepOptions,
): Promise<ScenarioResult | null> {
  const path = join(options.output, "scenarios", scenario.id, RESULT_FILE);
  if (!await isFile(path)) return null;
  const { inputs, result } = JSON.parse(await Deno.readTextFile(path)) as StoredResult;
  const isSame = JSON.stringify(inputs) === JSON.stringify(inputsOf(scenario, options));
  return isSame && result.status === "done" ? result : null;
}

async function runScenario(scenario: Scenario, options: SweepOptions): Promise<ScenarioResult> {
  const folder = join(options.output, "scenarios", scenario.id);
  await writeScenario(scenario, options);
  const { id, group, seed } = scenario;
  const values = {
    policy: scenario.policy.name,
    topology: scenario.topology.name,
    workload: scenario.workload.name,
    failures: scenario.failures.name,
    carbon: scenario.carbon.name,
  };
  const common = { id, group, values, seed };
  let result: ScenarioResult;
  try {
    await options.simulate(folder, id);
    const metrics = await readMetrics(folder, {
      source: options.source,
      scenario: tasksOf(scenario, options.source.workload),
      hasCarbon: scenario.carbon.trace !== null,
    });
    result = { ...common, status: "done", reason: null, metrics };
  } catch (error) {
    options.signal.throwIfAborted();
    // Whatever the simulator did wrong is the result of this scenario; the others are still worth running.
    if (!(error instanceof Error)) throw error;
    result = { ...common, status: "failed", reason: messageOf(error), metrics: null };
  }
  const stored: StoredResult = { inputs: inputsOf(scenario, options), result };
  await writeJsonAtomic(join(folder, RESULT_FILE), stored);
  return result;
}

/** The experiment of a scenario, as a runner takes it. */
export const SCENARIO_EXPERIMENT = {
  name: "scenario",
  file: SCENARIO_FILE,
  sdk_file: null,
  node: null,
} as const;
