/**
 * Rows of `capacity`: what each node offered, and what of it was reserved and used, over time. Pure.
 *
 * @module
 */

import type { OfferedUnits } from "./placement_rows.ts";
import type { CapacityRow } from "./queue_tables.ts";
import type { NodeRow } from "./node_tables.ts";
import type { AttemptRow, RequestRow, TaskRow } from "./task_tables.ts";

/** Lengths of an interval, ms; the first that divides the run into no more than the bound is taken. */
const STEPS_MS = [1000, 60_000, 3_600_000, 86_400_000] as const;

/** Intervals of a run at most, as long as a step is there: 8 MB for each measure of a node. */
const BINS_MAX = 1_000_000;

/** Intervals of equal length from the begin to the end of a run. */
export interface TimeGrid {
  /** Begin of the first interval, epoch ms. */
  readonly startMs: number;
  /** Length of each, ms. */
  readonly stepMs: number;
  /** How many. */
  readonly count: number;
}

/** The intervals that cover every time of tasks and requests; null where there is none. */
export function gridOf({ attempts, requests, tasks }: {
  readonly attempts: readonly AttemptRow[];
  readonly requests: readonly RequestRow[];
  readonly tasks: readonly TaskRow[];
}): TimeGrid | null {
  let first = Infinity;
  let last = -Infinity;
  function cover(time: number | null): void {
    if (time === null) return;
    first = Math.min(first, time);
    last = Math.max(last, time);
  }
  for (const { ts_enqueue } of tasks) cover(ts_enqueue);
  for (const rows of [attempts, requests]) {
    for (const { ts_start, ts_end } of rows) {
      cover(ts_start);
      cover(ts_end);
    }
  }
  if (first === Infinity) return null;
  const stepMs = STEPS_MS.find((step) => (last - first) / step <= BINS_MAX) ?? 86_400_000;
  const startMs = Math.floor(first / stepMs) * stepMs;
  return { startMs, stepMs, count: Math.max(1, Math.ceil((last - startMs) / stepMs)) };
}

/** Means over the intervals of a grid. */
export class GridMeans {
  readonly #grid: TimeGrid;
  readonly #sums: Float64Array;

  /** All of them 0. */
  constructor(grid: TimeGrid) {
    this.#grid = grid;
    this.#sums = new Float64Array(grid.count);
  }

  /** Count `level` from one time to another, epoch ms; what is outside of the grid is left out. */
  addLevel(
    level: number,
    { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  ): void {
    const { startMs, stepMs, count } = this.#grid;
    const from = Math.max(0, (fromMs - startMs) / stepMs);
    const to = Math.min(count, (toMs - startMs) / stepMs);
    for (let bin = Math.floor(from); bin < to; bin++) {
      const part = Math.min(to, bin + 1) - Math.max(from, bin);
      this.#sums[bin] = (this.#sums[bin] ?? 0) + level * part;
    }
  }

  /** Count CPU time that was used in the interval of this length that ends at `endMs`. */
  addUse(cpuMs: number, { endMs, dtMs }: { readonly endMs: number; readonly dtMs: number }): void {
    if (dtMs > 0) this.addLevel(cpuMs / dtMs, { fromMs: endMs - dtMs, toMs: endMs });
  }

  /** The mean in this interval. */
  at(bin: number): number {
    // The sums of many parts of intervals: what is left of a level that came and went is no level.
    return Math.round((this.#sums[bin] ?? 0) * 1e9) / 1e9;
  }
}

/** What the rows are made from. */
export interface CapacityInputs {
  /** The intervals. */
  readonly grid: TimeGrid;
  /** The nodes. */
  readonly nodes: readonly NodeRow[];
  /** Every attempt. */
  readonly attempts: readonly AttemptRow[];
  /** Every task. */
  readonly tasks: readonly TaskRow[];
  /** What each node offered over time, by node. */
  readonly offered: ReadonlyMap<string, readonly OfferedUnits[]>;
  /** Cores in use, by node. */
  readonly used: ReadonlyMap<string, GridMeans>;
}

/** The rows, node by node in the order of their names. */
export function* capacityRows(inputs: CapacityInputs): Generator<CapacityRow> {
  const { grid, nodes, attempts, tasks } = inputs;
  const queued = queuedMeans(tasks, grid);
  const assignedMs = new Map(tasks.map((task) => [task.span_id, task.ts_assigned]));
  const byNode = Map.groupBy(attempts, ({ node }) => node);
  const names = new Set([...nodes.map(({ node_id }) => node_id), ...byNode.keys()]);
  for (const node of [...names].sort()) {
    const means = nodeMeans(byNode.get(node) ?? [], { grid, assignedMs });
    const used = inputs.used.get(node) ?? null;
    const constant = nodes.find(({ node_id }) => node_id === node)?.capacity_units ?? null;
    const offered = offeredMeans(inputs.offered.get(node) ?? null, grid);
    for (let bin = 0; bin < grid.count; bin++) {
      yield {
        node,
        ts_ms: grid.startMs + bin * grid.stepMs,
        dt_ms: grid.stepMs,
        offered_units: offered?.at(bin) ?? constant,
        reserved_units: means.reserved.at(bin),
        used_cores: used?.at(bin) ?? 0,
        running: means.running.at(bin),
        starting: means.starting.at(bin),
        queued: queued.at(bin),
      };
    }
  }
}

function queuedMeans(tasks: readonly TaskRow[], grid: TimeGrid): GridMeans {
  const queued = new GridMeans(grid);
  for (const { ts_enqueue, ts_assigned, ts_start, ts_finish } of tasks) {
    const toMs = ts_assigned ?? ts_start ?? ts_finish ?? Infinity;
    if (ts_enqueue !== null) queued.addLevel(1, { fromMs: ts_enqueue, toMs });
  }
  return queued;
}

interface NodeMeans {
  readonly reserved: GridMeans;
  readonly running: GridMeans;
  readonly starting: GridMeans;
}

function nodeMeans(
  attempts: readonly AttemptRow[],
  { grid, assignedMs }: {
    readonly grid: TimeGrid;
    readonly assignedMs: ReadonlyMap<string | null, number | null>;
  },
): NodeMeans {
  const reserved = new GridMeans(grid);
  const running = new GridMeans(grid);
  const starting = new GridMeans(grid);
  for (const { span_id, cpu_units, ts_start, ts_end } of attempts) {
    if (ts_start === null) continue;
    const toMs = ts_end ?? Infinity;
    const fromMs = Math.min(assignedMs.get(span_id) ?? ts_start, ts_start);
    running.addLevel(1, { fromMs: ts_start, toMs });
    starting.addLevel(1, { fromMs, toMs: ts_start });
    if (cpu_units !== null) reserved.addLevel(cpu_units, { fromMs, toMs });
  }
  return { reserved, running, starting };
}

function offeredMeans(steps: readonly OfferedUnits[] | null, grid: TimeGrid): GridMeans | null {
  if (steps === null) return null;
  const offered = new GridMeans(grid);
  for (const [index, { fromMs, units }] of steps.entries()) {
    offered.addLevel(units, { fromMs, toMs: steps[index + 1]?.fromMs ?? Infinity });
  }
  return offered;
}
