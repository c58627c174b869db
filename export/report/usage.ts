/**
 * What tasks and nodes used over time, from samples, in bins whose number is bounded however long a run is.
 *
 * @module
 */

import type { Table } from "./columns.ts";
import { tableNames } from "./run_columns.ts";

/** Values in all that nodes' series may have: some 200 kB of a page. */
const NODE_VALUES = 120_000;

/** Bins of a node's series: more than a screen has pixels would not be seen, fewer than this be coarse. */
const NODE_BINS = { least: 60, most: 1200 } as const;

/** Values in all that tasks' series may have: about 1 MB of a page. */
const TASK_VALUES = 400_000;

/** Points of a task's series; below the least its curve would say nothing that its total does not. */
const TASK_POINTS = { least: 4, most: 64 } as const;

/** Memory is kept in steps of 256 KiB: of the 100 MiB of a small process less than a pixel. */
const MEMORY_STEPS_PER_KB = 1 / 256;

/** The size of series that a run has. */
export interface UsageSize {
  /** Nodes. */
  readonly nodes: number;
  /** Tasks and attempts. */
  readonly tasks: number;
  /** Length of the run, ms. */
  readonly spanMs: number;
  /** Longest sampling interval, ms: bins are not shorter. */
  readonly intervalMs: number;
}

/** Bins of each node's series, and points of each task's. */
export function usageBins(
  { nodes, tasks, spanMs, intervalMs }: UsageSize,
): { readonly bins: number; readonly points: number } {
  const fit = Math.max(NODE_BINS.least, Math.floor(NODE_VALUES / Math.max(1, nodes)));
  const useful = Math.max(1, Math.floor(spanMs / intervalMs));
  const points = Math.floor(TASK_VALUES / Math.max(1, tasks));
  return {
    bins: spanMs <= 0 ? 0 : Math.min(NODE_BINS.most, fit, useful),
    points: points < TASK_POINTS.least ? 0 : Math.min(TASK_POINTS.most, points),
  };
}

/** One sample: what was used in the interval of `dtMs` that ends at `toMs`. */
export interface UsageSample {
  /** Place of the node; negative: it is not known. */
  readonly node: number;
  /** Row of the task; negative: it is of none. */
  readonly task: number;
  /** End, ms since the run's zero. */
  readonly toMs: number;
  readonly dtMs: number;
  readonly cpuMs: number;
  /** Resident memory; null: it was not read. */
  readonly rssKb: number | null;
}

/** When tasks ran. */
export interface TaskTimes {
  /** Start of each, ms since the run's zero. */
  readonly start: Float64Array;
  /** Run time of each, ms. */
  readonly run: Float64Array;
}

/** Adds up samples. */
export class Usage {
  readonly #size: { readonly bins: number; readonly points: number; readonly binMs: number };
  readonly #times: TaskTimes;
  readonly #nodeCpu: Float64Array;
  readonly #nodeMemory: Float64Array;
  readonly #taskCpu: Float64Array;
  readonly #taskMemory: Float64Array;

  constructor(size: UsageSize, times: TaskTimes) {
    const { bins, points } = usageBins(size);
    this.#size = { bins, points, binMs: bins === 0 ? 0 : size.spanMs / bins };
    this.#times = times;
    this.#nodeCpu = new Float64Array(size.nodes * bins);
    this.#nodeMemory = new Float64Array(size.nodes * bins);
    this.#taskCpu = new Float64Array(size.tasks * points);
    this.#taskMemory = new Float64Array(size.tasks * points).fill(NaN);
  }

  /** Bins and points, as the page has to know them. */
  get size(): { readonly bins: number; readonly points: number; readonly binMs: number } {
    return this.#size;
  }

  /** Take a sample. */
  add({ node, task, toMs, dtMs, cpuMs, rssKb }: UsageSample): void {
    const { bins, binMs, points } = this.#size;
    const fromMs = toMs - dtMs;
    if (node >= 0 && bins > 0) {
      spread(this.#nodeCpu, cpuMs / binMs, {
        base: node * bins,
        bins,
        from: fromMs / binMs,
        to: toMs / binMs,
      });
      if (rssKb !== null) {
        // Memory is held all through the interval: its mean over a bin is weighted by time.
        spread(this.#nodeMemory, rssKb * dtMs / binMs, {
          base: node * bins,
          bins,
          from: fromMs / binMs,
          to: toMs / binMs,
        });
      }
    }
    const runMs = task < 0 ? NaN : this.#times.run[task] as number;
    if (!(runMs > 0) || points === 0) return;
    const start = this.#times.start[task] as number;
    const partMs = runMs / points;
    const base = task * points;
    const [from, to] = [(fromMs - start) / partMs, (toMs - start) / partMs];
    spread(this.#taskCpu, cpuMs / partMs, { base, bins: points, from, to });
    if (rssKb === null) return;
    spread(this.#taskMemory, rssKb * dtMs / partMs, { base, bins: points, from, to });
  }

  /** The tables of the run at `place` of a report. */
  tables(place: number): Table[] {
    const names = tableNames(place);
    const number = (values: Float64Array, scale: number) =>
      ({ kind: "number", values, scale }) as const;
    return [
      {
        name: names.bins,
        columns: {
          used_cores: number(this.#nodeCpu, 100),
          memory_kb: number(this.#nodeMemory, MEMORY_STEPS_PER_KB),
        },
      },
      {
        name: names.series,
        columns: {
          cores: number(this.#taskCpu, 100),
          memory_kb: number(this.#taskMemory, MEMORY_STEPS_PER_KB),
        },
      },
    ];
  }
}

/** Spread `amount` evenly over the bins from `from` to `to` (in bins); what is outside goes to the edge. */
function spread(
  into: Float64Array,
  amount: number,
  { base, bins, from, to }: {
    readonly base: number;
    readonly bins: number;
    readonly from: number;
    readonly to: number;
  },
): void {
  const first = Math.min(bins - 1, Math.max(0, Math.floor(from)));
  const last = Math.min(bins - 1, Math.max(first, Math.ceil(to) - 1));
  if (first === last) {
    into[base + first] = known(into[base + first]) + amount;
    return;
  }
  const length = to - from;
  for (let bin = first; bin <= last; bin++) {
    const left = bin === first ? from : bin;
    const right = bin === last ? to : bin + 1;
    into[base + bin] = known(into[base + bin]) + amount * (right - left) / length;
  }
}

/** A value that is added to; not known before the first. */
function known(value: number | undefined): number {
  return value === undefined || Number.isNaN(value) ? 0 : value;
}
