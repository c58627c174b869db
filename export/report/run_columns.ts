/**
 * A run as a report carries it: columns of tasks, of their CPU and memory over time, and of nodes over
 * time. Written by the command, read by the page.
 *
 * @module
 */

import type { Codes, Column, PackedTable, Table, Unpacked } from "./columns.ts";

/** A node of a run. */
export interface ReportNode {
  /** NODE_ID. */
  readonly id: string;
  /** vCPUs that it offered; null: not known. */
  readonly capacityUnits: number | null;
  /** Its logical cores; null: not known. */
  readonly cores: number | null;
  /** Its memory, KiB; null: not known. */
  readonly memKb: number | null;
}

/** What a run's columns mean. */
export interface RunHead {
  /** RUN_ID, or what a simulation is called. */
  readonly id: string;
  /** Measured on machines or by a simulator. */
  readonly kind: "measured" | "simulated";
  /** Times of the columns count from here, epoch ms. */
  readonly zeroMs: number;
  /** Time of the last event, ms since `zeroMs`. */
  readonly spanMs: number;
  /** Its nodes, by name. */
  readonly nodes: readonly ReportNode[];
  /** Length of a bin of the nodes' series, ms. */
  readonly binMs: number;
  /** Bins of each node's series; 0: there is none. */
  readonly bins: number;
  /** Points of each task's series at most; 0: there are too many tasks for it. */
  readonly seriesPoints: number;
}

/** A task as it is reported; times in epoch ms. */
export interface TaskFacts {
  readonly task_id: string;
  readonly attempt: number | null;
  /** Attempts on record; null: this is an attempt after which another one counted. */
  readonly attempts: number | null;
  readonly profile: string | null;
  readonly state: string;
  readonly reason: string | null;
  readonly node: string | null;
  readonly status: number | null;
  readonly signal: string | null;
  readonly ts_enqueue: number | null;
  readonly ts_head: number | null;
  readonly ts_assigned: number | null;
  readonly ts_start: number | null;
  readonly ts_end: number | null;
  readonly cpu_units: number | null;
  readonly cpu_ms: number | null;
  readonly cpu_source: string | null;
  readonly cpu_seen_ms: number | null;
  readonly max_rss_kb: number | null;
  readonly samples: number | null;
  readonly throttled_ms: number | null;
  readonly cpuset: string | null;
  readonly command: string | null;
  /** Why it waited at the head of the queue. */
  readonly wait_reason: string | null;
  /** Why it went to its node. */
  readonly placed_reason: string | null;
  /** The end of what it wrote to stderr. */
  readonly last_words: string | null;
}

/** Facts that are columns of numbers, and steps per unit that are kept of each. */
const NUMBERS = {
  attempt: 1,
  attempts: 1,
  status: 1,
  cpu_units: 1,
  cpu_ms: 1000,
  max_rss_kb: 1,
  samples: 1,
  throttled_ms: 1000,
} as const;

/** Facts with few values. */
const CODES = [
  "profile",
  "state",
  "node",
  "cpu_source",
  "cpuset",
  "signal",
  "command",
  "reason",
  "wait_reason",
  "placed_reason",
  "last_words",
] as const;

/** Facts that are times; in columns they count from the run's zero. */
const TIMES = ["ts_enqueue", "ts_head", "ts_assigned", "ts_start", "ts_end"] as const;

/** Letters of a text that a report carries: the log of the task has the rest. */
const TEXT_LENGTH = 600;

/** Collects tasks, in any order. */
export class TaskColumns {
  readonly #ids: string[] = [];
  readonly #times = TIMES.map((): number[] => []);
  readonly #numbers = Object.keys(NUMBERS).map((): number[] => []);
  readonly #codes = CODES.map((): number[] => []);
  readonly #names = CODES.map(() => new Map<string, number>());

  readonly #seen: number[] = [];

  /** How many there are. */
  get count(): number {
    return this.#ids.length;
  }

  /** CPU time that no reading saw: a small number beside the whole. */
  #unseen(ordered: (values: readonly number[]) => Float64Array): Float64Array {
    const cpu = this.#numbers[NUMBER_NAMES.indexOf("cpu_ms")] as number[];
    return minus(ordered(cpu), ordered(this.#seen));
  }

  /** Take a task. */
  add(task: TaskFacts): void {
    this.#ids.push(cut(task.task_id));
    this.#seen.push(task.cpu_seen_ms ?? NaN);
    TIMES.forEach((name, at) => this.#times[at]?.push(task[name] ?? NaN));
    NUMBER_NAMES.forEach((name, at) => this.#numbers[at]?.push(task[name] ?? NaN));
    CODES.forEach((name, at) => {
      const names = this.#names[at] as Map<string, number>;
      const text = cut(task[name] ?? "");
      const code = names.get(text) ?? names.size;
      if (code === names.size) names.set(text, code);
      this.#codes[at]?.push(code);
    });
  }

  /** First moment on record, epoch ms; 0 where there is none. */
  get firstMs(): number {
    let first = Infinity;
    for (const times of this.#times) for (const one of times) if (one < first) first = one;
    return first === Infinity ? 0 : first;
  }

  /** Last moment on record, epoch ms; 0 where there is none. */
  get lastMs(): number {
    let last = -Infinity;
    for (const times of this.#times) for (const one of times) if (one > last) last = one;
    return last === -Infinity ? 0 : last;
  }

  /** Tasks by the time at which they came to their node; those that never did come last. */
  get order(): Uint32Array {
    const [, , assigned = [], start = []] = this.#times;
    const keys = new Float64Array(assigned.length);
    const order = new Uint32Array(assigned.length);
    let isSorted = true;
    for (let at = 0; at < keys.length; at++) {
      const begin = Number.isNaN(assigned[at] as number) ? start[at] as number : assigned[at];
      keys[at] = Number.isNaN(begin as number) ? Infinity : begin as number;
      order[at] = at;
      if (at > 0 && (keys[at] as number) < (keys[at - 1] as number)) isSorted = false;
    }
    // By its keys, not their difference: Infinity less Infinity is not a number.
    const compare = (a: number, b: number) =>
      (keys[a] as number) < (keys[b] as number) ? -1 : keys[a] === keys[b] ? a - b : 1;
    return isSorted ? order : order.sort(compare);
  }

  /** The columns, rows in the given order, times from `zeroMs`. */
  table(
    name: string,
    { order, zeroMs }: { readonly order: Uint32Array; readonly zeroMs: number },
  ): Table {
    const columns: Record<string, Column> = {};
    // Many tasks are not seen one by one: times are kept as exact as fits into a page.
    const coarse = RESOLUTIONS.find(({ rows }) => this.count <= rows)?.us ?? COARSEST_US;
    const ordered = (values: readonly number[]) => gather(values, order);
    const [enqueue, head, assigned, start, end] = this.#times.map((times) =>
      ordered(times).map((one) => one - zeroMs)
    ) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
    const scale = 1000 / coarse;
    columns.enqueue_ms = { kind: "number", values: enqueue, scale };
    columns.head_ms = { kind: "number", values: minus(assigned, head), scale };
    columns.assigned_ms = { kind: "number", values: assigned, scale };
    columns.start_ms = { kind: "number", values: start, scale };
    columns.unseen_ms = { kind: "number", values: this.#unseen(ordered), scale };
    columns.run_ms = { kind: "number", values: minus(end, start), scale };
    NUMBER_NAMES.forEach((one, at) => {
      const kept = NUMBERS[one];
      columns[one] = {
        kind: "number",
        values: ordered(this.#numbers[at] as number[]),
        scale: kept === 1 ? 1 : kept / coarse,
      };
    });
    CODES.forEach((one, at) => {
      const codes = this.#codes[at] as number[];
      columns[one] = sortedCodes(gather(codes, order), [
        ...(this.#names[at] as Map<string, number>).keys(),
      ]);
    });
    columns.task_id = { kind: "text", values: Array.from(order, (at) => this.#ids[at] as string) };
    return { name, columns };
  }
}

/** How exact times are kept, µs, up to so many rows. */
const RESOLUTIONS = [{ rows: 50_000, us: 1 }, { rows: 200_000, us: 10 }] as const;

/** How exact they are kept beyond, µs. */
const COARSEST_US = 1000;

const NUMBER_NAMES = Object.keys(NUMBERS) as (keyof typeof NUMBERS)[];

/** Codes of names in the order in which people list them: node2 before node10. */
function sortedCodes(codes: Float64Array, names: readonly string[]): Column {
  const collator = new Intl.Collator("en", { numeric: true });
  const order = names.map((_, at) => at)
    .sort((a, b) => collator.compare(names[a] as string, names[b] as string));
  const place = new Uint32Array(names.length);
  order.forEach((code, at) => place[code] = at);
  return {
    kind: "code",
    codes: codes.map((code) => place[code] as number),
    names: order.map((code) => names[code] as string),
  };
}

function cut(text: string): string {
  if (text.length <= TEXT_LENGTH) return text;
  return `${text.slice(0, TEXT_LENGTH)}… (${text.length} characters)`;
}

/** The values of some rows. */
export function gather(values: ArrayLike<number>, rows: Uint32Array): Float64Array {
  const gathered = new Float64Array(rows.length);
  for (let at = 0; at < rows.length; at++) gathered[at] = values[rows[at] as number] as number;
  return gathered;
}

function minus(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((one, at) => one - (b[at] as number));
}

/** Tasks of a run, read from its columns: times in ms since the run's zero, NaN where not known. */
export class RunTasks {
  /** Number of tasks and attempts. */
  readonly count: number;
  /** Entered the queue. */
  readonly enqueue: Float64Array;
  /** Given to its node. */
  readonly assigned: Float64Array;
  /** Started. */
  readonly start: Float64Array;
  /** Came to its node: assigned, else started. */
  readonly begin: Float64Array;
  /** Ended; of one that has not, the end of the record. */
  readonly end: Float64Array;
  /** Run time; of one that has not ended NaN. */
  readonly run: Float64Array;
  /** vCPUs reserved. */
  readonly units: Float64Array;
  readonly #table: PackedTable;

  constructor(table: PackedTable, head: RunHead) {
    this.#table = table;
    this.enqueue = table.numbers("enqueue_ms");
    this.count = this.enqueue.length;
    this.assigned = table.numbers("assigned_ms");
    this.start = table.numbers("start_ms");
    this.run = table.numbers("run_ms");
    this.units = table.numbers("cpu_units");
    this.begin = this.assigned.map((one, at) => Number.isNaN(one) ? this.start[at] as number : one);
    this.end = this.start.map((one, at) => {
      const end = one + (this.run[at] as number);
      if (!Number.isNaN(end) || Number.isNaN(this.begin[at] as number)) return end;
      // Superseded and lost attempts have no end on record: they are drawn until the record ends.
      return head.spanMs;
    });
  }

  /** Column of dictionary codes. */
  codes(name: typeof CODES[number]): Codes {
    return this.#table.codes(name);
  }

  /** Column of numbers. */
  numbers(name: keyof typeof NUMBERS | "head_ms" | "unseen_ms"): Float64Array {
    return this.#table.numbers(name);
  }

  /** Names of the tasks. */
  get ids(): readonly string[] {
    return this.#table.text("task_id");
  }

  /** Value of a column of codes; null: not known. */
  nameOf(name: typeof CODES[number], task: number): string | null {
    const { codes, names } = this.codes(name);
    return names[codes[task] as number] || null;
  }

  /** Value of a column of numbers; null: not known. */
  numberOf(name: keyof typeof NUMBERS | "head_ms" | "unseen_ms", task: number): number | null {
    const value = this.numbers(name)[task] as number;
    return Number.isNaN(value) ? null : value;
  }
}

/** A run as the page has it. */
export interface ReadRun {
  readonly head: RunHead;
  readonly tasks: RunTasks;
  /** Cores in use per node and bin, node by node. */
  readonly usedCores: Float64Array;
  /** Memory in use per node and bin, KiB, node by node. */
  readonly memoryKb: Float64Array;
  /** Cores in use and memory of one task over its run time, in equal parts; null: not carried. */
  readonly seriesOf: (task: number) => TaskSeries | null;
}

/** What a task used over its run time, in equal parts. */
export interface TaskSeries {
  /** Cores in use on average in each part. */
  readonly cores: Float64Array;
  /** Resident memory of its processes in each part, KiB; NaN: none was read. */
  readonly memoryKb: Float64Array;
}

/** Names of the tables of the run at `place`. */
export function tableNames(place: number): { tasks: string; bins: string; series: string } {
  return { tasks: `run${place}.tasks`, bins: `run${place}.bins`, series: `run${place}.series` };
}

/** The run at `place` of what a page carries. */
export function readRunAt({ head, tables }: Unpacked, place: number): ReadRun {
  const runHead = (head as { runs: readonly RunHead[] }).runs[place];
  const names = tableNames(place);
  const taskTable = tables.get(names.tasks);
  const bins = tables.get(names.bins);
  const series = tables.get(names.series);
  if (runHead === undefined || taskTable === undefined) {
    throw new TypeError(`Cannot read run ${place} of a report: it has no such run`);
  }
  const points = runHead.seriesPoints;
  return {
    head: runHead,
    tasks: new RunTasks(taskTable, runHead),
    usedCores: bins?.numbers("used_cores") ?? new Float64Array(),
    memoryKb: bins?.numbers("memory_kb") ?? new Float64Array(),
    seriesOf: (task) => {
      if (series === undefined || points === 0) return null;
      const [from, to] = [task * points, (task + 1) * points];
      return {
        cores: series.numbers("cores").subarray(from, to),
        memoryKb: series.numbers("memory_kb").subarray(from, to),
      };
    },
  };
}
