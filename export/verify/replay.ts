/**
 * Checks the per-host workloads of an export against the whole one.
 *
 * @module
 */

import { join } from "@std/path";
import { counted } from "../../trace/counted.ts";
import type { ReadManifest } from "../opendc/manifest.ts";
import { REPLAY_TIME_FACTOR } from "../opendc/experiment.ts";
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
    const energy = (main.sums.energyMhzMs[place] as number) * REPLAY_TIME_FACTOR;
    const off = Math.abs(energy - (replay.sums.energyMhzMs[own] as number));
    if (off > RELATIVE_TOLERANCE * Math.max(1, energy)) {
      problems.push(`task ${id} has another demand than in the whole workload`);
    }
  }
  return problems;
}
