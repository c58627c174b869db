import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { exportOpendc } from "../../../export/opendc/export.ts";
import { ParquetFile } from "../../../export/parquet_reader.ts";
import { verifyOpendc } from "../../../export/verify/verify.ts";
import { RUN_START_MS as T, writeTwoNodeRun } from "../../support/cts_run.ts";
import { exportTwoNodes } from "../../support/exported_run.ts";
import { tempFolder } from "../../support/temp_folder.ts";
import { readFragments, readTasks } from "../../support/workload_files.ts";

const MHZ = 2400;

Deno.test("exportOpendc() writes the tasks in the order of submission", async () => {
  await using run = await exportTwoNodes();
  const base = { cpu_count: 1, cpu_capacity: MHZ };
  assertEquals(await readTasks(run.output), [
    {
      ...base,
      id: 1,
      submission_time: T,
      duration: 1000,
      cpu_count: 2,
      cpu_capacity: 2 * MHZ,
      mem_capacity: 200_000,
      name: "t1",
      num_fragments: 6,
    },
    {
      ...base,
      id: 2,
      submission_time: T + 1,
      duration: 600,
      cpu_count: 4,
      cpu_capacity: 4 * MHZ,
      mem_capacity: 300_000,
      name: "t2",
      num_fragments: 3,
    },
    {
      ...base,
      id: 3,
      submission_time: T + 2,
      duration: 1,
      mem_capacity: 1000,
      name: "t3",
      num_fragments: 1,
    },
    {
      ...base,
      id: 4,
      submission_time: T + 4,
      duration: 200,
      mem_capacity: 4000,
      name: "t5",
      num_fragments: 1,
    },
    {
      ...base,
      id: 5,
      submission_time: T + 6,
      duration: 100,
      mem_capacity: 0,
      name: "t7",
      num_fragments: 1,
    },
  ]);
});

Deno.test("exportOpendc() writes fragments whose demand is the CPU time of the rows", async () => {
  await using run = await exportTwoNodes();
  const fragments = await readFragments(run.output);
  const demand = (id: number) =>
    fragments.filter((row) => row.id === id).map(({ duration, cpu_usage }) => [
      Number(duration),
      Math.round(Number(cpu_usage)),
    ]);
  // Two processes overlap from 110 to 610 ms after the start of t1.
  assertEquals(demand(1), [
    [100, 1 * MHZ],
    [100, 1.8 * MHZ],
    [200, 1.85 * MHZ],
    [200, 1.9 * MHZ],
    [200, 1.15 * MHZ],
    [200, 1.2 * MHZ],
  ]);
  assertEquals(demand(2), [[200, 1.9 * MHZ], [200, 0], [200, 1 * MHZ]]);
  assertEquals(demand(3), [[1, 0.3 * MHZ]]);
  assertEquals(demand(4), [[200, 0.9 * MHZ]]);
  assertEquals(demand(5), [[100, 0.42 * MHZ]]);
});

Deno.test("exportOpendc() leaves out what was not done or not measured, and says so", async () => {
  await using run = await exportTwoNodes();
  assertEquals(
    run.summary.left_out.map(({ task_id, attempt, reason }) => [task_id, attempt, reason]),
    [
      ["t4", 1, "not_done"],
      ["t5", 1, "superseded"],
      ["t8", 1, "no_end"],
      ["t6", 1, "not_measured"],
    ],
  );
  assertEquals(run.summary.totals_only, ["t7"]);
  assertEquals(run.summary.memory_unknown, ["t7"]);
  assertEquals(run.summary.rows, {
    read: 13,
    kept: 10,
    left_out: 2,
    foreign: 1,
    malformed: 0,
    torn: 0,
  });
});

Deno.test("exportOpendc() passes its own verification, also against the run", async () => {
  await using run = await exportTwoNodes({
    status: "all",
    fill: "reserved",
    compression: "snappy",
  });
  const report = await verifyOpendc({ input: run.output, cts: run.input });
  assertEquals(report.checks.filter(({ status }) => status !== "pass"), []);
  assertEquals(report.found?.tasks, 7);
  assertEquals(report.found?.codecs, ["SNAPPY"]);
});

Deno.test("exportOpendc() fills what was not measured only on request, and marks it", async () => {
  await using run = await exportTwoNodes({ fill: "reserved" });
  assertEquals(run.summary.filled, ["t6"]);
  const manifest = JSON.parse(await Deno.readTextFile(join(run.output, "manifest.json")));
  const marks = manifest.tasks.map((one: { name: string; not_measured: string[] }) => [
    one.name,
    one.not_measured,
  ]);
  assertEquals(marks.slice(-2), [["t6", ["usage", "memory"]], ["t7", ["series", "memory"]]]);
  const fragments = await readFragments(run.output);
  const id = (await readTasks(run.output)).find(({ name }) => name === "t6")?.id;
  assertEquals(
    fragments.filter((row) => row.id === id),
    [
      { id: Number(id), duration: 200, cpu_usage: 2 * MHZ },
    ].map((row) => ({ ...row })),
  );
});

Deno.test("exportOpendc() derives cpu_capacity as asked", async () => {
  const capacityOf = async (capacity: "reserved" | "p95" | "peak") => {
    await using run = await exportTwoNodes({ capacity });
    return (await readTasks(run.output)).slice(0, 2).map((row) => Number(row.cpu_capacity) / MHZ);
  };
  assertEquals(await capacityOf("reserved"), [2, 4]);
  for (const capacity of ["p95", "peak"] as const) {
    const [first = NaN, second = NaN] = await capacityOf(capacity);
    assertAlmostEquals(first, 1.9, 1e-9);
    assertAlmostEquals(second, 1.9, 1e-9);
  }
});

Deno.test("exportOpendc() writes a replay per host: as it started, times multiplied", async () => {
  await using run = await exportTwoNodes();
  const [first, second, third] = await readTasks(join(run.output, "replay", "cloud2"));
  assertEquals(
    [first, second, third].map((row) => [row?.name, row?.submission_time, row?.duration]),
    [
      ["t2", T + 11, 600_000],
      ["t5", T + 11 + 1_689_000, 200_000],
      ["t7", T + 11 + 2_189_000, 100_000],
    ],
  );
  const experiment = JSON.parse(
    await Deno.readTextFile(join(run.output, "replay", "cloud2", "experiment.json")),
  );
  assertEquals(experiment.workloads, [
    { pathToFile: "replay/cloud2", type: "ComputeWorkload" },
  ]);
});

Deno.test("exportOpendc() writes columns of exactly these types", async () => {
  await using run = await exportTwoNodes();
  const schema = async (name: string) => {
    using file = await ParquetFile.open(join(run.output, name));
    return file.columns.map((column) => [column.name, column.type, column.repetition]);
  };
  assertEquals(await schema("tasks.parquet"), [
    ["id", "INT32", "REQUIRED"],
    ["submission_time", "INT64", "REQUIRED"],
    ["duration", "INT64", "REQUIRED"],
    ["cpu_count", "INT32", "REQUIRED"],
    ["cpu_capacity", "DOUBLE", "REQUIRED"],
    ["mem_capacity", "INT64", "REQUIRED"],
    ["name", "BYTE_ARRAY", "OPTIONAL"],
    ["num_fragments", "INT32", "OPTIONAL"],
  ]);
  assertEquals(await schema("fragments.parquet"), [
    ["id", "INT32", "REQUIRED"],
    ["duration", "INT64", "REQUIRED"],
    ["cpu_usage", "DOUBLE", "REQUIRED"],
  ]);
});

Deno.test("exportOpendc() gives the same files for the same run", async () => {
  await using one = await exportTwoNodes();
  await using other = await exportTwoNodes();
  for (const name of one.summary.files.filter((name) => name !== "manifest.json")) {
    const [a, b] = await Promise.all(
      [one, other].map(({ output }) => Deno.readFile(join(output, name))),
    );
    assertEquals(a, b, name);
  }
});

Deno.test("exportOpendc() keeps equal pids of two nodes apart in every id mode", async () => {
  for (const taskIdMode of ["auto", "pid", "sequential"] as const) {
    await using run = await exportTwoNodes({ taskIdMode });
    const ids = (await readTasks(run.output)).map(({ id }) => Number(id));
    assertEquals(new Set(ids).size, 5);
    if (taskIdMode === "pid") assertEquals(ids, [4242, 4303, 4250, 4300, 4302]);
  }
});

/** The policy experiment, and what is said about it, of a run whose scheduler had these flags. */
async function exportWithFlags(
  flags: Readonly<Record<string, string>>,
): Promise<{ readonly notes: readonly string[]; readonly weighers: unknown }> {
  await using folder = await tempFolder();
  const input = join(folder.path, "run");
  const output = join(folder.path, "out");
  await writeTwoNodeRun(input);
  const meta = {
    format_version: "1.0",
    run_id: "run",
    node_id: null,
    role: "scheduler",
    version: "0",
    deno_version: "0",
    ts_start: T,
    flags,
  };
  await Deno.writeTextFile(join(input, "run_meta.scheduler.json"), JSON.stringify(meta));
  const { notes } = await exportOpendc({ input, output, version: "test" });
  const experiment = JSON.parse(
    await Deno.readTextFile(join(output, "experiment_policy.json")),
  );
  return { notes, weighers: experiment.allocationPolicies[0].weighers };
}

Deno.test("exportOpendc() takes the policy from the scheduler's own record", async () => {
  const flags = { "weigher": "instances", "weigher-order": "max", "scan-pending": "8" };
  const { notes, weighers } = await exportWithFlags(flags);
  assert(notes.some((note) => note.includes("the first 8 pending tasks")), notes.join("\n"));
  assertEquals(weighers, [{ type: "InstanceCount", multiplier: 1 }]);
});

Deno.test("exportOpendc() takes several weighers with their multipliers", async () => {
  const flags = { "weigher": "instances:1,vcpu:0.5", "weigher-order": "min" };
  const { notes, weighers } = await exportWithFlags(flags);
  assert(notes.some((note) => note.includes("negative multiplier, here -0.5")), notes.join("\n"));
  assertEquals(weighers, [
    { type: "InstanceCount", multiplier: 1 },
    { type: "VCpu", multiplier: -0.5 },
  ]);
});

Deno.test("exportOpendc() says where it does not know the weigher", async () => {
  const { notes, weighers } = await exportWithFlags({ "weigher": "instances:1,ram:1" });
  assert(notes.some((note) => note.includes('"instances:1,ram:1" is not known')), notes.join("\n"));
  assertEquals(weighers, []);
});

Deno.test("exportOpendc() overrides the frequency of every node", async () => {
  await using run = await exportTwoNodes({ cpuFreqMhz: 1000 });
  const [first] = await readFragments(run.output);
  assertAlmostEquals(Number(first?.cpu_usage), 1000, 1e-9);
  const topology = JSON.parse(
    await Deno.readTextFile(join(run.output, "small_datacenter.json")),
  );
  assertEquals(topology.clusters[0].hosts[0].cpu.coreSpeed, 1000);
});
