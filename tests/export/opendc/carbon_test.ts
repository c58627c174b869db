import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { readCarbon } from "../../../export/opendc/carbon.ts";
import { ExportError } from "../../../export/opendc/input.ts";
import { ParquetFile } from "../../../export/parquet_reader.ts";
import { verifyOpendc } from "../../../export/verify/verify.ts";
import { RUN_START_MS as T, writeTwoNodeRun } from "../../support/cts_run.ts";
import { exportOpendc } from "../../../export/opendc/export.ts";
import { tempFolder } from "../../support/temp_folder.ts";

const HEADER = "timestamp,carbon_intensity\n";

async function timesOf(path: string): Promise<number[]> {
  using file = await ParquetFile.open(path);
  return [...await file.readNumbers("timestamp", 0)];
}

async function exportWith(root: string, rows: string): Promise<string> {
  const input = join(root, "run");
  const output = join(root, "out");
  const carbon = join(root, "grid.csv");
  await writeTwoNodeRun(input);
  await Deno.writeTextFile(carbon, HEADER + rows);
  await exportOpendc({ input, output, carbon, version: "test" });
  return output;
}

async function readJson(path: string): Promise<ReturnType<typeof JSON.parse>> {
  return JSON.parse(await Deno.readTextFile(path));
}

Deno.test("exportOpendc() gives each experiment the carbon trace in its own times", async () => {
  await using root = await tempFolder();
  const output = await exportWith(root.path, "2025-09-01 11:59:59,100\n2025-09-01T12:00:01Z,0\n");
  // One second before the first submission and one after it, times 1000.
  assertEquals(await timesOf(join(output, "policy/carbon.parquet")), [T - 1e6, T + 1e6]);
  const [topology, replay, sdk] = await Promise.all(
    ["small_datacenter.json", "replay/cloud1/topology.json", "sdk/topology-policy.json"]
      .map((name) => readJson(join(output, name))),
  );
  assertEquals(topology.clusters[0].powerSource, { carbonTracePath: "policy/carbon.parquet" });
  assertEquals(replay.clusters[0].powerSource, { carbonTracePath: "replay/cloud1/carbon.parquet" });
  assertEquals(sdk.clusters[0].powerSource, {
    carbon: { type: "named", name: "../policy/carbon.parquet" },
  });
  const manifest = await readJson(join(output, "manifest.json"));
  assert(manifest.inputs.some(({ path }: { path: string }) => path.endsWith("grid.csv")));
  assert((await Deno.readTextFile(join(output, "README.md"))).includes("`grid.csv`"));
  const report = await verifyOpendc({ input: output });
  assertEquals(report.checks.filter(({ status }) => status === "fail"), []);
  assertEquals(report.checks.find(({ id }) => id === "carbon")?.status, "pass");
});

Deno.test("verifyOpendc() fails for a carbon trace that OpenDC cannot use", async () => {
  await using root = await tempFolder();
  const output = await exportWith(root.path, `${T},100\n${T + 10_000},50\n`);
  const reason = async () =>
    (await verifyOpendc({ input: output })).checks.find(({ id }) => id === "carbon")?.reason ?? "";
  const late = join(output, "replay/cloud2/carbon.parquet");
  await Deno.rename(late, join(output, "policy/carbon.parquet"));
  assert((await reason()).includes('there is no "replay/cloud2/carbon.parquet"'));
});

const COVER = /intensities from 2025-09-01T12:00:00.000Z to 2025-09-01T12:00:02.300Z are required/;

Deno.test("exportOpendc() refuses a carbon trace that does not cover the run", async () => {
  await using root = await tempFolder();
  for (const rows of [`${T + 1},1\n${T + 9000},1\n`, `${T},1\n${T + 1000},1\n`, `${T},1\n`]) {
    const error = await assertRejects(() => exportWith(root.path, rows), ExportError);
    assert(COVER.test(error.message), error.message);
  }
  assertEquals([...Deno.readDirSync(join(root.path, "out"))], []);
});

const WRONG: readonly (readonly [string, string, string])[] = [
  ["no row", "", "one row or more is required"],
  ["times that do not increase", "2,1\n2,1\n", "is required in row 2"],
  ["a negative intensity", "1,1\n2,-1\n", "0 g/kWh or more is required in row 2, got -1"],
  ["an infinite intensity", "1,Infinity\n", ":2: a number or a date"],
  [
    "an empty cell",
    "1,\n",
    ':2: a number or a date of ISO 8601 is required for carbon_intensity, got ""',
  ],
];

for (const [what, rows, message] of WRONG) {
  Deno.test(`readCarbon() refuses ${what}`, async () => {
    await using root = await tempFolder();
    const path = join(root.path, "grid.csv");
    await Deno.writeTextFile(path, HEADER + rows);
    await assertRejects(() => readCarbon(path), ExportError, message);
  });
}
