/**
 * Checks the carbon traces of an export against what OpenDC accepts.
 *
 * @module
 */

import { dirname, join } from "@std/path";
import { ExportError, isFile } from "../opendc/input.ts";
import { readCarbon } from "../opendc/carbon.ts";
import { readTrace } from "../opendc/trace_files.ts";
import { type Check, checkOf } from "./check.ts";

/** A trace that a topology names. */
export interface NamedCarbon {
  /** The topology, for messages. */
  readonly topology: string;
  /** Path of the trace, relative to the export. */
  readonly path: string;
}

/** Check the traces that the topologies of `folder` name; no check where none is named. */
export async function checkCarbon(folder: string, named: readonly NamedCarbon[]): Promise<Check[]> {
  if (named.length === 0) return [];
  const problems: string[] = [];
  for (const { topology, path } of named) {
    const found = await carbonProblems(folder, path);
    problems.push(...found.map((one) => `${topology}: ${one}`));
  }
  const paths = [...new Set(named.map(({ path }) => path))];
  return [checkOf("carbon", { problems, found: `${paths.length}: ${paths.join(", ")}` })];
}

async function carbonProblems(folder: string, path: string): Promise<string[]> {
  const file = join(folder, path);
  if (!await isFile(file)) return [`there is no "${path}"`];
  try {
    const { timesMs } = await readCarbon(file);
    const tasks = join(dirname(file), "tasks.parquet");
    if (!await isFile(tasks)) return [];
    const [submissions = []] = await readTrace(tasks, ["submission_time"]);
    const firstMs = submissions.reduce((min, one) => Math.min(min, one), Infinity);
    const begin = timesMs[0] as number;
    // OpenDC goes back to the row before the first one and throws.
    return begin > firstMs
      ? [`${path} begins ${begin - firstMs} ms after the first submission of its workload`]
      : [];
  } catch (error) {
    if (!(error instanceof ExportError)) throw error;
    return [error.message];
  }
}

/** Paths of carbon traces in the content of a topology, in either form of OpenDC. */
export function carbonPaths(topology: unknown): string[] {
  const { clusters } = (topology ?? {}) as { clusters?: unknown };
  if (!Array.isArray(clusters)) return [];
  return clusters.flatMap((cluster) => {
    const { carbonTracePath, carbon } = cluster?.powerSource ?? {};
    return [carbonTracePath, carbon?.name].filter((one) => typeof one === "string");
  });
}
