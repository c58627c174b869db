/** Runs and exports as somebody may have written them who means harm, or a disk that fails. */

import { assert, assertEquals, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { planMerge } from "../../export/merge.ts";
import { ParquetFile, ParquetReadError } from "../../export/parquet_reader.ts";
import { parseNode } from "../../export/parse.ts";
import { InputFileError } from "../../trace/input_file.ts";
import { runCommand } from "../support/command_process.ts";
import {
  collectorStats,
  invocationEvent,
  nodeMeta,
  type RawRun,
  rawSample,
  RUN_START,
  writeRawRun,
} from "../support/raw_run.ts";
import { tempFolder } from "../support/temp_folder.ts";

const RUN: RawRun = {
  samples: [rawSample(100, { cpu_ns: 90e6 }), rawSample(200, { cpu_ns: 190e6 })],
  events: [
    invocationEvent({ startMs: 0, endMs: null }),
    invocationEvent({ startMs: 0, endMs: 210 }, { user_ms: 195, system_ms: 1 }),
  ],
  stats: [collectorStats(1), collectorStats(1)],
};

const FILES = [
  "proc_metrics.jsonl",
  "events.command.jsonl",
  "results.jsonl",
  "clock.jsonl",
  "collector_stats.jsonl",
  "node_meta.json",
];

/** What a number of a record may have become. */
const NUMBERS = [1e308, -1e308, 1e17, -1, 8.64e15, 2 ** 53 + 2, 2 ** 32];

Deno.test("parseNode() takes any number in any line of a run", async () => {
  await using folder = await tempFolder();
  for (const name of FILES.filter((one) => one.endsWith(".jsonl"))) {
    await writeRawRun(folder.path, RUN);
    const path = join(folder.path, name);
    const text = await Deno.readTextFile(path);
    const places = [...text.matchAll(/(?<=":)-?[\d.]+/g)];
    assert(places.length > 0);
    for (const [at, place] of places.entries()) {
      const number = NUMBERS[at % NUMBERS.length];
      const after = text.slice(place.index + place[0].length);
      await Deno.writeTextFile(path, text.slice(0, place.index) + number + after);
      const { audit } = await parseNode(folder.path);
      assertEquals(audit.cpu_residual_max_ms, 0, `${name} at ${place.index}: ${number}`);
    }
  }
});

Deno.test("parseNode() names the line whose CPU time cannot be", async () => {
  await using folder = await tempFolder();
  await writeRawRun(folder.path, RUN);
  const { tsMs, bootMs } = RUN_START;
  const line = { ts_ms: tsMs, boot_ms: bootMs, instance_id: "a", dt_ms: 200, cpu_ms: 1e308 };
  const more = { background_ms: 0, cpu_source: "proc", container: null, shares: {} };
  await Deno.writeTextFile(
    join(folder.path, "service_cpu.jsonl"),
    `${JSON.stringify({ ...line, ...more })}\n`,
  );
  const { audit } = await parseNode(folder.path);
  const said = JSON.stringify(audit.findings);
  assertStringIncludes(said, "service_cpu.jsonl");
});

Deno.test.each(FILES)("parseNode() names %s where it is no file", async (name) => {
  await using folder = await tempFolder();
  const path = join(folder.path, name);
  const places: readonly [string, () => Promise<unknown>][] = [
    ["a folder", () => Deno.mkdir(path)],
    ["a device", () => Deno.symlink("/dev/zero", path)],
    ["a FIFO", () => new Deno.Command("mkfifo", { args: [path] }).output()],
  ];
  for (const [kind, put] of places) {
    await writeRawRun(folder.path, RUN);
    await Deno.remove(path);
    await put();
    await assertRejects(
      () => parseNode(folder.path),
      InputFileError,
      `Cannot read "${path}": a file is required, got ${kind}`,
    );
    await Deno.remove(path, { recursive: true });
  }
});

Deno.test.each(["../../pwned", "..", "a/b", "", "x".repeat(65)])(
  "planMerge() takes no folder from a record: node_id %j",
  async (node_id) => {
    await using folder = await tempFolder();
    const parts = ["one", "two"].map((name) => join(folder.path, name));
    for (const part of parts) await writeRawRun(part, { ...RUN, meta: nodeMeta({ node_id }) });
    const { nodes } = await planMerge(parts, join(folder.path, "out"));
    assertEquals([...nodes.keys()].sort(), ["one", "two"]);
  },
);

Deno.test("ParquetFile does not work for what one flipped bit claims", async () => {
  const path = fromFileUrl(
    new URL("../fixtures/opendc/optional_by_one_bit.parquet", import.meta.url),
  );
  using file = await ParquetFile.open(path);
  const before = Deno.memoryUsage().rss;
  await assertRejects(() => file.readNumbers("cpu_capacity", 0), ParquetReadError, path);
  assertLess(Deno.memoryUsage().rss - before, 100e6);
});

Deno.test("a command names a run_id.env that is no file", async () => {
  await using folder = await tempFolder();
  await new Deno.Command("mkfifo", { args: ["run_id.env"], cwd: folder.path }).output();
  const { code, stderr } = await runCommand(["explain", "t1"], { cwd: folder.path });
  assertEquals(code, 1);
  assertEquals(stderr, 'explain: Cannot read "run_id.env": a file is required, got a FIFO\n');
});

Deno.test("a mistake in a profiles file is told in one line, without a stack", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "profiles.json");
  await Deno.writeTextFile(path, '{"p":1}');
  const { code, stderr } = await runCommand(
    ["run", "dispatch", "--dry-run", "--inputs=.", `--profiles=${path}`],
    { cwd: folder.path },
  );
  assertEquals(code, 1);
  assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
  assertStringIncludes(stderr, `${path}: unknown key "p"`);
});
