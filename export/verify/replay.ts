/**
 * Checks the per-host workloads of an export against the whole one.
 *
 * @module
 */

import { join } from "@std/path";
import { counted } from "../../trace/counted.ts";
import type { ReadManifest } from "../opendc/manifest.ts";
import { REPLAY_TIME_FACTOR } from "../opendc/experiment.ts";
import { POLICY_FOLDER } from "../opendc/policy_workload.ts";
import { type Check, checkOf, skipped } from "./check.ts";
import { replayNodes } from "./folder.ts";
import { readWorkload, type WorkloadContent } from "./read.ts";

/** Sums over the same fragments in the same order, durations scaled: equal but for the last bits. */
const RELATIVE_TOLERANCE = 1e-9;

/** Check that each task is in its host's replay, its times multiplied, its demand the same. */
export async function checkReplays(
  folder: string,
  { manifest, main }: { readonly manifest: ReadManifest; readonly main: WorkloadContent },
): Promise<Check[]> {
  const nodes = await replayNodes(folder);
  if (nodes.length === 0) return [skipped("replay", "there is none")];
  const problems: string[] = [];
  let tasks = 0;
  for (const node of nodes) {
    const { checks, content } = await readWorkload(join(folder, "replay", node));
    for (const { id, status, reason } of checks) {
      if (status === "fail") problems.push(`${node}: ${id}: ${reason}`);
    }
    if (content === null) continue;
    tasks += content.tasks.length;
    const ids = manifest.tasks.filter((task) => task.node === node).map(({ id }) => id);
    problems.push(
      ...compare(main, { replay: content, ids }).map((problem) => `${node}: ${problem}`),
    );
  }
  if (tasks !== main.tasks.length) {
    problems.push(`${main.tasks.length} tasks are required in all, got ${tasks}`);
  }
  return [
    checkOf("replay", {
      problems,
      found: `${counted(tasks, "task")} on ${counted(nodes.length, "host")}, times × 1000`,
    }),
  ];
}

/** Check that the policy's workload has each task, its times multiplied, its demand the same. */
export async function checkPolicy(
  folder: string,
  { manifest, main }: { readonly manifest: ReadManifest; readonly main: WorkloadContent },
): Promise<Check> {
  const experiment = manifest.experiments.find((one) => one.has_latencies === true);
  if (experiment === undefined) return skipped("policy", "its workload is the whole one");
  if (main.tasks.length === 0) return skipped("policy", "there is no task");
  const { checks, content } = await readWorkload(join(folder, POLICY_FOLDER));
  const problems = checks.filter(({ status }) => status === "fail")
    .map(({ id, reason }) => `${id}: ${reason}`);
  if (content === null) return checkOf("policy", { problems, found: "" });
  const extra = experiment.extra_tasks ?? 0;
  if (content.tasks.length !== main.tasks.length + extra) {
    problems.push(
      `${main.tasks.length} tasks and ${extra} for hosts are required, got ${content.tasks.length}`,
    );
  }
  const factor = experiment.time_factor;
  for (const { id, lead_ms, tail_ms } of manifest.tasks) {
    const place = main.tasks.placeOf.get(id);
    const own = content.tasks.placeOf.get(id);
    if (place === undefined || own === undefined) {
      problems.push(`task ${id} is missing`);
      continue;
    }
    problems.push(...demandProblems(main, { place, other: content, own, id, factor }));
    const heldMs = (main.sums.durationMs[place] as number) + (lead_ms ?? 0) + (tail_ms ?? 0);
    const foundMs = (content.sums.durationMs[own] as number) / factor;
    // The start and the end of a task are rounded to whole ms, each by half of one at most.
    if (Math.abs(foundMs - heldMs) > ROUNDING_MS) {
      problems.push(`task ${id} holds its capacity for ${foundMs} ms, ${heldMs} required`);
    }
  }
  return checkOf("policy", {
    problems,
    found: `${
      counted(main.tasks.length, "task")
    } and ${extra} for hosts that joined, times × ${factor}`,
  });
}

/** Rounding of start and end together, with the unit of the workload's own rounding. */
const ROUNDING_MS = 1.1;

function demandProblems(
  main: WorkloadContent,
  { place, other, own, id, factor }: {
    readonly place: number;
    readonly other: WorkloadContent;
    readonly own: number;
    readonly id: number;
    readonly factor: number;
  },
): string[] {
  const energy = (main.sums.energyMhzMs[place] as number) * factor;
  const off = Math.abs(energy - (other.sums.energyMhzMs[own] as number));
  return off > RELATIVE_TOLERANCE * Math.max(1, energy)
    ? [`task ${id} has another demand than in the whole workload`]
    : [];
}

function compare(
  main: WorkloadContent,
  { replay, ids }: { readonly replay: WorkloadContent; readonly ids: readonly number[] },
): string[] {
  const problems: string[] = [];
  for (const id of ids) {
    const place = main.tasks.placeOf.get(id);
    const own = replay.tasks.placeOf.get(id);
    if (place === undefined || own === undefined) {
      problems.push(`task ${id} is missing`);
      continue;
    }
    const durationMs = (main.sums.durationMs[place] as number) * REPLAY_TIME_FACTOR;
    if (durationMs !== replay.sums.durationMs[own]) {
      problems.push(`task ${id} runs ${replay.sums.durationMs[own]} ms, ${durationMs} required`);
    }
    problems.push(
      ...demandProblems(main, { place, other: replay, own, id, factor: REPLAY_TIME_FACTOR }),
    );
  }
  return problems;
}
