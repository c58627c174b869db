import { assert, assertEquals } from "@std/assert";
import { DuckDBInstance } from "@duckdb/node-api";
import { join } from "@std/path";
import { type Column, FRAGMENT_COLUMNS, TASK_COLUMNS } from "../../../export/opendc/schema.ts";
import { verifyOpendc } from "../../../export/verify/verify.ts";
import {
  altered,
  type Change,
  failuresOf,
  reasonOf,
  writeWorkload,
} from "../../support/small_workload.ts";
import { tempFolder } from "../../support/temp_folder.ts";

Deno.test("verifyOpendc() accepts a small workload that is right", async () => {
  await using folder = await tempFolder();
  await writeWorkload(folder.path);
  assertEquals(failuresOf(await verifyOpendc({ input: folder.path })), []);
});

const BROKEN: readonly (readonly [string, Change, readonly string[], string])[] = [
  [
    "an OPTIONAL submission_time",
    { taskColumns: altered(TASK_COLUMNS, "submission_time", { isRequired: false }) },
    ["task_columns"],
    "submission_time is OPTIONAL",
  ],
  [
    "an OPTIONAL fragment id",
    { fragmentColumns: altered(FRAGMENT_COLUMNS, "id", { isRequired: false }) },
    ["fragment_columns"],
    "id is OPTIONAL",
  ],
  [
    "an INT64 id",
    {
      taskColumns: altered(TASK_COLUMNS, "id", { type: "INT64" }),
      tasks: { id: BigInt64Array.of(1n, 2n) },
    },
    ["task_columns"],
    "id is INT64, INT32 is required",
  ],
  [
    "a DOUBLE memory",
    {
      taskColumns: altered(TASK_COLUMNS, "mem_capacity", { type: "DOUBLE" }),
      tasks: { mem_capacity: Float64Array.of(1, 2) },
    },
    ["task_columns"],
    "mem_capacity is DOUBLE, INT64 is required",
  ],
  [
    "an id of text",
    {
      taskColumns: altered(TASK_COLUMNS, "id", { type: "BYTE_ARRAY", annotation: "STRING" }),
      tasks: { id: ["1", "2"] },
    },
    ["fragment_columns"],
    "id is INT32, BYTE_ARRAY is required",
  ],
  ["no cpu_count", { without: "cpu_count" }, ["task_columns"], "cpu_count is missing"],
  ["no cpu_usage", { without: "cpu_usage" }, ["fragment_columns"], "cpu_usage is missing"],
  [
    "an id that is there twice",
    { tasks: { id: Int32Array.of(1, 1) }, fragments: { id: Int32Array.of(1, 1, 1) } },
    ["unique_ids"],
    "1 ids are there twice",
  ],
  [
    "a fragment of no task",
    { fragments: { id: Int32Array.of(1, 1, 9) } },
    ["known_ids", "tasks_have_fragments"],
    "1 fragments belong to no task (9)",
  ],
  [
    "a task without fragments",
    {
      fragments: {
        id: Int32Array.of(1, 1),
        duration: BigInt64Array.of(200n, 100n),
        cpu_usage: Float64Array.of(1, 1),
      },
    },
    ["tasks_have_fragments"],
    "OpenDC drops them silently",
  ],
  [
    "a fragment of no length",
    { fragments: { duration: BigInt64Array.of(300n, 0n, 100n) } },
    ["fragment_durations"],
    "row 1: 0 ms",
  ],
  [
    "a gap",
    { fragments: { duration: BigInt64Array.of(200n, 50n, 100n) } },
    ["tiling"],
    "1: 250 of 300 ms",
  ],
  [
    "a demand below 0",
    { fragments: { cpu_usage: Float64Array.of(2400, -1, 0) } },
    ["cpu_usage"],
    "row 1: -1",
  ],
  [
    "a demand that is not a number",
    { fragments: { cpu_usage: Float64Array.of(NaN, 0, 0) } },
    ["cpu_usage"],
    "row 0: NaN",
  ],
  [
    "tasks that are not sorted",
    {
      tasks: {
        submission_time: BigInt64Array.of(1_756_728_001_000n, 1_756_728_000_000n),
      },
    },
    ["order"],
    "tasks are not sorted by submission_time",
  ],
  [
    "fragments in another order than the tasks",
    {
      fragments: {
        id: Int32Array.of(2, 1, 1),
        duration: BigInt64Array.of(100n, 200n, 100n),
      },
    },
    ["order"],
    "fragments are in another order than the tasks",
  ],
  [
    "fragments that are not together",
    {
      fragments: {
        id: Int32Array.of(1, 2, 1),
        duration: BigInt64Array.of(200n, 100n, 100n),
      },
    },
    ["order"],
    "fragments of a task are not together",
  ],
  [
    "a wrong num_fragments",
    { tasks: { num_fragments: Int32Array.of(2, 2) } },
    ["num_fragments"],
    "2: 2 declared, 1 there",
  ],
  [
    "a cpu_count of 0",
    { tasks: { cpu_count: Int32Array.of(0, 1) } },
    ["task_values"],
    "1 tasks have cpu_count below 1 (1)",
  ],
  [
    "no task at all",
    {
      tasks: {
        id: new Int32Array(0),
        submission_time: new BigInt64Array(0),
        duration: new BigInt64Array(0),
        cpu_count: new Int32Array(0),
        cpu_capacity: new Float64Array(0),
        mem_capacity: new BigInt64Array(0),
        name: [],
        num_fragments: new Int32Array(0),
      },
    },
    ["has_tasks", "known_ids"],
    "there is no task",
  ],
];

for (const [name, change, expected, reason] of BROKEN) {
  Deno.test(`verifyOpendc() refuses ${name}, for that reason`, async () => {
    await using folder = await tempFolder();
    await writeWorkload(folder.path, change);
    const report = await verifyOpendc({ input: folder.path });
    assertEquals(failuresOf(report), expected);
    assert(!report.ok);
    const found = reasonOf(report, expected[0] ?? "");
    assert(found.includes(reason), `"${reason}" is not in: ${found}`);
  });
}

/** Write the good workload with DuckDB, whose columns are OPTIONAL. */
async function writeWithDuckdb(
  folder: string,
  { format, submission = "submission_time" }: {
    readonly format: string;
    readonly submission?: string;
  },
): Promise<void> {
  await writeWorkload(folder);
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    for (
      const [name, columns] of [["tasks", `* REPLACE (${submission} AS submission_time)`], [
        "fragments",
        "*",
      ]]
    ) {
      const path = join(folder, `${name}.parquet`);
      await connection.run(`CREATE TABLE ${name} AS SELECT ${columns} FROM '${path}'`);
      await connection.run(`COPY ${name} TO '${path}' (FORMAT parquet, ${format})`);
    }
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

Deno.test("verifyOpendc() refuses what DuckDB writes: every column is OPTIONAL", async () => {
  await using folder = await tempFolder();
  await writeWithDuckdb(folder.path, { format: "COMPRESSION zstd" });
  const report = await verifyOpendc({ input: folder.path });
  assertEquals(failuresOf(report), ["task_columns", "fragment_columns"]);
});

Deno.test("verifyOpendc() refuses brotli, which OpenDC cannot read", async () => {
  await using folder = await tempFolder();
  await writeWithDuckdb(folder.path, { format: "COMPRESSION brotli" });
  const report = await verifyOpendc({ input: folder.path });
  assertEquals(failuresOf(report), ["task_columns", "fragment_columns", "codec"]);
});

Deno.test("verifyOpendc() refuses a submission in microseconds", async () => {
  await using folder = await tempFolder();
  await writeWithDuckdb(folder.path, {
    format: "COMPRESSION snappy",
    submission: "submission_time::TIMESTAMP",
  });
  const report = await verifyOpendc({ input: folder.path });
  const reason = reasonOf(report, "task_columns");
  assert(reason.includes("timestamp in MICROS"), reason);
  // It is told once, and the times are right all the same.
  assertEquals(report.checks[0]?.status, "skip");
  assertEquals(report.found?.submission_ms, [1_756_728_000_000, 1_756_728_001_000]);
});

Deno.test("verifyOpendc() says where a file is missing, truncated or something else", async () => {
  await using folder = await tempFolder();
  await writeWorkload(folder.path);
  const path = join(folder.path, "fragments.parquet");
  const whole = await Deno.readFile(path);
  const broken = [
    whole.subarray(0, whole.length - 20),
    whole.subarray(0, 3),
    new TextEncoder().encode("id,duration,cpu_usage\n1,2,3\n"),
    corrupted(whole),
  ];
  for (const bytes of broken) {
    await Deno.writeFile(path, bytes);
    const report = await verifyOpendc({ input: folder.path });
    assertEquals(failuresOf(report).at(-1), "readable");
    assert(reasonOf(report, "readable").includes("fragments.parquet"));
    assertEquals(report.found, null);
  }
  await Deno.remove(path);
  assertEquals(failuresOf(await verifyOpendc({ input: folder.path })), ["readable"]);
});

/** The same file with broken pages and a footer that is whole. */
function corrupted(whole: Uint8Array): Uint8Array {
  const bytes = whole.slice();
  bytes.fill(0xff, 4, 60);
  return bytes;
}

const TEXT = { type: "BYTE_ARRAY", annotation: "STRING" } as const;

Deno.test("verifyOpendc() of text ids says which versions read them, and joins them", async () => {
  await using folder = await tempFolder();
  const cores = { ...FRAGMENT_COLUMNS[0], name: "cpu_count", type: "INT32" } as Column;
  await writeWorkload(folder.path, {
    taskColumns: altered(TASK_COLUMNS, "id", TEXT),
    tasks: { id: ["b", "a"] },
    fragmentColumns: [...altered(FRAGMENT_COLUMNS, "id", TEXT), cores],
    fragments: { id: ["b", "b", "a"], cpu_count: Int32Array.of(1, 1, 2) },
  });
  const report = await verifyOpendc({ input: folder.path });
  assertEquals(failuresOf(report), ["opendc_versions"]);
  assertEquals(
    reasonOf(report, "opendc_versions"),
    "only v2.3 to v2.4e read it: v2.4f and later require INT32 ids",
  );
  assertEquals(report.found?.span_ms, 1100);
});

Deno.test("verifyOpendc() names a task with an id of text", async () => {
  await using folder = await tempFolder();
  const cores = { ...FRAGMENT_COLUMNS[0], name: "cpu_count", type: "INT32" } as Column;
  await writeWorkload(folder.path, {
    taskColumns: altered(TASK_COLUMNS, "id", TEXT),
    tasks: { id: ["b", "a"], cpu_count: Int32Array.of(1, 0) },
    fragmentColumns: [...altered(FRAGMENT_COLUMNS, "id", TEXT), cores],
    fragments: { id: ["b", "b", "a"], cpu_count: Int32Array.of(1, 1, 2) },
  });
  const reason = reasonOf(await verifyOpendc({ input: folder.path }), "task_values");
  assertEquals(reason, "1 tasks have cpu_count below 1 (a)");
});

Deno.test("verifyOpendc() reads start and stop of v2.1, under its first names too", async () => {
  await using folder = await tempFolder();
  const place = join(folder.path, "trace");
  await Deno.mkdir(place);
  await copyAll({
    [join(place, "meta.parquet")]: `SELECT 'vm' AS id, 1000::BIGINT AS "submissionTime",
      4000::BIGINT AS "endTime", 2::INTEGER AS "maxCores", 5::BIGINT AS "requiredMemory"`,
    [join(place, "trace.parquet")]: `SELECT 'vm' AS id, 1000::BIGINT AS time,
      3000::BIGINT AS duration, 2::INTEGER AS cores, 100.0::DOUBLE AS "cpuUsage"`,
  });
  const report = await verifyOpendc({ input: folder.path });
  // What DuckDB writes is OPTIONAL; all else is right.
  assertEquals(failuresOf(report), ["task_columns", "fragment_columns"]);
  assertEquals(report.found?.submission_ms, [1000, 1000]);
  assertEquals(report.found?.span_ms, 3000);
  assertEquals(report.found?.cpu_count, [2, 2]);
});

async function copyAll(queries: Readonly<Record<string, string>>): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  for (const [path, query] of Object.entries(queries)) {
    await connection.run(`COPY (${query}) TO '${path}' (FORMAT parquet)`);
  }
  connection.closeSync();
  instance.closeSync();
}
