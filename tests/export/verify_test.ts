import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { DuckDBInstance } from "@duckdb/node-api";
import { fromFileUrl, join } from "@std/path";
import { exportOpendc } from "../../export/opendc_export.ts";
import { type Column, FRAGMENT_COLUMNS, TASK_COLUMNS } from "../../export/opendc_schema.ts";
import { type ColumnValues, writeParquet } from "../../export/parquet.ts";
import { verifyOpendc, type VerifyReport } from "../../export/verify.ts";
import { writeTwoNodeRun } from "../support/cts_run.ts";
import { tempFolder } from "../support/temp_folder.ts";

const FIXTURES = fromFileUrl(new URL("../fixtures/opendc/", import.meta.url));

function failures({ checks }: VerifyReport): string[] {
  return checks.filter(({ status }) => status === "fail").map(({ id }) => id);
}

function reasonOf({ checks }: VerifyReport, id: string): string {
  return checks.find((check) => check.id === id)?.reason ?? "";
}

// What DuckDB says about the same files.
const OPENDC_WORKLOADS = [
  {
    name: "100_tasks",
    tasks: 100,
    fragments: 100,
    submission_ms: [1704152847048, 1706717492979],
    duration_ms: [3_600_000, 3_600_000],
    cpu_count: [1, 1],
    capacity_mhz: [1000, 1000],
    peak_mhz: 1000,
    mean_mhz: 1000,
    memory_mib: [10, 10],
  },
  {
    name: "100_fragments",
    tasks: 1000,
    fragments: 100_000,
    submission_ms: [1704069550323, 1706741988979],
    duration_ms: [3_600_000, 3_600_000],
    cpu_count: [1, 1],
    capacity_mhz: [1000, 1000],
    peak_mhz: 1000,
    mean_mhz: 1000,
    memory_mib: [10, 10],
  },
  {
    name: "surf_week",
    tasks: 6295,
    fragments: 2_323_475,
    submission_ms: [1665093600000, 1665698347000],
    duration_ms: [30_000, 432_030_000],
    cpu_count: [16, 16],
    capacity_mhz: [33_600, 33_600],
    peak_mhz: 33_600,
    mean_mhz: 1524009661650000 / (2_323_475 * 30_000),
    memory_mib: [100, 100],
  },
] as const;

for (const { name, mean_mhz, ...expected } of OPENDC_WORKLOADS) {
  Deno.test(`verifyOpendc() accepts OpenDC's own ${name} and describes it right`, async () => {
    const report = await verifyOpendc({ input: join(FIXTURES, name) });
    assertEquals(failures(report), []);
    assert(report.ok);
    const { found } = report;
    assert(found !== null);
    for (const [field, value] of Object.entries(expected)) {
      assertEquals(found[field as keyof typeof found], value, field);
    }
    assertAlmostEquals(found.mean_mhz, mean_mhz, 1e-6);
    assertEquals(found.codecs, ["SNAPPY"]);
  });
}

/** A small workload that is right, as columns that a case may change. */
function goodTasks(): Record<string, ColumnValues> {
  return {
    id: Int32Array.of(1, 2),
    submission_time: BigInt64Array.of(1_756_728_000_000n, 1_756_728_001_000n),
    duration: BigInt64Array.of(300n, 100n),
    cpu_count: Int32Array.of(1, 2),
    cpu_capacity: Float64Array.of(2400, 4800),
    mem_capacity: BigInt64Array.of(100_000n, 200_000n),
    name: ["one", "two"],
    num_fragments: Int32Array.of(2, 1),
  };
}

function goodFragments(): Record<string, ColumnValues> {
  return {
    id: Int32Array.of(1, 1, 2),
    duration: BigInt64Array.of(200n, 100n, 100n),
    cpu_usage: Float64Array.of(2400, 0, 4800),
  };
}

async function write(
  path: string,
  { columns, values }: {
    readonly columns: readonly Column[];
    readonly values: Record<string, ColumnValues>;
  },
): Promise<void> {
  const present = columns.filter(({ name }) => name in values);
  const ordered = present.map(({ name }) => values[name] ?? []);
  await writeParquet(path, {
    columns: present,
    compression: "zstd",
    createdBy: "test",
    batches: [{ length: ordered[0]?.length ?? 0, values: ordered }],
  });
}

interface Change {
  readonly tasks?: Record<string, ColumnValues>;
  readonly fragments?: Record<string, ColumnValues>;
  readonly taskColumns?: readonly Column[];
  readonly fragmentColumns?: readonly Column[];
  readonly without?: string;
}

async function writeWorkload(folder: string, change: Change = {}): Promise<void> {
  const tasks = { ...goodTasks(), ...change.tasks };
  const fragments = { ...goodFragments(), ...change.fragments };
  if (change.without !== undefined) {
    delete tasks[change.without];
    delete fragments[change.without];
  }
  await write(join(folder, "tasks.parquet"), {
    columns: change.taskColumns ?? TASK_COLUMNS,
    values: tasks,
  });
  await write(join(folder, "fragments.parquet"), {
    columns: change.fragmentColumns ?? FRAGMENT_COLUMNS,
    values: fragments,
  });
}

/** The columns with one of them declared otherwise. */
function altered(
  columns: readonly Column[],
  name: string,
  change: Partial<Column>,
): readonly Column[] {
  return columns.map((column) => column.name === name ? { ...column, ...change } : column);
}

Deno.test("verifyOpendc() accepts a small workload that is right", async () => {
  await using folder = await tempFolder();
  await writeWorkload(folder.path);
  assertEquals(failures(await verifyOpendc({ input: folder.path })), []);
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
    ["task_columns", "unique_ids", "known_ids", "tasks_have_fragments", "num_fragments"],
    "id is BYTE_ARRAY",
  ],
  ["no cpu_count", { without: "cpu_count" }, ["task_columns"], "cpu_count is missing"],
  ["no cpu_usage", { without: "cpu_usage" }, ["fragment_columns"], "cpu_usage is missing"],
  [
    "an id that is there twice",
    { tasks: { id: Int32Array.of(1, 1) }, fragments: { id: Int32Array.of(1, 1, 1) } },
    ["unique_ids", "tiling", "num_fragments"],
    "1 ids are there twice",
  ],
  [
    "a fragment of no task",
    { fragments: { id: Int32Array.of(1, 1, 9) } },
    ["known_ids", "tasks_have_fragments", "num_fragments"],
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
    ["tasks_have_fragments", "num_fragments"],
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
    "a demand that is no number",
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
    "fragments stand in another order than the tasks",
  ],
  [
    "fragments that do not stand together",
    {
      fragments: {
        id: Int32Array.of(1, 2, 1),
        duration: BigInt64Array.of(200n, 100n, 100n),
      },
    },
    ["order"],
    "fragments of a task do not stand together",
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
    assertEquals(failures(report), expected);
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
  assertEquals(failures(report), ["task_columns", "fragment_columns"]);
});

Deno.test("verifyOpendc() refuses brotli, which OpenDC cannot read", async () => {
  await using folder = await tempFolder();
  await writeWithDuckdb(folder.path, { format: "COMPRESSION brotli" });
  const report = await verifyOpendc({ input: folder.path });
  assertEquals(failures(report), ["task_columns", "fragment_columns", "codec"]);
});

Deno.test("verifyOpendc() refuses a submission in microseconds", async () => {
  await using folder = await tempFolder();
  await writeWithDuckdb(folder.path, {
    format: "COMPRESSION snappy",
    submission: "submission_time::TIMESTAMP",
  });
  const reason = reasonOf(await verifyOpendc({ input: folder.path }), "task_columns");
  assert(reason.includes("timestamp in MICROS"), reason);
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
    assertEquals(failures(report).at(-1), "readable");
    assert(reasonOf(report, "readable").includes("fragments.parquet"));
    assertEquals(report.found, null);
  }
  await Deno.remove(path);
  assertEquals(failures(await verifyOpendc({ input: folder.path })), ["readable"]);
});

/** The same file with broken pages and a footer that is whole. */
function corrupted(whole: Uint8Array): Uint8Array {
  const bytes = whole.slice();
  bytes.fill(0xff, 4, 60);
  return bytes;
}

/** An export of the two-node run. */
async function exported(folder: string): Promise<{ input: string; cts: string }> {
  const cts = join(folder, "run");
  const input = join(folder, "out");
  await writeTwoNodeRun(cts);
  await exportOpendc({ input: cts, output: input, version: "test" });
  return { input, cts };
}

async function editJson(
  path: string,
  // deno-lint-ignore no-explicit-any -- a test spoils a file in ways that its type forbids
  spoil: (value: any) => void,
): Promise<void> {
  const value = JSON.parse(await Deno.readTextFile(path));
  spoil(value);
  await Deno.writeTextFile(path, JSON.stringify(value));
}

const SPOILED: readonly (readonly [
  string,
  string,
  Parameters<typeof editJson>[1],
  string,
  string,
])[] = [
  [
    "a topology with a key that OpenDC does not know",
    "small_datacenter.json",
    (value) => value.clusters[0].hosts[0].note = "mine",
    "topology",
    "unknown keys: note",
  ],
  [
    "memory in bytes without a unit",
    "small_datacenter.json",
    (value) => value.clusters[0].hosts[0].memory.memorySize = 16 * 2 ** 30,
    "topology",
    "looks like bytes",
  ],
  [
    "hosts too small for a task",
    "small_datacenter.json",
    (value) => {
      for (const host of value.clusters[0].hosts) host.cpu.coreCount = 1;
    },
    "tasks_fit",
    "reserves 4 cores",
  ],
  [
    "an experiment whose workload is elsewhere",
    "experiment_policy.json",
    (value) => value.workloads[0].pathToFile = "elsewhere",
    "experiments",
    `there is no "elsewhere"`,
  ],
  [
    "an experiment with the scaling policy that never ends",
    "experiment_policy.json",
    (value) => value.workloads[0].scalingPolicy = "Perfect",
    "experiments",
    "Perfect never ends",
  ],
  [
    "a manifest of other files",
    "manifest.json",
    (value) => value.outputs[0].sha256 = "0",
    "manifest",
    "fragments.parquet is not the file that was exported",
  ],
  [
    "a manifest that is none",
    "manifest.json",
    (value) => delete value.tasks,
    "manifest",
    `field "tasks"`,
  ],
];

for (const [name, file, spoil, id, reason] of SPOILED) {
  Deno.test(`verifyOpendc() refuses an export with ${name}`, async () => {
    await using folder = await tempFolder();
    const { input } = await exported(folder.path);
    await editJson(join(input, file), spoil);
    const report = await verifyOpendc({ input });
    assertEquals(failures(report), [id]);
    assert(reasonOf(report, id).includes(reason), reasonOf(report, id));
  });
}

Deno.test("verifyOpendc() refuses an export whose replay lacks a host", async () => {
  await using folder = await tempFolder();
  const { input } = await exported(folder.path);
  await Deno.remove(join(input, "replay", "cloud2"), { recursive: true });
  const report = await verifyOpendc({ input });
  assertEquals(failures(report), ["manifest", "replay"]);
});

Deno.test("verifyOpendc() refuses an export of another run", async () => {
  await using folder = await tempFolder();
  const { input, cts } = await exported(folder.path);
  const path = join(cts, "cloud1", "CTS", "proc_metrics.jsonl");
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace('"cpu_ms":200}', '"cpu_ms":199}'));
  const lost = await verifyOpendc({ input, cts });
  assertEquals(failures(lost), ["conservation"]);
  assert(reasonOf(lost, "conservation").includes("t1: 1500"), reasonOf(lost, "conservation"));
  await Deno.writeTextFile(path, text);
  const invocations = join(cts, "cloud1", "CTS", "invocations.jsonl");
  const [first = ""] = (await Deno.readTextFile(invocations)).split("\n");
  await Deno.writeTextFile(
    invocations,
    `${first.replaceAll("a".repeat(32), "1".repeat(32))}\n`,
    { append: true },
  );
  assertEquals(failures(await verifyOpendc({ input, cts })), ["account"]);
});
