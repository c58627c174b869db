import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { exportOpendc } from "../../../export/opendc/export.ts";
import { readManifest } from "../../../export/opendc/manifest.ts";
import { ParquetFile } from "../../../export/parquet_reader.ts";
import { verifyOpendc } from "../../../export/verify/verify.ts";
import {
  ctsInvocation,
  ctsNode,
  ctsRow,
  RUN_START_MS as T,
  writeCts,
} from "../../support/cts_run.ts";
import { failuresOf, reasonOf } from "../../support/small_workload.ts";
import { tempFolder } from "../../support/temp_folder.ts";

/** A run of one task on the first of two nodes; the second joined 2.5 s after the submission. */
async function writeRun(folder: string): Promise<void> {
  await writeCts(folder, {
    nodes: [ctsNode({ node_id: "a", cpu_cores: 2 }), ctsNode({ node_id: "b", cpu_cores: 4 })],
    invocations: [
      ctsInvocation({
        trace_id: "t",
        task_id: "t",
        node: "a",
        pid: 7,
        ts_enqueue: T + 0.4,
        ts_start: T + 100.25,
        ts_end: T + 300.25,
      }),
    ],
    rows: [ctsRow({ trace_id: "t", ts_ms: T + 300.25, dt_ms: 200, cpu_ms: 100 })],
  });
  const lines = (records: readonly object[]) =>
    records.map((one) => `${JSON.stringify(one)}\n`).join("");
  await Deno.writeTextFile(
    join(folder, "results.jsonl"),
    lines([
      { task_id: "t", attempt: 1, state: "done", ts_assigned: T + 60.25, ts_finish: T + 310.5 },
    ]),
  );
  await Deno.writeTextFile(
    join(folder, "placement_events.jsonl"),
    lines([
      { event: "host", ts_ms: T - 50, node: "a" },
      { event: "host", ts_ms: T + 2500, node: "b" },
      { event: "host", ts_ms: T + 9000, node: "b" },
    ]),
  );
}

async function columnsOf(path: string, names: readonly string[]): Promise<number[][]> {
  using file = await ParquetFile.open(path);
  return await Promise.all(
    names.map(async (name) => Array.from(await file.readNumbers(name, 0))),
  );
}

Deno.test("exportOpendc() gives the policy's tasks the time that the queue held their capacity", async () => {
  await using root = await tempFolder();
  const input = join(root.path, "run");
  const output = join(root.path, "out");
  await writeRun(input);
  await exportOpendc({ input, output, version: "test" });

  const [ids, submissions, durations, counts] = await columnsOf(
    join(output, "policy", "tasks.parquet"),
    ["id", "submission_time", "duration", "cpu_count"],
  );
  // Each host up to the late one is occupied as a whole: a for the shortest time, b until it joined.
  assertEquals(ids, [8, 9, 7]);
  assertEquals(submissions, [T, T, T + 400]);
  assertEquals(counts, [2, 4, 1]);
  // 39.75 ms before the whole ms of the start, 200 ms, 10.5 ms behind that of the end.
  assertEquals(durations, [1, 2_500_000, 39_750 + 200_000 + 10_500]);
  const fragments = await columnsOf(
    join(output, "policy", "fragments.parquet"),
    ["id", "duration", "cpu_usage"],
  );
  assertEquals(fragments, [
    [8, 9, 7, 7, 7],
    [1, 2_500_000, 39_750, 200_000, 10_500],
    [0, 0, 0, 0.5 * 2400, 0],
  ]);
  const manifest = await readManifest(output);
  const [policy] = manifest?.experiments ?? [];
  assertEquals([policy?.time_factor, policy?.has_latencies, policy?.extra_tasks], [1000, true, 2]);
  assertEquals(manifest?.tasks.map(({ lead_ms, tail_ms }) => [lead_ms, tail_ms]), [[40, 10.25]]);
  const report = await verifyOpendc({ input: output, cts: input });
  assertEquals(failuresOf(report), []);
  assertEquals(
    reasonOf(report, "policy"),
    "1 task and 2 for hosts that joined, times × 1000",
  );
});

Deno.test("exportOpendc() --time-scale 1 leaves the policy the whole workload", async () => {
  await using root = await tempFolder();
  const input = join(root.path, "run");
  const output = join(root.path, "out");
  await writeRun(input);
  await exportOpendc({ input, output, version: "test", timeScale: 1 });
  const experiment = JSON.parse(await Deno.readTextFile(join(output, "experiment_policy.json")));
  assertEquals(experiment.workloads[0].pathToFile, ".");
  const report = await verifyOpendc({ input: output });
  assertEquals(reasonOf(report, "policy"), "its workload is the whole one");
});

Deno.test("verifyOpendc() finds a policy's workload of other times", async () => {
  await using root = await tempFolder();
  const input = join(root.path, "run");
  const output = join(root.path, "out");
  await writeRun(input);
  await exportOpendc({ input, output, version: "test" });
  const path = join(output, "manifest.json");
  const manifest = JSON.parse(await Deno.readTextFile(path));
  manifest.tasks[0].lead_ms = 45;
  await Deno.writeTextFile(path, JSON.stringify(manifest));
  const report = await verifyOpendc({ input: output });
  assertEquals(failuresOf(report), ["policy"]);
  assertEquals(
    reasonOf(report, "policy"),
    "task 7 holds its capacity for 250.25 ms, 255.25 required",
  );
});
