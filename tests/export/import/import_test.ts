import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { ImportError } from "../../../export/import/contract.ts";
import { HostSize } from "../../../export/import/host_sizes.ts";
import { importRun } from "../../../export/import/import.ts";
import { exportOpendc } from "../../../export/opendc/export.ts";
import { ParquetFile } from "../../../export/parquet_reader.ts";
import { verifyOpendc } from "../../../export/verify/verify.ts";
import { main } from "../../../tasks/import.ts";
import { IMPORT } from "../../../tasks/flags/import.ts";
import { parseCommand } from "../../../tasks/command/parse.ts";
import { recordingIo } from "../../support/recording_io.ts";
import { tempFolder } from "../../support/temp_folder.ts";

const OPENDC = fromFileUrl(new URL("../../fixtures/opendc/100_tasks/", import.meta.url));

const SOURCE = {
  settings: { utcOffsetMs: 0, cpuScale: null },
  hosts: { cores: null, freqMhz: null, memoryKb: null },
  version: "test",
  format: null,
};

/** Sum of MHz times ms over all fragments. */
async function demandOf(folder: string): Promise<number> {
  using file = await ParquetFile.open(join(folder, "fragments.parquet"));
  let sum = 0;
  for (let group = 0; group < file.groups.length; group++) {
    const durations = await file.readNumbers("duration", group);
    const usages = await file.readNumbers("cpu_usage", group);
    for (const [row, duration] of durations.entries()) sum += duration * (usages[row] as number);
  }
  return sum;
}

Deno.test("an OpenDC workload that is imported and exported demands what it did", async () => {
  await using folder = await tempFolder();
  const files = ["tasks.parquet", "fragments.parquet"].map((name) => join(OPENDC, name));
  const runFolder = join(folder.path, "logs", "old");
  const { counts } = await importRun({ ...SOURCE, files, runFolder });
  assertEquals(counts.invocations, 100);
  const output = join(folder.path, "export");
  await exportOpendc({ input: runFolder, output, version: "test" });
  const report = await verifyOpendc({ input: output, cts: runFolder });
  assertEquals(report.checks.filter(({ status }) => status === "fail"), []);
  const before = await demandOf(OPENDC);
  // Parse and export write whole microseconds of CPU time.
  assertAlmostEquals(await demandOf(output), before, before * 1e-6);
});

Deno.test("an SWF log becomes an export that verify-opendc accepts, in one command each", async () => {
  await using folder = await tempFolder();
  const lines = Array.from({ length: 200 }, (_, at) => {
    const processors = at % 4 + 1;
    return `${at + 1} ${at * 7} ${at % 50} ${at % 30 + 1} ${processors} ${
      at % 30
    } 1024 4 60 -1 1 1 1 -1 1 -1 -1 -1`;
  });
  const path = join(folder.path, "log.swf");
  await Deno.writeTextFile(
    path,
    `; UnixStartTime: 1700000000\n; MaxProcs: 16\n${lines.join("\n")}\n`,
  );
  const io = recordingIo();
  const logs = join(folder.path, "logs");
  const args = ["--run-id", "old", "--logs", logs, "--cpu-freq-mhz", "2400", "--json", path];
  assertEquals(
    await main(parseCommand(IMPORT, args, { env: {}, runIdEnv: {} }), io),
    0,
  );
  assertEquals(JSON.parse(io.printed.join("\n")).invocations, 200);
  const output = join(folder.path, "export");
  const summary = await exportOpendc({ input: join(logs, "old"), output, version: "test" });
  assertEquals(summary.tasks, 200);
  const report = await verifyOpendc({ input: output, cts: join(logs, "old") });
  assertEquals(report.checks.filter(({ status }) => status === "fail"), []);
});

Deno.test("an import replaces an earlier import, and never a run that was measured", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "log.swf");
  const runFolder = join(folder.path, "logs", "r");
  await Deno.writeTextFile(path, "1 0 0 1 1 1 -1 1 -1 -1 1 1 1 -1 1 -1 -1 -1\n");
  const options = { ...SOURCE, files: [path], runFolder };
  await importRun(options);
  assertEquals((await importRun(options)).counts.invocations, 1);
  await Deno.writeTextFile(join(runFolder, "results.jsonl"), "");
  const error = await assertRejects(() => importRun(options), ImportError);
  assert(error.message.includes("a new RUN_ID is required"));
});

Deno.test("HostSize finds the most cores reserved at one time", () => {
  const size = new HostSize();
  const t = Date.UTC(2024, 0, 1);
  size.add(4, t, t + 10);
  size.add(2, t + 10, t + 20);
  size.add(3, t + 5, t + 15);
  assertEquals(size.peakCores(), 7);
  const large = new HostSize();
  large.add(10_000, t, t + 10);
  large.add(5000, t + 5, t + 7);
  assertEquals(large.peakCores(), 15_000);
  assertEquals(new HostSize().peakCores(), 1);
});
