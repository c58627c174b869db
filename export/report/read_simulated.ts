/**
 * Reads a simulation of a run for a report: the same tasks under the same names, so that they can be
 * compared one by one.
 *
 * @module
 */

import { basename } from "@std/path";
import { readSimulatedPair, type SimulatedPair } from "../compare/compare.ts";
import { attemptKey, type RunParts } from "./read_run.ts";
import { type ReportNode, tableNames, TaskColumns, type TaskFacts } from "./run_columns.ts";

/** What is read. */
export interface ReadSimulatedOptions {
  /** The parsed run. */
  readonly measured: string;
  /** Folder of its export; null: the one that contains the output. */
  readonly export: string | null;
  /** Name of the experiment; null: the one whose name is in the output's path. */
  readonly experiment: string | null;
  /** Place of the simulation in the report. */
  readonly place: number;
  /** Tasks of the run by how invocations name them. */
  readonly facts: ReadonlyMap<string, TaskFacts>;
  /** Nodes of the run. */
  readonly nodes: readonly ReportNode[];
}

/**
 * Read the simulation in `folder`. Its tasks reserve what they did in the run; what each used is not in
 * OpenDC's output, only what each host did.
 *
 * @throws {SimulationError} when the output, the export or the run is not what it should be.
 */
export async function readSimulated(
  folder: string,
  options: ReadSimulatedOptions,
): Promise<RunParts> {
  const pair = await readSimulatedPair({ ...options, simulated: folder });
  const { manifest, experiment, measured, simulated, pairs } = pair;
  const taskOf = new Map(manifest.tasks.map((one) => [one.id, one]));
  const columns = new TaskColumns();
  pairs.forEach((one, at) => {
    const id = measured.tasks[at]?.id ?? -1;
    const task = taskOf.get(id);
    const fact = task === undefined ? undefined : options.facts.get(attemptKey(task) ?? "");
    if (fact === undefined) return;
    const host = simulated.tasks.get(id)?.host ?? null;
    const epoch = (ms: number | undefined) =>
      ms === undefined ? null : measured.firstSubmissionMs + ms;
    columns.add({
      ...fact,
      attempt: 1,
      attempts: 1,
      state: one.simulated === null ? "not finished" : "done",
      reason: null,
      node: host === null ? null : manifest.hosts[host] ?? host,
      status: null,
      signal: null,
      ts_enqueue: epoch(one.simulated?.submissionMs ?? one.measured.submissionMs),
      ts_head: null,
      ts_assigned: null,
      ts_start: epoch(one.simulated?.startMs),
      ts_end: epoch(one.simulated?.endMs),
      cpu_ms: null,
      cpu_source: null,
      cpu_seen_ms: null,
      max_rss_kb: null,
      samples: null,
      throttled_ms: null,
      cpuset: null,
      wait_reason: null,
      placed_reason: null,
      last_words: null,
    });
  });
  const zeroMs = columns.firstMs;
  const spanMs = Math.max(0, columns.lastMs - zeroMs);
  const names = tableNames(options.place);
  const used = usedCores(pair, { spanMs, nodes: options.nodes });
  return {
    head: {
      id: `${experiment.name} (${basename(folder)})`,
      kind: "simulated",
      zeroMs,
      spanMs,
      nodes: options.nodes,
      binMs: measured.binMs,
      bins: used.bins,
      seriesPoints: 0,
    },
    tables: [columns.table(names.tasks, { order: columns.order, zeroMs }), {
      name: names.bins,
      columns: {
        used_cores: { kind: "number", values: used.values, scale: 100 },
        memory_kb: {
          kind: "number",
          values: new Float64Array(used.values.length).fill(NaN),
          scale: 1,
        },
      },
    }],
    audits: [],
    provenance: null,
  };
}

/** Cores in use of each node in each bin, from the work that its host did. */
function usedCores(
  { simulated, manifest, measured, experiment }: SimulatedPair,
  { spanMs, nodes }: { readonly spanMs: number; readonly nodes: readonly ReportNode[] },
): { readonly bins: number; readonly values: Float64Array } {
  if (simulated.hosts === null) return { bins: 0, values: new Float64Array() };
  const bins = Math.max(1, Math.ceil(spanMs / measured.binMs));
  const values = new Float64Array(nodes.length * bins).fill(NaN);
  for (const [host, { workMhzMs, capacityMhz }] of simulated.hosts) {
    const name = experiment.node === null ? manifest.hosts[host] ?? host : host;
    const place = nodes.findIndex(({ id }) => id === name);
    const cores = nodes[place]?.cores ?? null;
    if (cores === null) continue;
    const mhz = capacityMhz / cores;
    workMhzMs.means(bins, spanMs).forEach((one, bin) => values[place * bins + bin] = one / mhz);
  }
  return { bins, values };
}
