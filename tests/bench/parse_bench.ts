/**
 * CPU time and memory of parse, beside DuckDB doing the same reading, joining and writing, in one run on
 * one machine: `deno task bench parse [SAMPLES] [ROUNDS]`. Medians are compared; the ratio is what holds
 * on another machine.
 */

import { join } from "@std/path";
import { parseNode } from "../../export/parse.ts";
import { writeLargeRawRun } from "../support/large_raw_run.ts";
import { measure, type Measurement, median, runMeasured } from "./measured.ts";

/** What parse promises at 10 M samples. */
const SAMPLES_PER_CPU_S = 1_000_000;
const PEAK_MB = 200;

async function main([samples = "10000000", rounds = "3"]: readonly string[]): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tracekit-bench-" });
  try {
    const input = join(folder, "run");
    await writeLargeRawRun({ folder: input, samples: Number(samples) });
    console.log(`${samples} samples, ${rounds} rounds`);
    const ours: Measurement[] = [];
    const theirs: Measurement[] = [];
    for (let round = 0; round < Number(rounds); round++) {
      ours.push(await measure(import.meta.url, ["parse", input]));
      theirs.push(await measure(import.meta.url, ["duckdb", input, join(folder, "duckdb")]));
    }
    report("parse", { samples: Number(samples), measurements: ours });
    report("DuckDB", { samples: Number(samples), measurements: theirs });
    const ratio = median(ours, "cpu_s") / median(theirs, "cpu_s");
    console.log(`CPU time of parse / DuckDB: ${ratio.toFixed(2)}`);
    const rate = Number(samples) / median(ours, "cpu_s");
    const isKept = rate >= SAMPLES_PER_CPU_S && median(ours, "peak_mb") <= PEAK_MB;
    console.log(
      `${isKept ? "PASS" : "FAIL"}: at least ${SAMPLES_PER_CPU_S} samples per CPU second and at ` +
        `most ${PEAK_MB} MiB were promised`,
    );
    if (!isKept) Deno.exitCode = 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function report(
  name: string,
  { samples, measurements }: { samples: number; measurements: readonly Measurement[] },
): void {
  const cpu = median(measurements, "cpu_s");
  console.log(
    `${name.padEnd(8)} ${cpu.toFixed(2)} s CPU  ${
      median(measurements, "wall_s").toFixed(2)
    } s wall  ` +
      `${median(measurements, "peak_mb").toFixed(0)} MiB peak  ${
        (samples / cpu / 1e6).toFixed(2)
      } M samples per CPU second`,
  );
}

/** The parse of {@linkcode writeLargeRawRun} as SQL: intervals, and one row for each task's rest. */
async function parseWithDuckdb(input: string, output: string): Promise<void> {
  await Deno.mkdir(output, { recursive: true });
  // Loaded here only: its library would count as memory of the parse.
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run(`
    CREATE TABLE event AS SELECT *
    FROM read_json('${input}/events.*.jsonl', format = 'newline_delimited')
    WHERE event = 'exit'`);
  await connection.run(`
    CREATE TABLE reading AS
    SELECT sample.boot_ms + (event.ts_start - event.boot_start_ms) AS ts_ms, sample.pid,
      sample.boot_ms - coalesce(lag(sample.boot_ms) OVER each, event.boot_start_ms) AS dt_ms,
      (sample.cpu_ns - coalesce(lag(sample.cpu_ns) OVER each, 0)) / 1e6 AS cpu_ms,
      sample.rss_kb, sample.trace_id, 'reading' AS source
    FROM read_json('${input}/proc_metrics.jsonl', format = 'newline_delimited',
      columns = {ts_ms: 'DOUBLE', boot_ms: 'DOUBLE', pid: 'INTEGER', start_ticks: 'BIGINT',
        trace_id: 'VARCHAR', cpu_ns: 'BIGINT', rss_kb: 'BIGINT'}) AS sample
    JOIN event USING (trace_id)
    WINDOW each AS (PARTITION BY sample.pid, sample.start_ticks ORDER BY sample.boot_ms)`);
  await connection.run(`
    COPY (
      SELECT * FROM reading
      UNION ALL
      SELECT ts_end, event.pid, ts_end - seen.ts_ms, user_ms + system_ms - seen.cpu_ms, NULL,
        trace_id, 'spread'
      FROM event JOIN (
        SELECT trace_id, max(ts_ms) AS ts_ms, sum(cpu_ms) AS cpu_ms FROM reading GROUP BY trace_id
      ) AS seen USING (trace_id)
    ) TO '${output}/proc_metrics.jsonl' (FORMAT json)`);
  await connection.run(`
    COPY (SELECT trace_id, pid, ts_enqueue, ts_start, ts_end, task_id, attempt, node, status,
      cpu_units, user_ms + system_ms AS cpu_ms, max_rss_kb FROM event)
    TO '${output}/invocations.jsonl' (FORMAT json)`);
  connection.closeSync();
  instance.closeSync();
}

const [what = "", input = "", output = ""] = Deno.args;
if (what === "parse") {
  await runMeasured(async () => {
    const { cpuResidualMaxMs } = await parseNode(input);
    if (cpuResidualMaxMs !== 0) throw new Error(`rows are off by ${cpuResidualMaxMs} ms`);
  });
} else if (what === "duckdb") await runMeasured(() => parseWithDuckdb(input, output));
else await main(Deno.args);
