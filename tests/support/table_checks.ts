/**
 * What must hold for the tables of any run, re-computed from the run's files by other code than the
 * project's: each sentence that is returned is one that is not true.
 */

import { basename, dirname, join } from "@std/path";
import { type FoundRow, parquetRows, query } from "./parquet_rows.ts";

type Row = Readonly<Record<string, unknown>>;

/** Tables whose rows are records of one file of each node, in their order. */
const RECORD_FILES: Readonly<Record<string, string>> = {
  samples: "CTS/proc_metrics.jsonl",
  processes: "processes.jsonl",
  host: "host_metrics.jsonl",
  clock: "clock.jsonl",
  shares: "shares.jsonl",
  collector: "collector_stats.jsonl",
};

/** What does not hold of `tables`, made of the run whose nodes are in `folders`. */
export async function checkTables(
  tables: string,
  folders: readonly string[],
): Promise<string[]> {
  const problems: string[] = [];
  for (const [table, file] of Object.entries(RECORD_FILES)) {
    const expected = await recordsOf(folders, file);
    problems.push(...await differences(join(tables, `${table}.parquet`), expected));
  }
  const events = await eventsBySpan(folders);
  const invocations = (await recordsOf(folders, "CTS/invocations.jsonl")).map((one) => ({
    ...pick(events.get(String(one["span_id"])) ?? {}, one),
    ...one,
  }));
  const isHttp = ({ module_id }: Row) => module_id === "http";
  const attempts = invocations.filter((one) => !isHttp(one));
  problems.push(
    ...await differences(join(tables, "attempts.parquet"), attempts),
    ...await differences(join(tables, "requests.parquet"), invocations.filter(isHttp)),
    ...await checkTasks(join(tables, "tasks.parquet"), attempts),
    ...await checkNodes(join(tables, "nodes.parquet"), folders),
    ...await checkCapacity(tables),
  );
  return problems;
}

async function recordsOf(folders: readonly string[], file: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const folder of folders) {
    for (const record of await linesOf(join(folder, file))) {
      rows.push({ node: basename(folder), ...record });
    }
  }
  return rows;
}

async function linesOf(path: string): Promise<Record<string, unknown>[]> {
  try {
    const text = await Deno.readTextFile(path);
    return text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function eventsBySpan(folders: readonly string[]): Promise<Map<string, Row>> {
  const events = new Map<string, Row>();
  for (const folder of folders) {
    for await (const { name } of Deno.readDir(folder)) {
      if (!/^events\..*\.jsonl$/.test(name)) continue;
      for (const one of await linesOf(join(folder, name))) {
        const span = String(one["span_id"]);
        const known = events.get(span) ?? {};
        const [end, launch] = one["event"] === "launch" ? [known, one] : [one, known];
        events.set(span, pick(end, launch));
      }
    }
  }
  return events;
}

/** `first` with what it lacks from `second`. */
function pick(first: Row, second: Row): Row {
  const known = Object.entries(first).filter(([, value]) => value !== null && value !== undefined);
  return { ...second, ...Object.fromEntries(known) };
}

/** Columns of the file that differ from the field of the same name, row by row. */
async function differences(path: string, expected: readonly Row[]): Promise<string[]> {
  const rows = await parquetRows(path);
  if (rows.length !== expected.length) {
    return [`${path} has ${rows.length} rows, the records are ${expected.length}`];
  }
  const problems: string[] = [];
  for (const [index, row] of rows.entries()) {
    const record = expected[index] ?? {};
    const fields = Object.keys(record).filter((name) => name in row);
    if (index === 0 && fields.length < 4) problems.push(`${path} shares no columns with records`);
    for (const name of fields) {
      if (!Object.is(row[name] ?? null, asCell(record[name]))) {
        problems.push(`${path} row ${index}: ${name} is ${row[name]}, was ${record[name]}`);
      }
    }
  }
  return problems;
}

/** A field as a cell holds it: a list is JSON. */
function asCell(value: unknown): unknown {
  return Array.isArray(value) ? JSON.stringify(value) : value ?? null;
}

async function checkTasks(path: string, attempts: readonly Row[]): Promise<string[]> {
  const problems: string[] = [];
  const bySpan = new Map(attempts.map((one) => [one["span_id"], one]));
  const rows = await parquetRows(path);
  const ids = new Set(attempts.map(({ task_id, trace_id }) => task_id ?? trace_id));
  for (const row of rows) {
    const attempt = bySpan.get(row["span_id"]) ?? {};
    const name = row["task_id"] ?? row["trace_id"];
    ids.delete(name);
    for (const field of Object.keys(attempt).filter((one) => one in row)) {
      if (field === "reason" || field === "state") continue;
      if (!Object.is(row[field] ?? null, asCell(attempt[field]))) {
        problems.push(`task ${name}: ${field} is ${row[field]}, was ${attempt[field]}`);
      }
    }
    problems.push(...checkDerived(row));
  }
  for (const id of ids) problems.push(`task ${id} has no row`);
  return problems;
}

/** Derived columns, from the others of the row. */
function checkDerived(row: FoundRow): string[] {
  const number = (name: string) => row[name] === null ? NaN : Number(row[name]);
  const expected: Readonly<Record<string, number>> = {
    wait_ms: number("ts_start") - number("ts_enqueue"),
    run_ms: number("ts_end") - number("ts_start"),
    queue_ms: number("ts_head") - number("ts_enqueue"),
    placement_ms: number("ts_assigned") - number("ts_head"),
    launch_ms: number("ts_start") - number("ts_assigned"),
    slowdown: (number("ts_end") - number("ts_enqueue")) / number("run_ms"),
    used_cores: number("cpu_ms") / number("run_ms"),
    cpu_reserved_ms: number("cpu_units") * number("run_ms"),
    used_ratio: number("cpu_ms") / (number("cpu_units") * number("run_ms")),
  };
  return Object.entries(expected).filter(([name, value]) =>
    // Differences of epoch times carry an error of up to 0.0005 ms.
    Number.isNaN(value) ? row[name] !== null : !(Math.abs(value - number(name)) < 0.001)
  ).map(([name, value]) => `task ${row["task_id"]}: ${name} is ${row[name]}, not ${value}`);
}

async function checkNodes(path: string, folders: readonly string[]): Promise<string[]> {
  const expected: Row[] = [];
  for (const folder of folders) {
    const [node] = JSON.parse(await Deno.readTextFile(join(folder, "CTS/nodes.json")));
    const meta = JSON.parse(await Deno.readTextFile(join(folder, "node_meta.json")));
    expected.push({ kernel: meta.kernel, boot_id: meta.boot_id, cpus: meta.cpus, ...node });
  }
  return await differences(path, expected);
}

/** Integrals over time: what was used, reserved and ran is what tasks and samples say. */
async function checkCapacity(tables: string): Promise<string[]> {
  const file = (name: string) => `'${join(tables, name)}.parquet'`;
  const [sums = {}] = await query(`SELECT
    (SELECT sum(used_cores * dt_ms) FROM ${file("capacity")}) AS used,
    (SELECT sum(cpu_ms) FROM ${file("samples")} WHERE trace_id IS NOT NULL) AS cpu,
    (SELECT sum(running * dt_ms) FROM ${file("capacity")}) AS running,
    (SELECT sum(run_ms) FROM ${file("attempts")}) AS run,
    (SELECT sum(starting * dt_ms) FROM ${file("capacity")}) AS starting,
    (SELECT sum(launch_ms) FROM ${file("tasks")}) AS launch,
    (SELECT max(reserved_units - offered_units) FROM ${file("capacity")}) AS excess`);
  const pairs = [["used", "cpu"], ["running", "run"], ["starting", "launch"]] as const;
  const problems = pairs.filter(([a, b]) => {
    const difference = Math.abs(Number(sums[a]) - Number(sums[b]));
    return sums[b] !== null && !(difference <= 0.01 + 1e-6 * Math.abs(Number(sums[b])));
  }).map(([a, b]) => `capacity: ${a} sums to ${sums[a]}, ${b} to ${sums[b]}`);
  if (Number(sums["excess"]) > 1e-6) problems.push(`reserved exceeds offered by ${sums["excess"]}`);
  return problems;
}

/** Rows of a CSV file that the parquet file beside it does not have, or the other way round. */
export async function csvDifferences(parquet: string): Promise<FoundRow[]> {
  const csv = join(dirname(parquet), `${basename(parquet, ".parquet")}.csv`);
  const columns = await query(`DESCRIBE SELECT * FROM '${parquet}'`);
  const types = columns.map(({ column_name, column_type }) => `'${column_name}': '${column_type}'`);
  const options = `header = true, allow_quoted_nulls = false, columns = {${types.join(", ")}}`;
  const read = `SELECT * FROM read_csv('${csv}', ${options})`;
  const rows = `SELECT * FROM '${parquet}'`;
  return await query(`(${read} EXCEPT ALL ${rows}) UNION ALL (${rows} EXCEPT ALL ${read})`);
}
