/**
 * CPU time and memory of the export, beside DuckDB doing the same reading, joining and writing, in one
 * run on one machine: `deno task bench export [TASKS] [ROWS_PER_TASK] [ROUNDS]`.
 *
 * Each measurement is a process of its own, measured by itself: CPU time of all its threads, and the
 * peak of its resident memory. Medians are compared; the ratio is what holds on another machine.
 */

import { join } from "@std/path";
import { DuckDBInstance } from "@duckdb/node-api";
import { exportOpendc } from "../../export/opendc/export.ts";
import { verifyOpendc } from "../../export/verify/verify.ts";
import { writeLargeRun } from "../support/large_run.ts";
import { measure, type Measurement, median, runMeasured } from "./measured.ts";

/** What the export promises: 1 M samples in 3 s of CPU time, and 100 M in this memory. */
const US_PER_SAMPLE = 3;
const PEAK_MB = 512;

const NODES = ["cloud1", "cloud2", "cloud3", "cloud4"];

async function main(
  [tasks = "2000", rowsPerTask = "500", rounds = "3"]: readonly string[],
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tracekit-bench-" });
  try {
    const input = join(folder, "run");
    await writeLargeRun({
      folder: input,
      tasks: Number(tasks),
      rowsPerTask: Number(rowsPerTask),
      nodes: NODES.length,
    });
    console.log(`${tasks} tasks × ${rowsPerTask} rows, ${NODES.length} nodes, ${rounds} rounds`);
    const ours: Measurement[] = [];
    const theirs: Measurement[] = [];
    const verified: Measurement[] = [];
    for (let round = 0; round < Number(rounds); round++) {
      ours.push(await measure(import.meta.url, ["export", input, join(folder, "ours")]));
      theirs.push(await measure(import.meta.url, ["duckdb", input, join(folder, "theirs")]));
      verified.push(await measure(import.meta.url, ["verify", join(folder, "ours"), input]));
    }
    report("export-opendc", ours);
    report("DuckDB", theirs);
    report("verify-opendc", verified);
    const ratio = median(ours, "cpu_s") / median(theirs, "cpu_s");
    console.log(`CPU time of the export / DuckDB: ${ratio.toFixed(2)}`);
    const perSample = median(ours, "cpu_s") * 1e6 / (Number(tasks) * Number(rowsPerTask));
    const isKept = perSample <= US_PER_SAMPLE && median(ours, "peak_mb") <= PEAK_MB;
    console.log(
      `${
        isKept ? "PASS" : "FAIL"
      }: at most ${US_PER_SAMPLE} µs CPU per sample and ${PEAK_MB} MiB were ` +
        `promised`,
    );
    if (!isKept) Deno.exitCode = 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function report(name: string, measurements: readonly Measurement[]): void {
  const [cpu, wall, peak] = (["cpu_s", "wall_s", "peak_mb"] as const).map((field) =>
    median(measurements, field)
  );
  console.log(
    `${name.padEnd(14)} ${cpu?.toFixed(2)} s CPU  ${wall?.toFixed(2)} s wall  ${
      peak?.toFixed(0)
    } MB peak`,
  );
}

/** The export of {@linkcode writeLargeRun} as SQL: one process per task, rows that follow one another. */
async function exportWithDuckdb(input: string, output: string): Promise<void> {
  await Deno.mkdir(output, { recursive: true });
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const codec = "(FORMAT parquet, COMPRESSION zstd)";
  await connection.run(`
    CREATE TABLE task AS SELECT row_number() OVER (ORDER BY ts_enqueue) AS id, *
    FROM read_json('${input}/*/CTS/invocations.jsonl', format = 'newline_delimited')
    WHERE state = 'done'`);
  await connection.run(`
    CREATE TABLE node AS SELECT node_id, cpu_freq_mhz
    FROM read_json('${input}/*/CTS/nodes.json', format = 'array')`);
  await connection.run(`
    CREATE TABLE fragment AS
    SELECT id, node, ts_start, ts_enqueue, until, cpu_ms, cpu_freq_mhz,
      until - coalesce(lag(until) OVER (PARTITION BY id ORDER BY until), round(ts_start)) AS duration
    FROM (
      SELECT task.id, task.node, task.ts_start, task.ts_enqueue, row.cpu_ms, node.cpu_freq_mhz,
        round(row.ts_ms) AS until
      FROM read_json('${input}/*/CTS/proc_metrics.jsonl', format = 'newline_delimited',
        columns = {ts_ms: 'DOUBLE', pid: 'INTEGER', dt_ms: 'DOUBLE', cpu_ms: 'DOUBLE',
          rss_kb: 'BIGINT', trace_id: 'VARCHAR', source: 'VARCHAR'}) AS row
      JOIN task USING (trace_id) JOIN node ON node.node_id = task.node
    )`);
  const usage = "cpu_ms / duration * cpu_freq_mhz AS cpu_usage";
  await connection.run(`
    COPY (SELECT id::INTEGER AS id, duration::BIGINT AS duration, ${usage} FROM fragment
      ORDER BY ts_enqueue, until) TO '${output}/fragments.parquet' ${codec}`);
  const columns = `id::INTEGER AS id, duration::BIGINT AS duration, cpu_units::INTEGER AS cpu_count,
    cpu_units * cpu_freq_mhz AS cpu_capacity, round(max_rss_kb / 1.024)::BIGINT AS mem_capacity,
    task_id AS name, fragments::INTEGER AS num_fragments`;
  await connection.run(`
    CREATE TABLE sums AS SELECT id, sum(duration) AS duration, count(*) AS fragments FROM fragment
    GROUP BY id`);
  const joined = "task JOIN sums USING (id) JOIN node ON node_id = node";
  await connection.run(`
    COPY (SELECT ts_enqueue, ${columns} FROM ${joined} ORDER BY ts_enqueue)
    TO '${output}/tasks.parquet' ${codec}`);
  for (const node of NODES) {
    await connection.run(`
      COPY (SELECT id::INTEGER AS id, (duration * 1000)::BIGINT AS duration, ${usage} FROM fragment
        WHERE node = '${node}' ORDER BY ts_start, until)
      TO '${output}/${node}_fragments.parquet' ${codec}`);
    await connection.run(`
      COPY (SELECT ts_start, ${columns} FROM ${joined} WHERE node = '${node}' ORDER BY ts_start)
      TO '${output}/${node}_tasks.parquet' ${codec}`);
  }
  connection.closeSync();
  instance.closeSync();
}

const [what = "", first = "", second = ""] = Deno.args;
if (what === "export") {
  await runMeasured(async () => {
    await exportOpendc({ input: first, output: second, version: "bench" });
  });
} else if (what === "duckdb") {
  await runMeasured(() => exportWithDuckdb(first, second));
} else if (what === "verify") {
  await runMeasured(async () => {
    const { ok } = await verifyOpendc({ input: first, cts: second });
    if (!ok) throw new Error("the export does not pass its verification");
  });
} else {
  await main(Deno.args);
}
