/**
 * Checks an export against the parsed run that it was made of: nothing lost, nothing added.
 *
 * @module
 */

import type { ReadManifest } from "../opendc/manifest.ts";
import { findSources, keyOf, readRun, type SourcedInvocation } from "../opendc/input.ts";
import { emptyCounts, readRows, TaskIndex } from "../opendc/join.ts";
import { type Check, checkOf, Offenders } from "./check.ts";
import type { FragmentSums, TaskTable } from "./workload.ts";

/** What is compared. */
export interface CtsOptions {
  /** The parsed run. */
  readonly cts: string;
  /** Which invocation each task is. */
  readonly manifest: ReadManifest;
  /** The workload's tasks. */
  readonly tasks: TaskTable;
  /** What their fragments sum to. */
  readonly sums: FragmentSums;
}

/**
 * Two sums of the same CPU time in another order, and once multiplied and divided by a frequency: a
 * millionth is far above what doubles lose over 10^8 terms, and far below one reading.
 */
const RELATIVE_TOLERANCE = 1e-6;

/** Read the run and compare. */
export async function checkAgainstCts(options: CtsOptions): Promise<Check[]> {
  const sources = await findSources(options.cts);
  const { invocations } = await readRun(sources);
  const sumMs = new Float64Array(invocations.length);
  const rows = new Float64Array(invocations.length);
  // Rows that are there twice count once, as in the export.
  const seen = new Set<string>();
  const store = {
    add: (
      task: number,
      { tsMs, dtMs, cpuMs, pid }: { tsMs: number; dtMs: number; cpuMs: number; pid: number },
    ) => {
      if (options.manifest.counts.duplicate_rows > 0) {
        const key = `${task} ${tsMs} ${dtMs} ${cpuMs} ${pid}`;
        if (seen.has(key)) return;
        seen.add(key);
      }
      sumMs[task] = (sumMs[task] as number) + cpuMs;
      rows[task] = (rows[task] as number) + 1;
    },
  };
  const index = new TaskIndex(invocations, { candidates: invocations });
  const peakRssKb = new Float64Array(invocations.length);
  const sink = { index, store, peakRssKb, counts: emptyCounts(), onRead: () => {} };
  for (const [at, source] of sources.entries()) await readRows(source, { at, sink });
  const cpuMs = invocations.map(({ cpu_ms }, place) =>
    (rows[place] as number) > 0 ? sumMs[place] as number : cpu_ms
  );
  return [checkConservation(options, { invocations, cpuMs }), checkAccount(options, invocations)];
}

function checkConservation(
  { manifest, tasks, sums }: CtsOptions,
  measured: {
    readonly invocations: readonly SourcedInvocation[];
    readonly cpuMs: readonly (number | null)[];
  },
): Check {
  const placeOf = new Map(measured.invocations.map((one, place) => [keyOf(one), place]));
  const wrong = new Offenders();
  let total = 0;
  let compared = 0;
  for (const task of manifest.tasks) {
    if (task.not_measured.includes("usage")) continue;
    const place = tasks.placeOf.get(task.id);
    const energy = place === undefined ? 0 : sums.energyMhzMs[place] as number;
    const exportedMs = energy / (manifest.freq_mhz[task.node] ?? NaN);
    const cpuMs = measured.cpuMs[placeOf.get(keyOf(task)) ?? -1] ?? null;
    compared++;
    total += exportedMs;
    if (cpuMs === null) wrong.add(`${task.name}: no measurement`);
    else if (!(Math.abs(exportedMs - cpuMs) <= RELATIVE_TOLERANCE * Math.max(1, cpuMs))) {
      wrong.add(`${task.name}: ${exportedMs} of ${cpuMs} ms`);
    }
  }
  return checkOf("conservation", {
    problems: wrong.problems("tasks have another CPU time than was measured"),
    found: `${compared} tasks, ${(total / 1000).toFixed(3)} CPU s as measured`,
  });
}

/** Every invocation is a task or was left out with a reason, once. */
function checkAccount(
  { manifest }: CtsOptions,
  invocations: readonly SourcedInvocation[],
): Check {
  const account = [...manifest.tasks, ...manifest.left_out].map(keyOf);
  const known = new Set(account);
  const missing = new Offenders();
  for (const one of invocations) if (!known.has(keyOf(one))) missing.add(one.trace_id);
  const problems = missing.problems("invocations are neither tasks nor listed as left out");
  if (account.length > known.size) {
    problems.push(`${account.length - known.size} invocations are in the account twice`);
  }
  return checkOf("account", {
    problems,
    found:
      `${manifest.tasks.length} exported + ${manifest.left_out.length} left out = ${invocations.length} invocations`,
  });
}
