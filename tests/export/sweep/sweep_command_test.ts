import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { exportOpendc } from "../../../export/opendc/export.ts";
import { ParquetFile } from "../../../export/parquet_reader.ts";
import { runCommand } from "../../support/command_process.ts";
import { writeTwoNodeRun } from "../../support/cts_run.ts";
import { tempFolder } from "../../support/temp_folder.ts";

const STAND_IN = fromFileUrl(new URL("../../support/opendc_stand_in.ts", import.meta.url));
const CONFIG = fromFileUrl(new URL("../../../deno.json", import.meta.url));

Deno.test("sweep runs its scenarios, keeps those that fail apart, and continues", async () => {
  await using root = await tempFolder();
  const input = join(root.path, "run");
  await writeTwoNodeRun(input);
  await exportOpendc({ input, output: join(root.path, "export"), version: "test" });
  const spec = join(root.path, "spec.json");
  await Deno.writeTextFile(
    spec,
    JSON.stringify({
      export: "export",
      topologies: [{ name: "as-is" }, { name: "double", hosts: 2 }],
      carbon: [{ name: "grid", trace: "grid.csv" }],
    }),
  );
  await Deno.writeTextFile(
    join(root.path, "grid.csv"),
    "timestamp,carbon_intensity\n2025-09-01T00:00:00Z,100\n2025-09-02T00:00:00Z,200\n",
  );
  const runner = join(root.path, "OpenDCExperimentRunner");
  const good = `"${Deno.execPath()}" run -A -q --config "${CONFIG}" "${STAND_IN}" "$@"`;
  // The larger datacenter fails until the mark is there.
  await Deno.writeTextFile(
    runner,
    `#!/bin/sh
echo run >> "${root.path}/runs"
case "$PWD" in *double*) [ -e "${root.path}/mark" ] || { echo "java.lang.Error: too large"; exit 1; };; esac
exec ${good}
`,
    { mode: 0o755 },
  );
  const output = join(root.path, "sweep");
  const args = ["run", "sweep", "--spec", spec, "--output", output, "--runner", runner, "--json"];
  const first = await runCommand(args);
  assertEquals(first.code, 1, first.stderr);
  const results = JSON.parse(first.stdout);
  assertEquals(results.map(({ status }: { status: string }) => status), ["done", "failed"]);
  assert(results[1].reason.includes("java.lang.Error: too large"), results[1].reason);
  const { tasks, makespan_s, wait_mean_s } = results[0].metrics;
  assertEquals([tasks > 0, makespan_s > 0, wait_mean_s], [true, true, 0]);

  await Deno.writeTextFile(join(root.path, "mark"), "");
  const second = await runCommand(args);
  assertEquals(second.code, 0, second.stderr);
  const runs = (await Deno.readTextFile(join(root.path, "runs"))).trim().split("\n");
  assertEquals(runs.length, 3, "what was done is not run again");

  const csv = (await Deno.readTextFile(join(output, "table.csv"))).trim().split("\n");
  assertEquals(csv.length, 3);
  using table = await ParquetFile.open(join(output, "table.parquet"));
  assertEquals(table.rows, 2);
  const report = await Deno.readTextFile(join(output, "report.md"));
  assert(report.includes("| measured |"), report);
  assert((await Deno.readTextFile(join(output, "front.svg"))).startsWith("<svg"));
  using carbon = await ParquetFile.open(
    join(output, "scenarios", "as-is,double,as-is,none,grid,0", "carbon.parquet"),
  );
  // The trace reaches over the run: its times are multiplied from the first submission on.
  const [before = 0, after = 0] = await carbon.readNumbers("timestamp", 0);
  assertEquals(after - before, 24 * 3600 * 1000 * 1000);
});
