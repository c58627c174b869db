/**
 * The figures of a run: what a report says first, and what its JSON twin holds. Pure.
 *
 * @module
 */

import { gather, type ReadRun, type RunTasks } from "./run_columns.ts";

/** How values are spread. */
export interface Spread {
  /** How many are known. */
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly p25: number;
  readonly p50: number;
  readonly p75: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Figures of some of the tasks of a run. */
export interface GroupSummary {
  /** Name of the group: a profile or a node. */
  readonly name: string;
  readonly tasks: number;
  /** Tasks by what became of them. */
  readonly states: Readonly<Record<string, number>>;
  /** From entering the queue to the start, ms; null: of none is it known. */
  readonly wait_ms: Spread | null;
  /** From start to end, ms. */
  readonly run_ms: Spread | null;
  /** (wait + run) / run. */
  readonly slowdown: Spread | null;
  /** CPU time of all of them, ms; null: of none is it known. */
  readonly cpu_ms: number | null;
  /** Reserved vCPUs times run time, vCPU ms. */
  readonly reserved_vcpu_ms: number | null;
  /** Cores that a task used on average, by task. */
  readonly used_cores: Spread | null;
  /** Part of its reservation that a task used, by task. */
  readonly used_share: Spread | null;
  /** Peak resident memory by task, KiB. */
  readonly max_rss_kb: Spread | null;
}

/** Figures of a run. */
export interface RunSummary extends GroupSummary {
  readonly kind: "measured" | "simulated";
  /** Time of the first event, epoch ms. */
  readonly ts_first: number;
  /** From the first submission to the last end, ms. */
  readonly makespan_ms: number | null;
  /** Parts of the wait, ms: behind others, at the head until a node had room, on the node. */
  readonly queue_ms: Spread | null;
  readonly placement_ms: Spread | null;
  readonly launch_ms: Spread | null;
  /** Attempts that do not count: a later one does. */
  readonly repeated_attempts: number;
  /** vCPUs that the nodes offer together; null: of one of them it is not known. */
  readonly offered_vcpus: number | null;
  /** Mean of the vCPUs reserved from the first submission to the last end. */
  readonly reserved_vcpus: number | null;
  /** Mean of the cores in use in that time. */
  readonly used_cores_mean: number | null;
  readonly profiles: readonly GroupSummary[];
  readonly nodes: readonly GroupSummary[];
}

/** The `p` quantile of sorted values, linear between neighbours (type 7 of Hyndman and Fan). */
export function quantileOfSorted(sorted: Float64Array, p: number): number {
  const at = (sorted.length - 1) * p;
  const low = Math.floor(at);
  const a = sorted[low] as number;
  const b = sorted[Math.min(low + 1, sorted.length - 1)] as number;
  return a + (b - a) * (at - low);
}

/** How the known ones of `values` are spread; null where there is none. */
export function spreadOf(values: Float64Array): Spread | null {
  const known = gather(values, rowsWith(values)).sort();
  if (known.length === 0) return null;
  const at = (p: number) => quantileOfSorted(known, p);
  return {
    count: known.length,
    mean: known.reduce((sum, one) => sum + one, 0) / known.length,
    min: known[0] as number,
    p25: at(0.25),
    p50: at(0.5),
    p75: at(0.75),
    p95: at(0.95),
    p99: at(0.99),
    max: known[known.length - 1] as number,
  };
}

/** What is asked of each task, by row; NaN where it is not known. */
export interface TaskFigures {
  readonly wait: Float64Array;
  readonly run: Float64Array;
  readonly slowdown: Float64Array;
  readonly cpu: Float64Array;
  readonly usedCores: Float64Array;
  readonly usedShare: Float64Array;
  readonly memoryKb: Float64Array;
  /** Reserved vCPUs times run time. */
  readonly reserved: Float64Array;
  /** Rows that count as tasks; the others are attempts after which another one counted. */
  readonly counted: Uint32Array;
}

/** The figures of each task. */
export function taskFigures(tasks: RunTasks): TaskFigures {
  const { enqueue, start, run, units } = tasks;
  const cpu = tasks.numbers("cpu_ms");
  const attempts = tasks.numbers("attempts");
  const wait = start.map((one, at) => one - (enqueue[at] as number));
  const usedCores = cpu.map((one, at) => one / (run[at] as number));
  return {
    wait,
    run,
    slowdown: wait.map((one, at) => (one + (run[at] as number)) / (run[at] as number)),
    cpu,
    usedCores,
    usedShare: usedCores.map((one, at) => one / (units[at] as number)),
    memoryKb: tasks.numbers("max_rss_kb"),
    reserved: run.map((one, at) => one * (units[at] as number)),
    counted: rowsWith(attempts),
  };
}

/** Rows with a known value. */
function rowsWith(values: Float64Array): Uint32Array {
  const rows = new Uint32Array(values.length);
  let count = 0;
  for (let row = 0; row < values.length; row++) {
    if (!Number.isNaN(values[row] as number)) rows[count++] = row;
  }
  return rows.subarray(0, count);
}

/** The figures of a run. */
export function summaryOf({ head, tasks }: ReadRun): RunSummary {
  const figures = taskFigures(tasks);
  const { counted } = figures;
  const of = (values: Float64Array) => spreadOf(gather(values, counted));
  const headWait = tasks.numbers("head_ms");
  const makespanMs = makespanOf(tasks, counted);
  const whole = groupSummary(head.id, { rows: counted, tasks, figures });
  const perTime = (amount: number | null) =>
    amount === null || makespanMs === null || makespanMs === 0 ? null : amount / makespanMs;
  const offered = head.nodes.map(({ capacityUnits }) => capacityUnits);
  return {
    ...whole,
    kind: head.kind,
    ts_first: head.zeroMs,
    makespan_ms: makespanMs,
    queue_ms: of(
      tasks.assigned.map((one, at) =>
        one - (headWait[at] as number) - (tasks.enqueue[at] as number)
      ),
    ),
    placement_ms: of(headWait),
    launch_ms: of(tasks.start.map((one, at) => one - (tasks.assigned[at] as number))),
    repeated_attempts: tasks.count - counted.length,
    offered_vcpus: offered.length === 0 || offered.includes(null)
      ? null
      : offered.reduce((sum: number, one) => sum + (one ?? 0), 0),
    reserved_vcpus: perTime(whole.reserved_vcpu_ms),
    used_cores_mean: perTime(whole.cpu_ms),
    profiles: groupsBy("profile", { tasks, figures }),
    nodes: groupsBy("node", { tasks, figures }),
  };
}

function groupsBy(
  column: "profile" | "node",
  { tasks, figures }: { readonly tasks: RunTasks; readonly figures: TaskFigures },
): GroupSummary[] {
  const { codes, names } = tasks.codes(column);
  const rows = names.map((): number[] => []);
  for (const row of figures.counted) rows[codes[row] as number]?.push(row);
  return names
    .map((name, at) => ({ name, rows: Uint32Array.from(rows[at] ?? []) }))
    .filter((one) => one.rows.length > 0)
    .map((one) => groupSummary(one.name, { rows: one.rows, tasks, figures }));
}

function groupSummary(
  name: string,
  { rows, tasks, figures }: {
    readonly rows: Uint32Array;
    readonly tasks: RunTasks;
    readonly figures: TaskFigures;
  },
): GroupSummary {
  const of = (values: Float64Array) => spreadOf(gather(values, rows));
  const { codes, names } = tasks.codes("state");
  const states: Record<string, number> = {};
  for (const row of rows) {
    const state = names[codes[row] as number] ?? "";
    states[state] = (states[state] ?? 0) + 1;
  }
  return {
    name,
    tasks: rows.length,
    states,
    wait_ms: of(figures.wait),
    run_ms: of(figures.run),
    slowdown: of(figures.slowdown),
    cpu_ms: sumOf(gather(figures.cpu, rows)),
    reserved_vcpu_ms: sumOf(gather(figures.reserved, rows)),
    used_cores: of(figures.usedCores),
    used_share: of(figures.usedShare),
    max_rss_kb: of(figures.memoryKb),
  };
}

function sumOf(values: Float64Array): number | null {
  let sum: number | null = null;
  for (const one of values) if (!Number.isNaN(one)) sum = (sum ?? 0) + one;
  return sum;
}

function makespanOf({ enqueue, begin, start, run }: RunTasks, counted: Uint32Array): number | null {
  let first = Infinity;
  let last = -Infinity;
  for (const row of counted) {
    const from = Number.isNaN(enqueue[row] as number) ? begin[row] : enqueue[row];
    const to = (start[row] as number) + (run[row] as number);
    if ((from as number) < first) first = from as number;
    if (to > last) last = to;
  }
  return last > first ? last - first : null;
}
