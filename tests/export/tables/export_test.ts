import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { ExportError } from "../../../export/opendc/input.ts";
import { parseNode } from "../../../export/parse.ts";
import { exportTables } from "../../../export/tables/export.ts";
import { readRows, readTables } from "../../../export/tables/rows.ts";
import { openTableRun } from "../../../export/tables/run.ts";
import { TABLE_NAMES, TABLES } from "../../../export/tables/tables.ts";
import { writeTwoNodeRun } from "../../support/cts_run.ts";
import { parquetRows, query } from "../../support/parquet_rows.ts";
import { checkTables, csvDifferences } from "../../support/table_checks.ts";
import { writeQueueRun } from "../../support/queue_run.ts";
import { tempFolder } from "../../support/temp_folder.ts";

/** A parsed run of two nodes with a queue, and its tables in both formats. */
async function exported(folder: string): Promise<{ run: string; tables: string }> {
  const run = join(folder, "run");
  const tables = join(folder, "tables");
  await writeQueueRun(run);
  for (const node of ["cloud1", "cloud2"]) await parseNode(join(run, node));
  await exportTables({ input: run, output: tables, format: "both", version: "test" });
  return { run, tables };
}

Deno.test("exportTables() writes what the records say, in every column of every table", async (t) => {
  await using folder = await tempFolder();
  const { run, tables } = await exported(folder.path);
  const parquetOf = (name: string) => join(tables, `${name}.parquet`);

  await t.step("parquet", async () => {
    assertEquals(await checkTables(tables, [join(run, "cloud1"), join(run, "cloud2")]), []);
  });
  await t.step("a value that is off by a microsecond would be noticed", async () => {
    const path = join(run, "cloud2/CTS/proc_metrics.jsonl");
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace('"cpu_ms":5', '"cpu_ms":5.001'));
    const problems = await checkTables(tables, [join(run, "cloud1"), join(run, "cloud2")]);
    await Deno.writeTextFile(path, text);
    assertEquals(problems.map((one) => /row \d+: (\w+) is/.exec(one)?.[1]), ["cpu_ms"]);
  });
  await t.step("no table of this run is empty", async () => {
    const summary = JSON.parse(await Deno.readTextFile(join(tables, "tables.json")));
    const rows = summary.tables.map((
      { name, rows }: { name: string; rows: number },
    ) => [name, rows]);
    assertEquals(rows.filter(([, count]: [string, number]) => count === 0), []);
    assertEquals(rows.map(([name]: [string]) => name), TABLE_NAMES);
  });
  await t.step("CSV", async () => {
    for (const name of TABLE_NAMES) assertEquals(await csvDifferences(parquetOf(name)), [], name);
  });
  await t.step("a wait is split at the head of the queue and at the assignment", async () => {
    const rows = await parquetRows(parquetOf("tasks"));
    const waits = rows.map((row) =>
      ["task_id", "attempts", "queue_ms", "placement_ms", "launch_ms", "wait_ms"].map((one) =>
        row[one]
      )
    );
    assertEquals(waits, [
      // Never placed by a scheduler, and not by the queue: nothing but its own times is known.
      [null, 1, null, null, null, null],
      ["task-a", 1, 5, 0, 5.25, 10.25],
      ["task-b", 1, 5, 40, 15, 60],
      // Failed once: what came before its last wait at the head is time in the queue.
      ["task-c", 2, 1500, 100, 20, 1620],
    ]);
  });
  await t.step("a decision names the nodes that could have taken the task", async () => {
    const rows = await parquetRows(parquetOf("placements"));
    const decisions = rows.map((row) =>
      ["decision", "task_id", "node", "hosts", "candidates", "reason"].map((one) => row[one])
    );
    assertEquals(decisions, [
      ["placed", "task-a", "cloud1", 2, 2, null],
      ["waiting", "task-b", null, 2, 0, "busy"],
      ["placed", "task-b", "cloud2", 2, 1, null],
      ["placed", "task-c", "cloud2", 2, 1, null],
      ["waiting", "task-c", null, 2, 0, "busy"],
      ["placed", "task-c", "cloud1", 2, 1, null],
    ]);
  });
  await t.step("each column says unit, meaning and source in the footer", async () => {
    const [found] = await query(
      `SELECT decode(value) AS value FROM parquet_kv_metadata('${parquetOf("samples")}')
        WHERE decode(key) = 'tracekit.table'`,
    );
    const { columns } = JSON.parse(String(found?.["value"]));
    assertEquals(columns.find(({ name }: { name: string }) => name === "cpu_ms"), {
      name: "cpu_ms",
      type: "DOUBLE",
      nullable: false,
      unit: "ms",
      doc: "CPU time used in it.",
      source: "CTS/proc_metrics.jsonl",
    });
    const arrow = await query(
      `SELECT count(*) AS n FROM parquet_kv_metadata('${parquetOf("samples")}')
        WHERE decode(key) = 'ARROW:schema'`,
    );
    assertEquals(Number(arrow[0]?.["n"]), 1);
  });
  await t.step("readTables() and readRows() give the same rows in the process", async () => {
    const { tasks, nodes } = await readTables(run, ["tasks", "nodes"]);
    assertEquals(tasks.map(({ task_id }) => task_id), [null, "task-a", "task-b", "task-c"]);
    assertEquals(nodes.map(({ node_id }) => node_id), ["cloud1", "cloud2"]);
    const opened = await openTableRun(run);
    for (const name of TABLE_NAMES) {
      const found = await parquetRows(parquetOf(name));
      const rows = (await Array.fromAsync(readRows(opened, name))).map((row) =>
        Object.fromEntries(
          Object.keys(TABLES[name].columns).map((
            column,
          ) => [column, Reflect.get(row, column) ?? null]),
        )
      );
      assertEquals(rows, found as typeof rows, name);
    }
  });
});

Deno.test("exportTables() leaves out lines that are not records, and says which", async () => {
  await using folder = await tempFolder();
  const { run } = await exported(folder.path);
  const rows = join(run, "cloud1/CTS/proc_metrics.jsonl");
  await Deno.writeTextFile(rows, '{"ts_ms":1}\n{"ts_ms":17567', { append: true });
  const output = join(folder.path, "again");
  const { bad_lines } = await exportTables({ input: run, output, version: "test" });
  const { torn, malformed } = bad_lines["cloud1/CTS/proc_metrics.jsonl"] ?? {};
  assertEquals({ torn, malformed }, { torn: 1, malformed: 1 });
});

Deno.test("exportTables() takes a parsed run without its records", async () => {
  await using folder = await tempFolder();
  const input = join(folder.path, "run");
  await writeTwoNodeRun(input);
  const summary = await exportTables({ input, output: join(folder.path, "out"), version: "test" });
  const rows = Object.fromEntries(summary.tables.map(({ name, rows }) => [name, rows]));
  assertEquals({ tasks: rows["tasks"], attempts: rows["attempts"], samples: rows["samples"] }, {
    tasks: 8,
    attempts: 9,
    samples: 13,
  });
});

Deno.test("exportTables() asks for a parsed run", async () => {
  await using folder = await tempFolder();
  const options = { input: folder.path, output: join(folder.path, "out"), version: "test" };
  await assertRejects(() => exportTables(options), ExportError, "run parse first");
});

Deno.test("a table's key names columns of it, and each column has a meaning and a source", () => {
  for (const { name, key, columns } of Object.values(TABLES)) {
    assertEquals(key.filter((one) => !(one in columns)), [], name);
    for (const [column, { doc, source, unit, type }] of Object.entries(columns)) {
      assert(doc.endsWith(".") && source !== "", `${name}.${column}`);
      if (/_(ms|kb|mb|bytes|mhz)$/.test(column)) assert(unit !== null, `${name}.${column}`);
      if (/^ts_/.test(column)) assertEquals(type, "timestamp", `${name}.${column}`);
    }
  }
});
