import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { exportOpendc } from "../../../export/opendc/export.ts";
import type { ReportJson } from "../../../export/report/report.ts";
import { parseCommand } from "../../../tasks/command/parse.ts";
import { REPORT } from "../../../tasks/flags/report.ts";
import { main } from "../../../tasks/report.ts";
import { ctsInvocation, ctsNode, ctsRow, RUN_START_MS, writeCts } from "../../support/cts_run.ts";
import { writeSimulation } from "../../support/opendc_output.ts";
import { recordingIo } from "../../support/recording_io.ts";
import { tempFolder } from "../../support/temp_folder.ts";

const T = RUN_START_MS;
const MHZ = 2000;

/** Eight tasks of ten seconds on one node, two at once; in the simulation each waits a second longer. */
const TASKS = Array.from({ length: 8 }, (_, at) => ({
  id: at,
  name: `t${at}`,
  submissionMs: at * 100,
  startMs: Math.floor(at / 2) * 10_000 + at * 100,
}));

Deno.test("report shows a simulation beside its run, task by task", async () => {
  await using root = await tempFolder();
  const run = join(root.path, "run");
  const exported = join(root.path, "export");
  await writeCts(run, {
    nodes: [ctsNode({ node_id: "cloud1", cpu_freq_mhz: MHZ, capacity_units: 4 })],
    invocations: TASKS.map(({ name, submissionMs, startMs }) =>
      ctsInvocation({
        trace_id: name,
        task_id: name,
        pid: null,
        ts_enqueue: T + submissionMs,
        ts_start: T + startMs,
        ts_end: T + startMs + 10_000,
        cpu_ms: 10_000,
      })
    ),
    rows: TASKS.map(({ name, startMs }) =>
      ctsRow({ trace_id: name, ts_ms: T + startMs + 10_000, dt_ms: 10_000, cpu_ms: 10_000 })
    ),
  });
  await exportOpendc({
    input: run,
    output: exported,
    version: "test",
    taskIdMode: "sequential",
    timeScale: 1,
  });
  await writeSimulation(join(exported, "output", "policy", "raw-output", "0", "seed=0"), {
    tasks: TASKS.map((task) => ({
      ...task,
      startMs: task.startMs + 1000,
      endMs: task.startMs + 11_000,
      host: "cloud1",
      usageMhz: MHZ,
    })),
    hosts: { cloud1: 4 * MHZ },
    intervalMs: 1000,
    version: "2.4u",
    firstSubmissionMs: T,
  });
  const io = recordingIo();
  const args = [run, "--simulated", join(exported, "output"), "--json"];
  assertEquals(await main(parseCommand(REPORT, args, { env: {}, runIdEnv: {} }), io), 0);
  const { runs, comparisons, figures } = JSON.parse(io.printed.join("")) as ReportJson;
  assertEquals(runs.map(({ kind, tasks }) => [kind, tasks]), [["measured", 8], ["simulated", 8]]);
  const [comparison] = comparisons;
  assertEquals(comparison?.matched, 8);
  const wait = comparison?.figures.find(({ name }) => name === "wait, median");
  assertEquals(Math.round((wait?.second ?? 0) - (wait?.first ?? 0)), 1000);
  const pairs = figures.find(({ id }) => id === "waits-by-task");
  assertEquals(pairs?.rows.length, 8);
  assert(pairs?.rows.every(([, x, y]) => Math.round(Number(y) - Number(x)) === 1000));
  assertEquals(runs[1]?.nodes.map(({ name }) => name), ["cloud1"]);
});
