/**
 * What is known of each task before its fragments are written: pure, but for the rows that it looks up.
 *
 * @module
 */

import type { CtsNode } from "../../trace/cts.ts";
import { constantFragment, type Fragments, fragmentsOf } from "./fragments.ts";
import { ExportError, type ParsedRun } from "./input.ts";
import type { RowStore } from "./rows.ts";
import {
  type Candidate,
  leaveOut,
  type LeftOut,
  type TASK_ID_MODES,
  taskIds,
  taskNames,
} from "./tasks.ts";
import type { PowerModel } from "../power/models.ts";
import type { HostNode } from "./topology.ts";

/**
 * Where a task's fragments come from: rows of its processes; an exact total without rows; nothing
 * measured, so that its reservation stands for it on request.
 */
export type SeriesKind = "rows" | "total" | "filled";

/** A task of the workload. */
export interface PlannedTask {
  /** The invocation. */
  readonly candidate: Candidate;
  /** Its index in the row store. */
  readonly row: number;
  /** Where its fragments come from. */
  readonly kind: SeriesKind;
  /** Id in the workload. */
  readonly id: number;
  /** Name in the workload. */
  readonly name: string;
  /** The node that it ran on. */
  readonly host: HostNode;
  /** Most memory, kB; null: not known. */
  readonly memoryKb: number | null;
}

/** The tasks of a workload and what became of the rest. */
export interface Plan {
  /** In the order of submission. */
  readonly tasks: readonly PlannedTask[];
  /** Candidates without any measurement. */
  readonly notMeasured: readonly LeftOut[];
}

/**
 * The nodes with the frequency of a core: the override, else what parse found.
 *
 * @throws {ExportError} for a node whose frequency is not known, saying how to give it.
 */
export function hostNodesOf(
  run: ParsedRun,
  { overrideMhz, power }: {
    readonly overrideMhz: number | null;
    readonly power?: ReadonlyMap<string, PowerModel> | undefined;
  },
): Map<string, HostNode> {
  const hosts = new Map<string, HostNode>();
  for (const [name, node] of run.nodes) {
    hosts.set(name, {
      node,
      freqMhz: overrideMhz ?? knownFrequency(node),
      power: power?.get(name) ?? null,
    });
  }
  return hosts;
}

function knownFrequency({ node_id, cpu_freq_mhz, cpu_freq_mhz_exact }: CtsNode): number {
  const freqMhz = cpu_freq_mhz ?? cpu_freq_mhz_exact;
  if (freqMhz !== null) return freqMhz;
  throw new ExportError(
    `Cannot export node "${node_id}": the frequency of its cores is required and not on record; ` +
      `give it with --cpu-freq-mhz MHZ, or set CPU_FREQ_MHZ when collecting`,
  );
}

/** How {@linkcode planTasks} decides. */
export interface PlanOptions {
  /** Rows of all candidates, sealed. */
  readonly store: RowStore;
  /** Most resident memory seen in rows, kB, by candidate; 0: none seen. */
  readonly peakRssKb: Float64Array;
  /** The nodes by NODE_ID. */
  readonly hosts: ReadonlyMap<string, HostNode>;
  /** How ids are given. */
  readonly taskIdMode: typeof TASK_ID_MODES[number];
  /** True where tasks without any measurement are kept. */
  readonly isFilling: boolean;
}

/**
 * The tasks among `candidates`, with their ids and names.
 *
 * @throws {ExportError} for a task of a node that no nodes.json describes.
 */
export function planTasks(candidates: readonly Candidate[], options: PlanOptions): Plan {
  const chosen: { candidate: Candidate; row: number; kind: SeriesKind }[] = [];
  const notMeasured: LeftOut[] = [];
  for (const [row, candidate] of candidates.entries()) {
    const kind = kindOf(candidate, row, options);
    if (kind === null) notMeasured.push(leaveOut(candidate, "not_measured"));
    else chosen.push({ candidate, row, kind });
  }
  const taken = chosen.map(({ candidate }) => candidate);
  const ids = taskIds(taken, options.taskIdMode);
  const names = taskNames(taken);
  const tasks = chosen.map((one, index): PlannedTask => ({
    ...one,
    id: ids[index] as number,
    name: names[index] as string,
    host: hostOf(one.candidate, options.hosts),
    memoryKb: memoryOf(one.candidate, options.peakRssKb[one.row] as number),
  }));
  return { tasks, notMeasured };
}

function kindOf(
  { cpu_ms, cpu_units }: Candidate,
  row: number,
  { store, isFilling }: PlanOptions,
): SeriesKind | null {
  if (store.hasRows(row)) return "rows";
  if (cpu_ms !== null) return "total";
  return isFilling && cpu_units !== null ? "filled" : null;
}

function hostOf({ node, trace_id }: Candidate, hosts: ReadonlyMap<string, HostNode>): HostNode {
  const host = hosts.get(node);
  if (host !== undefined) return host;
  throw new ExportError(
    `Cannot export invocation ${trace_id}: a description of its node "${node}" is required in ` +
      `nodes.json, got ${[...hosts.keys()].join(", ") || "none"}. parse takes it from the ` +
      `node_meta.json that the collector of that node writes; without a collector, write it with ` +
      `start-collect PROC_SAMPLING=0 there and parse again`,
  );
}

/** The kernel's own peak, or what readings saw where that is more; null where neither is known. */
function memoryOf({ max_rss_kb }: Candidate, peakRssKb: number): number | null {
  const memoryKb = Math.max(max_rss_kb ?? 0, peakRssKb);
  return memoryKb > 0 || max_rss_kb !== null ? memoryKb : null;
}

/** Start and end of a task, epoch ms. */
export function spanOf({ candidate }: PlannedTask): { startMs: number; endMs: number } {
  return { startMs: candidate.ts_start, endMs: candidate.ts_end };
}

/** The fragments of a task. */
export function fragmentsOfTask(task: PlannedTask, store: RowStore): Fragments {
  const span = spanOf(task);
  if (task.kind === "rows") return fragmentsOf(store.rowsOf(task.row), span);
  if (task.kind === "total") return constantFragment(task.candidate.cpu_ms ?? 0, span);
  // All that was reserved, as far as the machine has it: a vCPU of an over-provisioned node is less.
  const cores = Math.min(task.candidate.cpu_units ?? 0, task.host.node.cpu_cores);
  return { ...constantFragment(0, span), cores: Float64Array.of(cores) };
}
