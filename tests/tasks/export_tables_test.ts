import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { runCommand } from "../support/command_process.ts";
import { writeTwoNodeRun } from "../support/cts_run.ts";
import { parquetRows } from "../support/parquet_rows.ts";
import { tempFolder } from "../support/temp_folder.ts";

Deno.test("export-tables writes into the run, under its grant", async () => {
  await using root = await tempFolder();
  const run = join(root.path, "logs", "r1");
  await writeTwoNodeRun(run);
  const made = await runCommand(["run", "export-tables", "RUN_ID=r1", "--json"], {
    cwd: root.path,
  });
  assertEquals(made.code, 0, made.stderr);
  assert(made.stderr.includes("tasks      8 rows, 61 columns"), made.stderr);
  assertEquals(JSON.parse(made.stdout).run_id, "r1");
  assertEquals((await parquetRows(join(run, "tables/samples.parquet"))).length, 13);
});

Deno.test("export-tables asks for a run", async () => {
  await using root = await tempFolder();
  const { code, stderr } = await runCommand(["run", "export-tables"], { cwd: root.path });
  assertEquals([code, stderr.trimEnd().split("\n").length], [2, 1]);
  assert(stderr.includes("--input DIR or RUN_ID is required"), stderr);
});
