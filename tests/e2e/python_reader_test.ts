/** The Python reader and the notebooks of `examples/`, where Python has the packages that they need. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { parseNode } from "../../export/parse.ts";
import { exportTables } from "../../export/tables/export.ts";
import { readRows } from "../../export/tables/rows.ts";
import { openTableRun } from "../../export/tables/run.ts";
import { TABLE_NAMES, TABLES } from "../../export/tables/tables.ts";
import { has } from "../support/left_out.ts";
import { ROOT } from "../support/module_graph.ts";
import { pythonWith, runPython } from "../support/python.ts";
import { writeQueueRun } from "../support/queue_run.ts";
import { tempFolder } from "../support/temp_folder.ts";

const PANDAS = await pythonWith("pandas");
const PARQUET = await pythonWith("pandas", "pyarrow") ?? await pythonWith("pandas", "duckdb");
const NOTEBOOK_PYTHON = await pythonWith("pandas", "pyarrow", "matplotlib");
const CAN_EXECUTE = has({ "Python with pandas, pyarrow and matplotlib": NOTEBOOK_PYTHON !== null });

/** Every table as JSON: times in µs, null for what is missing. */
const DUMP = `
import json, sys, pandas, tracekit
run = tracekit.open(sys.argv[1])
def cell(value):
    if value is None or value is pandas.NA or value is pandas.NaT or value != value: return None
    if isinstance(value, pandas.Timestamp): return value.value // 1000
    return value.item() if hasattr(value, "item") else value
print(json.dumps({
    name: [{column: cell(value) for column, value in row.items()}
           for row in getattr(run, name).to_dict("records")]
    for name in tracekit.TABLES}))
`;

/** The same from our own reader. */
async function expectedRows(run: string): Promise<Record<string, unknown[]>> {
  const opened = await openTableRun(run);
  const tables: Record<string, unknown[]> = {};
  for (const name of TABLE_NAMES) {
    const columns = Object.entries(TABLES[name].columns);
    tables[name] = (await Array.fromAsync(readRows(opened, name))).map((row) =>
      Object.fromEntries(columns.map(([column, { type }]) => {
        const value: unknown = Reflect.get(row, column) ?? null;
        const isTime = type === "timestamp" && typeof value === "number";
        return [column, isTime ? Math.round(value * 1000) : value];
      }))
    );
  }
  return tables;
}

for (const format of ["csv", "parquet"] as const) {
  const engine = format === "csv" ? PANDAS : PARQUET;
  const need = format === "csv" ? "Python with pandas" : "Python with pandas and pyarrow or duckdb";
  Deno.test({
    name: `tracekit.py reads every value of the ${format} files as it was recorded`,
    ignore: !has({ [need]: engine !== null }),
    fn: async () => {
      await using folder = await tempFolder();
      const run = join(folder.path, "run");
      await writeQueueRun(run);
      for (const node of ["cloud1", "cloud2"]) await parseNode(join(run, node));
      await exportTables({ input: run, output: join(run, "tables"), format, version: "test" });
      const env = { PYTHONPATH: join(ROOT, "examples") };
      const found = JSON.parse(await runPython(engine ?? "", ["-c", DUMP, run], env));
      assertEquals(Object.keys(found), [...TABLE_NAMES]);
      assertEquals(found, await expectedRows(run));
      const ask = (code: string) =>
        runPython(engine ?? "", ["-c", `import tracekit\n${code}`], env);
      const unit = `print(tracekit.open(${JSON.stringify(run)}).columns("tasks").unit["wait_ms"])`;
      assertEquals(await ask(unit), "ms\n");
      await assertRejects(() => ask('tracekit.open("/nowhere")'), Error, "tables.json is required");
    },
  });
}

/** Text outputs of a notebook's cells; figures differ from one version of a library to the next. */
async function textOutputs(path: string): Promise<string[]> {
  const { cells } = JSON.parse(await Deno.readTextFile(path));
  return cells.flatMap((
    { outputs = [] }: { outputs?: { text?: string[]; data?: Record<string, string[]> }[] },
  ) => outputs.flatMap(({ text, data }) => (text ?? data?.["text/plain"] ?? []).join(""))).filter((
    one: string,
  ) => one !== "");
}

for (const name of ["waits_and_slowdown", "used_against_reserved", "measured_against_simulated"]) {
  Deno.test({
    name: `notebook ${name} gives the outputs that it has`,
    ignore: !CAN_EXECUTE,
    fn: async () => {
      await using folder = await tempFolder();
      const notebook = join(ROOT, "examples/notebooks", `${name}.ipynb`);
      const output = join(folder.path, "executed.ipynb");
      await runPython(NOTEBOOK_PYTHON ?? "", [
        join(ROOT, "examples/notebooks/execute.py"),
        notebook,
        "--output",
        output,
      ]);
      const found = await textOutputs(output);
      assert(found.length >= 3);
      assertEquals(found, await textOutputs(notebook));
    },
  });
}
