/**
 * Outputs in OpenDC's column layout for tests, made from known answers: what the telemetry of v2.4f and
 * of later versions writes, a line per task and per host at each export interval.
 */

import { join } from "@std/path";
import { DuckDBInstance } from "@duckdb/node-api";

/** A task as it was simulated, ms since the first submission, in simulated time. */
export interface SimulatedRow {
  readonly id: number;
  readonly name: string;
  readonly submissionMs: number;
  readonly startMs: number;
  /** End; null for one that did not finish. */
  readonly endMs: number | null;
  readonly host: string;
  /** Demand while it runs, MHz. */
  readonly usageMhz: number;
}

/** A simulation and how it is written down. */
export interface SimulationOptions {
  readonly tasks: readonly SimulatedRow[];
  /** Capacity by host, MHz. */
  readonly hosts: Readonly<Record<string, number>>;
  /** Export interval, simulated ms. */
  readonly intervalMs: number;
  /**
   * v2.4f: all times relative. v2.4g and later: submissions absolute, with a scheduling delay. bare: what
   * is left when an experiment exports the fewest columns, ids alone.
   */
  readonly version: "2.4f" | "2.4u" | "bare";
  /** First submission, epoch ms. */
  readonly firstSubmissionMs: number;
}

/** Power of OpenDC's default model, W. */
const IDLE_W = 200;
const SPAN_W = 200;

/** Write task, host, powerSource and service parquet into `folder`. */
export async function writeSimulation(folder: string, options: SimulationOptions): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const { tasks, hosts, intervalMs } = options;
  const last = Math.max(...tasks.map(({ endMs, startMs }) => endMs ?? startMs));
  const ticks = Array.from(
    { length: Math.ceil(last / intervalMs) },
    (_, tick) => (tick + 1) * intervalMs,
  );
  const hostLines: object[] = [];
  const powerLines: object[] = [];
  for (const ts of ticks) {
    let energyJ = 0;
    for (const [name, capacityMhz] of Object.entries(hosts)) {
      const work = tasks.filter(({ host }) => host === name).reduce(
        (sum, { startMs, endMs, usageMhz }) =>
          sum + usageMhz *
            Math.max(0, Math.min(ts, endMs ?? last) - Math.max(ts - intervalMs, startMs)),
        0,
      );
      const active = work / capacityMhz;
      energyJ += (IDLE_W * intervalMs + SPAN_W * active) / 1000;
      hostLines.push({
        timestamp: ts,
        timestamp_absolute: ts + options.firstSubmissionMs,
        host_name: name,
        cpu_capacity: capacityMhz,
        cpu_time_active: Math.round(active),
      });
    }
    powerLines.push({ timestamp: ts, energy_usage: energyJ });
  }
  const done = tasks.filter(({ endMs }) => endMs !== null).length;
  await copy(folder, {
    task: {
      columns: TASK_COLUMNS[options.version],
      lines: tasks.flatMap((task) => taskLines(task, { ticks, options })),
    },
    host: {
      columns: {
        timestamp: "BIGINT",
        timestamp_absolute: "BIGINT",
        host_name: "VARCHAR",
        cpu_capacity: "FLOAT",
        cpu_time_active: "BIGINT",
      },
      lines: hostLines,
    },
    powerSource: { columns: { timestamp: "BIGINT", energy_usage: "FLOAT" }, lines: powerLines },
    service: {
      columns: { timestamp: "BIGINT", tasks_completed: "INTEGER" },
      lines: [{ timestamp: last, tasks_completed: done }],
    },
  });
}

const TIMES = {
  timestamp: "BIGINT",
  submission_time: "BIGINT",
  schedule_time: "BIGINT",
  finish_time: "BIGINT",
  task_name: "VARCHAR",
  host_name: "VARCHAR",
  task_state: "VARCHAR",
} as const;

const TASK_COLUMNS = {
  "2.4f": { ...TIMES, task_id: "VARCHAR" },
  "2.4u": { ...TIMES, task_id: "INTEGER", scheduling_delay: "BIGINT" },
  "bare": {
    timestamp: "BIGINT",
    task_id: "INTEGER",
    schedule_time: "BIGINT",
    finish_time: "BIGINT",
  },
} as const;

function taskLines(
  { id, name, submissionMs, startMs, endMs, host }: SimulatedRow,
  { ticks, options }: { readonly ticks: readonly number[]; readonly options: SimulationOptions },
): object[] {
  const isLater = options.version !== "2.4f";
  return ticks.filter((ts) => ts >= submissionMs).map((ts) => {
    const isStarted = ts >= startMs;
    const isEnded = endMs !== null && ts >= endMs;
    return {
      timestamp: ts,
      // Early versions count their own ids.
      task_id: isLater ? id : String(1000 + id),
      task_name: name,
      host_name: isStarted ? host : "",
      submission_time: submissionMs + (isLater ? options.firstSubmissionMs : 0),
      schedule_time: isStarted ? startMs : null,
      finish_time: isEnded ? endMs : null,
      task_state: isEnded ? "COMPLETED" : isStarted ? "RUNNING" : "PROVISIONING",
      ...(isLater ? { scheduling_delay: isStarted ? startMs - submissionMs : 0 } : {}),
    };
  });
}

interface TableContent {
  readonly columns: Readonly<Record<string, string>>;
  readonly lines: readonly object[];
}

async function copy(
  folder: string,
  tables: Readonly<Record<string, TableContent>>,
): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const source = await Deno.makeTempFile({ suffix: ".jsonl" });
  try {
    for (const [name, { columns, lines }] of Object.entries(tables)) {
      await Deno.writeTextFile(source, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
      const types = Object.entries(columns).map(([column, type]) => `${column}: '${type}'`);
      await connection.run(
        `COPY (SELECT * FROM read_json('${source}', columns = {${types.join(", ")}}))
         TO '${join(folder, `${name}.parquet`)}' (FORMAT parquet, COMPRESSION snappy)`,
      );
    }
  } finally {
    connection.closeSync();
    instance.closeSync();
    await Deno.remove(source);
  }
}
