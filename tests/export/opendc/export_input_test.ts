import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { exportOpendc } from "../../../export/opendc/export.ts";
import { ExportError } from "../../../export/opendc/input.ts";
import { verifyOpendc } from "../../../export/verify/verify.ts";
import {
  ctsInvocation,
  ctsNode,
  ctsRow,
  RUN_START_MS as T,
  twoNodeRun,
  writeCts,
} from "../../support/cts_run.ts";
import { exportTwoNodes } from "../../support/exported_run.ts";
import { tempFolder } from "../../support/temp_folder.ts";
import { readFragments, readTasks } from "../../support/workload_files.ts";

Deno.test("exportOpendc() reads the older layout, which knows pids only", async () => {
  await using folder = await tempFolder();
  const cctf = join(folder.path, "run", "cctf");
  await Deno.mkdir(cctf, { recursive: true });
  const write = (name: string, ...records: object[]) =>
    Deno.writeTextFile(
      join(cctf, name),
      records.map((one) => `${JSON.stringify(one)}\n`).join(""),
    );
  await Deno.writeTextFile(
    join(cctf, "nodes.json"),
    JSON.stringify([{ node_id: "cloud1", cpu_cores: 4, mem_mb: 8192, cpu_freq_mhz: 2000 }]),
  );
  await write("invocations.jsonl", {
    trace_id: "a",
    pid: 5,
    ts_enqueue: T,
    ts_start: T + 10,
    ts_end: T + 210,
  });
  await write("proc_cpu.jsonl", { ts_ms: T + 210, pid: 5, dt_ms: 200, cpu_ms: 100 });
  await write("proc_rss.jsonl", { ts_ms: T + 110, pid: 5, rss_kb: 2048 });
  const output = join(folder.path, "out");
  const summary = await exportOpendc({ input: join(folder.path, "run"), output, version: "test" });
  assertEquals(summary.count_from_use, ["a"]);
  const [task] = await readTasks(output);
  assertEquals([task?.cpu_count, task?.mem_capacity], [1, 2000]);
  assertEquals(await readFragments(output), [{ id: 5, duration: 200, cpu_usage: 1000 }]);
});

Deno.test("exportOpendc() counts lines that are torn, malformed, there twice", async () => {
  await using folder = await tempFolder();
  const input = join(folder.path, "run");
  const row = ctsRow({ trace_id: "a", ts_ms: T + 200, dt_ms: 200, cpu_ms: 100 });
  await writeCts(input, {
    nodes: [ctsNode({ node_id: "cloud1" })],
    invocations: [
      ctsInvocation({ trace_id: "a", ts_end: T + 200, cpu_ms: 100 }),
      ctsInvocation({ trace_id: "a", ts_end: T + 200, cpu_ms: 100 }),
    ],
    rows: [row, row],
  });
  await Deno.writeTextFile(
    join(input, "CTS", "proc_metrics.jsonl"),
    '{"ts_ms":"soon"}\n\nnonsense\n{"ts_ms":17567',
    { append: true },
  );
  await Deno.writeTextFile(join(input, "CTS", "invocations.jsonl"), "{}\n", { append: true });
  const output = join(folder.path, "out");
  const summary = await exportOpendc({ input, output, version: "test" });
  assertEquals(summary.rows, {
    read: 2,
    kept: 2,
    left_out: 0,
    foreign: 0,
    malformed: 2,
    torn: 1,
  });
  assertEquals(
    [summary.duplicate_rows, summary.duplicate_invocations, summary.malformed_invocations],
    [1, 1, 1],
  );
  assertEquals(await readFragments(output), [{ id: 1000, duration: 200, cpu_usage: 1200 }]);
});

const FAILURES: readonly (readonly [string, (input: string) => Promise<void>, string])[] = [
  [
    "a frequency that is not known",
    (input) =>
      writeCts(join(input, "cloud1"), {
        ...twoNodeRun().cloud1 ?? { nodes: [], invocations: [], rows: [] },
        nodes: [ctsNode({ node_id: "cloud1", cpu_freq_mhz: null, cpu_freq_mhz_exact: null })],
      }),
    "--cpu-freq-mhz",
  ],
  [
    "a node that is nowhere described",
    (input) =>
      writeCts(join(input, "cloud1"), {
        ...twoNodeRun().cloud1 ?? { nodes: [], invocations: [], rows: [] },
        nodes: [ctsNode({ node_id: "other" })],
      }),
    `"cloud1" is required in nodes.json`,
  ],
  [
    "a missing nodes.json",
    (input) => Deno.remove(join(input, "cloud1", "CTS", "nodes.json")),
    "run parse first",
  ],
  [
    "a folder without a parsed run",
    (input) => Deno.remove(input, { recursive: true }),
    "no such folder",
  ],
];

for (const [name, breakRun, message] of FAILURES) {
  Deno.test(`exportOpendc() with ${name} fails in words and leaves the last export whole`, async () => {
    await using run = await exportTwoNodes();
    const before = await fingerprints(run.output);
    await breakRun(run.input);
    const again = () => exportOpendc({ input: run.input, output: run.output, version: "test" });
    await assertRejects(again, ExportError, message);
    assertEquals(await fingerprints(run.output), before);
  });
}

Deno.test("exportOpendc() ended in the middle of writing leaves the last export whole", async () => {
  await using run = await exportTwoNodes();
  const before = await fingerprints(run.output);
  const controller = new AbortController();
  await assertRejects(
    () =>
      exportOpendc({
        input: run.input,
        output: run.output,
        version: "test",
        status: "all",
        signal: controller.signal,
        report: ({ what }) => {
          if (what.includes("series written")) controller.abort(new Error("enough"));
        },
      }),
    Error,
    "enough",
  );
  assertEquals(await fingerprints(run.output), before);
});

Deno.test("exportOpendc() removes files of the last export that this one does not have", async () => {
  await using run = await exportTwoNodes();
  await Deno.writeTextFile(join(run.output, "notes.txt"), "mine");
  await Deno.remove(join(run.input, "cloud2"), { recursive: true });
  await exportOpendc({ input: run.input, output: run.output, version: "test" });
  const names = [...(await fingerprints(run.output)).keys()];
  assert(!names.some((name) => name.includes("cloud2")), names.join(" "));
  assert(names.includes("notes.txt"));
});

Deno.test("exportOpendc() removes nothing outside its folder, whatever the last manifest says", async () => {
  await using run = await exportTwoNodes();
  const mine = join(run.output, "..", "mine.txt");
  await Deno.writeTextFile(mine, "mine");
  const path = join(run.output, "manifest.json");
  const manifest = JSON.parse(await Deno.readTextFile(path));
  const files = [...manifest.files, "../mine.txt", "replay/../../mine.txt", mine];
  await Deno.writeTextFile(path, JSON.stringify({ ...manifest, files }));
  await exportOpendc({ input: run.input, output: run.output, version: "test" });
  assertEquals(await Deno.readTextFile(mine), "mine");
});

Deno.test("exportOpendc() of nothing measured is an empty workload that verify refuses", async () => {
  await using folder = await tempFolder();
  const input = join(folder.path, "run");
  const output = join(folder.path, "out");
  await writeCts(input, { nodes: [ctsNode({ node_id: "cloud1" })], invocations: [], rows: [] });
  const summary = await exportOpendc({ input, output, version: "test" });
  assertEquals([summary.tasks, summary.fragments, summary.makespan_ms], [0, 0, 0]);
  const report = await verifyOpendc({ input: output });
  assertEquals(report.checks.filter(({ status }) => status === "fail").map(({ id }) => id), [
    "has_tasks",
  ]);
});

/** Content of every file beneath `folder` by its path. */
async function fingerprints(folder: string, beneath = ""): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const entries = await Array.fromAsync(Deno.readDir(join(folder, beneath)));
  for (const { name, isDirectory } of entries) {
    const path = join(beneath, name);
    if (isDirectory) {
      for (const [inner, text] of await fingerprints(folder, path)) found.set(inner, text);
    } else {
      found.set(path, (await Deno.readFile(join(folder, path))).join());
    }
  }
  return found;
}
