import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { parseCommand } from "../../tasks/command/parse.ts";
import { main, type RunCell } from "../../tasks/experiment.ts";
import { afterWarmUp } from "../../tasks/experiment/report.ts";
import { cellsOf, EXPERIMENT_SPEC } from "../../tasks/experiment/spec.ts";
import { EXPERIMENT } from "../../tasks/flags/experiment.ts";
import { openTableRun } from "../../export/tables/run.ts";
import { DecodeError } from "../../trace/schema.ts";
import { ctsInvocation, ctsNode, RUN_START_MS, writeCts } from "../support/cts_run.ts";
import { isValid } from "../support/json_schema.ts";
import { ROOT } from "../support/module_graph.ts";
import { recordingIo } from "../support/recording_io.ts";
import { tempFolder } from "../support/temp_folder.ts";

const EXAMPLE = join(ROOT, "examples/experiment/weighers.json");

const SPEC = {
  name: "try",
  tasks: 20,
  policies: [{ name: "base" }, { name: "slow", weigher: "instances" }],
  seeds: [1, 2, 3],
  warm_up_s: 0.5,
};

/** A run of 20 tasks, twice as long under the second policy, a little longer with each seed. */
function fakeRuns(): { runCell: RunCell; started: string[] } {
  const started: string[] = [];
  const runCell: RunCell = async ({ policy, seed, replicate }, { logs }) => {
    const runId = `run-${started.length}`;
    started.push(`${policy} ${seed} ${replicate}`);
    const factor = (policy === "slow" ? 2 : 1) * (1 + seed / 100 + replicate / 1000);
    const invocations = Array.from({ length: 20 }, (_, at) =>
      ctsInvocation({
        trace_id: `t${at}`,
        task_id: `t${at}`,
        ts_enqueue: RUN_START_MS + at * 100,
        ts_start: RUN_START_MS + at * 100 + (10 + at) * factor,
        ts_end: RUN_START_MS + at * 100 + 1000 * factor,
      }));
    const nodes = [ctsNode({ node_id: "cloud1" })];
    await writeCts(join(logs, runId), { nodes, invocations, rows: [] });
    return runId;
  };
  return { runCell, started };
}

Deno.test("cellsOf() runs the first cell twice, then every policy, arrival and seed once", async () => {
  const spec = EXPERIMENT_SPEC.decode(JSON.parse(await Deno.readTextFile(EXAMPLE)), EXAMPLE);
  const cells = cellsOf(spec);
  assertEquals(cells.length, (3 * 2 + 1) * 3);
  assertEquals(cells.slice(0, 6).map(({ replicate }) => replicate), [1, 1, 1, 2, 2, 2]);
  assertEquals(cells.at(-1)?.flags, [
    "--total=20",
    "--mix=light1c=3,medium480p=1",
    "--nodes=2",
    "--capacity-units=4",
    "--scan-pending=10",
    "--arrivals=poisson:2",
    "--seed=3",
  ]);
  const problem = { ...SPEC, policies: [{ name: "a/b" }] };
  try {
    EXPERIMENT_SPEC.decode(problem, "spec.json");
    assert(false);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    assertStringIncludes(error.message, 'field "policies"');
  }
});

Deno.test("the schema of the example takes what the decoder takes, and refuses what it refuses", async () => {
  const schema = JSON.parse(
    await Deno.readTextFile(join(ROOT, "examples/experiment/experiment.schema.json")),
  );
  assertEquals(Object.keys(schema.properties), Object.keys(EXPERIMENT_SPEC.fields));
  const example = JSON.parse(await Deno.readTextFile(EXAMPLE));
  const variants: readonly (readonly [change: object, isGood: boolean])[] = [
    [{}, true],
    [{ name: "a/b" }, false],
    [{ tasks: 0 }, false],
    [{ seeds: [0] }, false],
    [{ policies: [{ name: "p", weigher: "best" }] }, false],
    [{ policies: [{ name: "p", weigher: "" }] }, true],
    [{ policies: [{ name: "p", weigher: "vcpu" }] }, true],
    [{ policies: [{ name: "p", weigher: "instances:1,vcpu:-0.5" }] }, true],
    [{ policies: [{ name: "p", weigher: "instances:1,vcpu" }] }, false],
    [{ policies: [{ name: "p", scan_pending: 2 }] }, true],
    [{ warm_up_s: -1 }, false],
    [{ arrivals: [1] }, false],
  ];
  for (const [change, isGood] of variants) {
    const spec = { ...example, ...change };
    assertEquals(isValid(spec, schema), isGood, JSON.stringify(change));
    assertEquals(EXPERIMENT_SPEC.firstProblem(structuredClone(spec)) === null, isGood);
  }
});

Deno.test("experiment resumes where it was interrupted, checks A/A and compares over repeats", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "spec.json");
  await Deno.writeTextFile(path, JSON.stringify(SPEC));
  const args = [path, `--logs=${join(folder.path, "logs")}`];
  const parsed = parseCommand(EXPERIMENT, args, { env: {}, runIdEnv: {} });
  const { runCell, started } = fakeRuns();
  const first = recordingIo();
  const interrupting: RunCell = async (cell, context) => {
    const runId = await runCell(cell, context);
    if (started.length === 4) first.interrupt();
    return runId;
  };
  assertEquals(await main(parsed, first, interrupting), 1);
  assertEquals(started.length, 4);
  const second = recordingIo();
  assertEquals(await main(parsed, second, runCell), 0);
  assertEquals(started.length, 9);
  assertEquals(new Set(started).size, 9);
  assertEquals(second.said.filter((line) => line.includes("done before")).length, 4);
  const text = second.printed.join("\n");
  assertEquals(second.printed.filter((line) => line.length > 80), []);
  assert(/^slow +3 +3\.94 s +3\.89 s … 3\.99 s/m.test(text), text);
  assertStringIncludes(text, "A/A check: no measure of the repeated first cell differs.");
  assert(/^run-p50 .*\+100 %.*large$/m.test(text), text);
  assertStringIncludes(text, "over the repeats");
  const spec = { ...SPEC, seeds: [1, 2, 3, 4] };
  await Deno.writeTextFile(path, JSON.stringify(spec));
  assertEquals(await main(parsed, recordingIo(), runCell), 0);
  assertEquals(started.length, 12);
});

Deno.test("afterWarmUp() leaves out what was enqueued too soon", async () => {
  await using folder = await tempFolder();
  const { runCell } = fakeRuns();
  const cell = { policy: "base", arrivals: null, seed: 1, replicate: 1, flags: [] } as const;
  const runId = await runCell(cell, { logs: folder.path, io: recordingIo() });
  const { tasks } = await openTableRun(join(folder.path, runId));
  assertEquals(afterWarmUp(tasks, 0).length, 20);
  assertEquals(afterWarmUp(tasks, 500).map(({ task_id }) => task_id)[0], "t5");
});

Deno.test("experiment names a file that is not there", async () => {
  const parsed = parseCommand(EXPERIMENT, ["/nowhere.json"], { env: {}, runIdEnv: {} });
  await assertRejects(() => main(parsed, recordingIo()), Error, "there is no such file");
});
