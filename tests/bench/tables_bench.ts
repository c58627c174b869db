/**
 * CPU time and memory of the export as tables, beside DuckDB reading the same JSON Lines and writing the
 * same Parquet files, in one run on one machine:
 * `deno task bench tables [TASKS] [ROWS_PER_TASK] [ROUNDS] [alone]`; `alone` leaves DuckDB out.
 *
 * DuckDB writes `samples`, `attempts` and `nodes` only; ours writes all twelve tables.
 *
 * Each measurement is a process of its own, measured by itself: CPU time of all its threads, and the
 * peak of its resident memory. Medians are compared; the ratio is what holds on another machine.
 */

import { join } from "@std/path";
import { DuckDBInstance } from "@duckdb/node-api";
import { exportTables } from "../../export/tables/export.ts";
import { writeLargeRun } from "../support/large_run.ts";
import { describeMachine } from "./bench_terms.ts";
import { measure, type Measurement, median, runMeasured } from "./measured.ts";

/** What the export promises: 1 M samples in 3 s of CPU time and 200 MB; any number in 512 MB. */
const US_PER_SAMPLE = 3;
const SMALL_SAMPLES = 1e6;
const SMALL_PEAK_MB = 200;
const PEAK_MB = 512;

async function main(
  [tasks = "2000", rowsPerTask = "500", rounds = "3", alone = ""]: readonly string[],
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tracekit-bench-" });
  const samples = Number(tasks) * Number(rowsPerTask);
  try {
    const input = join(folder, "run");
    await writeLargeRun({ folder: input, tasks: Number(tasks), rowsPerTask: Number(rowsPerTask) });
    console.log(describeMachine());
    console.log(`${tasks} tasks × ${rowsPerTask} rows, 4 nodes, ${rounds} rounds`);
    const ours: Measurement[] = [];
    const theirs: Measurement[] = [];
    for (let round = 0; round < Number(rounds); round++) {
      ours.push(await measure(import.meta.url, ["export", input, join(folder, "ours")]));
      if (alone === "alone") continue;
      theirs.push(await measure(import.meta.url, ["duckdb", input, join(folder, "theirs")]));
    }
    report("export-tables", ours);
    if (theirs.length > 0) {
      report("DuckDB", theirs);
      const ratio = median(ours, "cpu_s") / median(theirs, "cpu_s");
      console.log(`CPU time of export-tables / DuckDB: ${ratio.toFixed(2)}`);
    }
    judge(ours, samples);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function judge(ours: readonly Measurement[], samples: number): void {
  const perSampleUs = median(ours, "cpu_s") * 1e6 / samples;
  const peakMb = samples <= SMALL_SAMPLES ? SMALL_PEAK_MB : PEAK_MB;
  const isKept = perSampleUs <= US_PER_SAMPLE && median(ours, "peak_mb") <= peakMb;
  console.log(
    `${isKept ? "PASS" : "FAIL"}: ${perSampleUs.toFixed(2)} µs CPU per sample; at most ` +
      `${US_PER_SAMPLE} µs and ${peakMb} MiB were promised`,
  );
  if (!isKept) Deno.exitCode = 1;
}

function report(name: string, measurements: readonly Measurement[]): void {
  const [cpu, wall, peak] = (["cpu_s", "wall_s", "peak_mb"] as const).map((field) =>
    median(measurements, field)
  );
  console.log(
    `${name.padEnd(14)} ${cpu?.toFixed(2)} s CPU  ${wall?.toFixed(2)} s wall  ${
      peak?.toFixed(0)
    } MiB peak`,
  );
}

/** The same columns of the same rows, in the same order, by SQL. */
async function exportWithDuckdb(input: string, output: string): Promise<void> {
  await Deno.mkdir(output, { recursive: true });
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const time = (name: string) => `make_timestamptz(round(${name} * 1000)::BIGINT) AS ${name}`;
  const codec = "(FORMAT parquet, COMPRESSION zstd)";
  await connection.run(`
    CREATE TABLE attempt AS SELECT *
    FROM read_json('${input}/*/CTS/invocations.jsonl', format = 'newline_delimited')`);
  await connection.run(`
    COPY (SELECT * REPLACE (${["ts_enqueue", "ts_start", "ts_end"].map(time).join(", ")}),
      ts_start - ts_enqueue AS wait_ms, ts_end - ts_start AS run_ms FROM attempt)
    TO '${output}/attempts.parquet' ${codec}`);
  await connection.run(`
    COPY (SELECT * FROM read_json('${input}/*/CTS/nodes.json', format = 'array'))
    TO '${output}/nodes.parquet' ${codec}`);
  await connection.run(`
    COPY (
      SELECT attempt.node, attempt.task_id, attempt.attempt, row.* REPLACE (${time("ts_ms")})
      FROM read_json('${input}/*/CTS/proc_metrics.jsonl', format = 'newline_delimited',
        columns = {ts_ms: 'DOUBLE', pid: 'BIGINT', dt_ms: 'DOUBLE', cpu_ms: 'DOUBLE',
          rss_kb: 'BIGINT', trace_id: 'VARCHAR', span_id: 'VARCHAR', source: 'VARCHAR'}) AS row
      LEFT JOIN attempt USING (trace_id)
    ) TO '${output}/samples.parquet' ${codec}`);
  connection.closeSync();
  instance.closeSync();
}

const [what = "", first = "", second = ""] = Deno.args;
if (what === "export") {
  await runMeasured(async () => {
    await exportTables({ input: first, output: second, version: "bench" });
  });
} else if (what === "duckdb") {
  await runMeasured(() => exportWithDuckdb(first, second));
} else {
  await main(Deno.args);
}
