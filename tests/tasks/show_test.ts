import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { parseNode } from "../../export/parse.ts";
import { screenLines } from "../../export/summary/screen.ts";
import { summarizeRun } from "../../export/summary/summary.ts";
import { COLOURED, PLAIN } from "../../export/summary/text.ts";
import { openTableRun } from "../../export/tables/run.ts";
import { parseCommand } from "../../tasks/command/parse.ts";
import { UsageError } from "../../tasks/command/usage_error.ts";
import { GATE } from "../../tasks/flags/gate.ts";
import { RUNS } from "../../tasks/flags/runs.ts";
import { SHOW } from "../../tasks/flags/show.ts";
import { main as gateMain } from "../../tasks/gate.ts";
import { main as runsMain } from "../../tasks/runs.ts";
import { main as showMain } from "../../tasks/show.ts";
import { runCommand } from "../support/command_process.ts";
import { ctsInvocation, ctsNode, RUN_START_MS, writeCts } from "../support/cts_run.ts";
import { writeQueueRun } from "../support/queue_run.ts";
import { recordingIo } from "../support/recording_io.ts";
import { tempFolder } from "../support/temp_folder.ts";

const NO_SOURCES = { env: {}, runIdEnv: {} };

async function show(...args: readonly string[]): Promise<readonly string[]> {
  const io = recordingIo();
  assertEquals(await showMain(parseCommand(SHOW, args, NO_SOURCES), io), 0);
  return io.printed;
}

async function gate(
  ...args: readonly string[]
): Promise<{ code: number; lines: readonly string[] }> {
  const io = recordingIo();
  const code = await gateMain(parseCommand(GATE, args, NO_SOURCES), io);
  return { code, lines: io.printed };
}

/** A run of 40 tasks, each `factor` times as long as those of the run that it is compared with. */
async function writeRun(folder: string, factor: number): Promise<void> {
  const invocations = Array.from({ length: 40 }, (_, at) => {
    const start = RUN_START_MS + at * 100 * factor;
    return ctsInvocation({
      trace_id: `trace-${at}`,
      task_id: `t${at}`,
      profile: at % 2 === 0 ? "even" : "odd",
      ts_enqueue: RUN_START_MS,
      ts_start: start,
      ts_end: start + (80 + at % 5) * factor,
      cpu_ms: 50,
      cpu_seen_ms: 40,
      max_rss_source: null,
    });
  });
  await writeCts(folder, {
    nodes: [ctsNode({ node_id: "cloud1", capacity_units: 2 })],
    invocations,
    rows: [],
  });
}

Deno.test("show gives a run on one screen of 80 columns, with the numbers of its records", async () => {
  await using folder = await tempFolder();
  const run = join(folder.path, "r1");
  await writeQueueRun(run);
  for (const node of ["cloud1", "cloud2"]) await parseNode(join(run, node));
  const lines = await show("r1", `--logs=${folder.path}`);
  const text = lines.join("\n");
  for (
    const expected of [
      "4 tasks: 1 failed, 3 done; 5 attempts; 1 request; 2 nodes",
      // Waits of 10.25, 60 and 1620 ms.
      /wait +60 ms +1\.46 s +1\.59 s +1\.62 s +3/,
      /until a node had room +40 ms/,
      /request +30 ms/,
      // 4 × 1000, 4 × 20 and 2 × 200 vCPU ms.
      "4.48 s of vCPU time reserved",
      /task-c +- +cloud1 +done +1\.62 s +200 ms/,
      /cloud2 +2 +- +4/,
    ]
  ) {
    if (typeof expected === "string") assertStringIncludes(text, expected);
    else assert(expected.test(text), `${expected}\n${text}`);
  }
  assertEquals(lines.filter((line) => line.length > 80), []);
  assert(lines.length <= 40, `${lines.length} lines`);
  const json = JSON.parse((await show("r1", `--logs=${folder.path}`, "--json")).join(""));
  assertEquals([json.tasks, json.wait_ms.p50, json.cpu_reserved_ms], [4, 60, 4480]);
  const summary = await summarizeRun(await openTableRun(run));
  const coloured = screenLines(summary, COLOURED).join("\n");
  assert(coloured.includes("\x1b[31mFINDINGS\x1b[0m"), coloured);
  // deno-lint-ignore no-control-regex -- the colours are what is taken away
  assertEquals(coloured.replaceAll(/\x1b\[\d+m/g, ""), screenLines(summary, PLAIN).join("\n"));
});

Deno.test("show --group-by and show A B judge what differs", async (t) => {
  await using folder = await tempFolder();
  const logs = `--logs=${folder.path}`;
  await writeRun(join(folder.path, "base"), 1);
  await writeRun(join(folder.path, "again"), 1.001);
  await writeRun(join(folder.path, "slow"), 2);
  await writeRun(join(folder.path, "slower"), 2.002);

  await t.step("groups with intervals", async () => {
    const lines = await show("base", logs, "--group-by=profile");
    assertEquals(lines.filter((line) => line.length > 80), []);
    assert(/^even +20 +1\.90 s/.test(lines[1] ?? ""), lines.join("\n"));
    assert(/^ +\[\d/.test(lines[2] ?? ""), lines.join("\n"));
  });
  await t.step("two runs, one twice as slow", async () => {
    const lines = await show("base", "slow", logs);
    assertEquals(lines.filter((line) => line.length > 80), []);
    const run = lines.find((line) => line.startsWith("run-p50")) ?? "";
    assert(/^run-p50 +82 ms +164 ms +\+100 % .*<0\.0001 +1\.00 +large$/.test(run), run);
  });
  await t.step("repeats give an interval over runs", async () => {
    const [printed = ""] = await show("base,again", "slow,slower", logs, "--json");
    const [makespan] = JSON.parse(printed)[0].changes;
    assertEquals([makespan.measure, makespan.interval_over], ["makespan", "runs"]);
    assert(makespan.interval_percent.low > 98 && makespan.interval_percent.high < 102);
  });
  await t.step("the gate passes what is not worse, and stops what is", async () => {
    const limits = ["--max-makespan-percent=5", "--max-run-p50-percent=5"];
    assertEquals((await gate("base", "again", logs, ...limits)).code, 0);
    const { code, lines } = await gate("base", "slow", logs, ...limits);
    assertEquals([code, lines.map((line) => line.slice(0, 15))], [
      1,
      ["FAIL makespan: ", "FAIL run-p50: +"],
    ]);
    assertEquals((await gate("slow", "base", logs, ...limits)).code, 0);
    assertEquals((await gate("base", "slow", logs, "--max-makespan-percent=150")).code, 0);
  });
  await t.step("usage errors", async () => {
    await assertRejects(() => gate("base", logs), UsageError, "BASELINE and RUN");
    await assertRejects(() => gate("base", "slow", logs), UsageError, "a limit is required");
    await assertRejects(() => show("base", "slow", logs, "--group-by=node"), UsageError, "one run");
  });
});

Deno.test("runs lists the logs, under its grant", async () => {
  await using folder = await tempFolder();
  const run = join(folder.path, "logs", "r1");
  await writeQueueRun(run);
  await parseNode(join(run, "cloud1"));
  const io = recordingIo();
  await runsMain(parseCommand(RUNS, [`--logs=${join(folder.path, "logs")}`], NO_SOURCES), io);
  assert(
    /^r1 +2025-09-01 12:00:00 UTC +not parsed +- +2 +\d+ kB$/.test(io.printed[1] ?? ""),
    io.printed.join("\n"),
  );
  await parseNode(join(run, "cloud2"));
  const { code, stdout, stderr } = await runCommand(["run", "runs"], { cwd: folder.path });
  assertEquals(code, 0, stderr);
  assert(/^r1 .* FINDINGS +4 +2 /m.test(stdout), stdout);
  const shown = await runCommand(["run", "show"], { cwd: folder.path });
  assertEquals(shown.code, 0, shown.stderr);
  assertStringIncludes(shown.stdout, "4 tasks: 1 failed, 3 done");
});
