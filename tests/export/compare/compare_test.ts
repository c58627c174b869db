import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { compareOpendc, type CompareReport } from "../../../export/compare/compare.ts";
import { markdownOf } from "../../../export/compare/report.ts";
import { SimulationError } from "../../../export/compare/simulated.ts";
import { exportOpendc } from "../../../export/opendc/export.ts";
import {
  ctsInvocation,
  ctsNode,
  ctsRow,
  RUN_START_MS as T,
  writeCts,
} from "../../support/cts_run.ts";
import { type SimulatedRow, writeSimulation } from "../../support/opendc_output.ts";
import { tempFolder } from "../../support/temp_folder.ts";

const MHZ = 2000;
const TASKS = 60;

/** The tasks of a run of 20 minutes on two nodes: each waits, then keeps one core busy. */
const RUN = Array.from({ length: TASKS }, (_, at) => {
  const submissionMs = at * 20_000;
  const startMs = submissionMs + 1000 + (at * 7919) % 9000;
  return {
    id: at + 1,
    name: `t${at}`,
    node: at % 2 === 0 ? "cloud1" : "cloud2",
    submissionMs,
    startMs,
    endMs: startMs + 20_000 + (at * 104_729) % 40_000,
  };
});

const MAKESPAN_MS = Math.max(...RUN.map(({ endMs }) => endMs));

interface Exported {
  readonly measured: string;
  readonly folder: string;
}

async function exportRun(
  root: string,
  { submittedLaterMs = 0, timeScale = 1 } = {},
): Promise<Exported> {
  const measured = join(root, "run");
  const folder = join(root, "export");
  await writeCts(measured, {
    nodes: ["cloud1", "cloud2"].map((node_id) =>
      ctsNode({ node_id, cpu_cores: 4, cpu_freq_mhz: MHZ })
    ),
    invocations: RUN.map(({ name, node, submissionMs, startMs, endMs }) =>
      ctsInvocation({
        trace_id: name,
        task_id: name,
        node,
        pid: null,
        ts_enqueue: T + submissionMs + submittedLaterMs,
        ts_start: T + startMs,
        ts_end: T + endMs,
      })
    ),
    rows: RUN.map(({ name, startMs, endMs }) =>
      ctsRow({
        trace_id: name,
        ts_ms: T + endMs,
        dt_ms: endMs - startMs,
        cpu_ms: endMs - startMs,
      })
    ),
  });
  await exportOpendc({
    input: measured,
    output: folder,
    version: "test",
    taskIdMode: "sequential",
    timeScale,
  });
  return { measured, folder };
}

type Change = (task: SimulatedRow, at: number) => Partial<SimulatedRow>;

/** Write a simulation of the run that differs from it by `change`, and compare. */
async function compareWith(
  change: Change,
  { version = "2.4u" as keyof typeof BASES, drop = 0, thresholds = {}, submittedLaterMs = 0 } = {},
): Promise<CompareReport> {
  await using root = await tempFolder();
  const { measured, folder } = await exportRun(root.path, { submittedLaterMs });
  const simulated = join(folder, "output", "policy", "raw-output", "0", "seed=0");
  const tasks = RUN.slice(drop).map((task, at): SimulatedRow => {
    // Identical hosts are one entry with a count: cloud2 is cloud1-0 in the simulation.
    const host = task.node === "cloud1" ? "cloud1" : "cloud1-0";
    const row = { ...task, host, usageMhz: MHZ };
    return { ...row, ...change(row, at) };
  });
  await writeSimulation(simulated, {
    tasks,
    hosts: { "cloud1": 4 * MHZ, "cloud1-0": 4 * MHZ },
    intervalMs: 5000,
    version,
    firstSubmissionMs: T,
  });
  return await compareOpendc({ measured, simulated: join(folder, "output"), thresholds });
}

function checkOf({ checks }: CompareReport, id: string): CompareReport["checks"][number] {
  const check = checks.find((one) => one.id === id);
  assert(check !== undefined, id);
  return check;
}

function idsOf({ checks }: CompareReport, wanted: string): string[] {
  return checks.filter(({ status }) => status === wanted).map(({ id }) => id);
}

function failuresOf(report: CompareReport): string[] {
  return idsOf(report, "fail");
}

const BASES = { "2.4f": "relative", "2.4u": "absolute", "bare": "none" } as const;

for (const version of ["2.4f", "2.4u", "bare"] as const) {
  Deno.test(`compareOpendc() of a simulation that is the run passes, as ${version} writes it`, async () => {
    const report = await compareWith(() => ({}), { version });
    // Of 60 waits the 99th percentile is the greatest one; bare has no hosts of tasks.
    const unclear = version === "bare" ? ["wait_p99", "same_node"] : ["wait_p99"];
    assertEquals(idsOf(report, "not applicable"), unclear);
    assertEquals(failuresOf(report), []);
    assertEquals(report.submission_base, BASES[version]);
    assertEquals(report.placement_agreement, version === "bare" ? null : 1);
    assertEquals(checkOf(report, "makespan").simulated, MAKESPAN_MS);
    assertEquals(checkOf(report, "wait_p50").value, 0);
    assertEquals(checkOf(report, "wait_ks").value, 1);
    assertAlmostEquals(checkOf(report, "cpu_smape").value ?? NaN, 0, 1e-3);
    for (const { measured, simulated } of report.hosts) {
      assertAlmostEquals(simulated ?? NaN, measured, 1e-3);
    }
  });
}

Deno.test("compareOpendc() knows tasks whose name is their id", async () => {
  const report = await compareWith(({ id }) => ({ name: String(id) }), { version: "2.4f" });
  assertEquals(failuresOf(report), []);
});

Deno.test("compareOpendc() knows the energy of the default power model", async () => {
  const report = await compareWith(() => ({}));
  const busyMs = RUN.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  // Two hosts idle at 200 W; a host of four busy cores takes 200 W more.
  const expectedJ = (2 * 200 * MAKESPAN_MS + 200 * busyMs / 4) / 1000;
  assertAlmostEquals(report.energy_modelled_j, expectedJ, 1e-3 * expectedJ);
  assertAlmostEquals(report.energy_j ?? NaN, expectedJ, 2e-3 * expectedJ);
});

Deno.test("compareOpendc() finds waits that are 8 % longer, and only those", async () => {
  const report = await compareWith(({ submissionMs, startMs }) => ({
    startMs: submissionMs + Math.round(1.08 * (startMs - submissionMs)),
  }));
  assertEquals(failuresOf(report), ["wait_p50"]);
  assertAlmostEquals(checkOf(report, "wait_p50").value ?? NaN, 0.08, 1e-3);
  assertAlmostEquals(checkOf(report, "wait_p95").value ?? NaN, 0.08, 1e-3);
});

Deno.test("compareOpendc() finds another distribution of waits", async () => {
  const report = await compareWith(({ submissionMs }) => ({ startMs: submissionMs }));
  const ks = checkOf(report, "wait_ks");
  assertEquals(ks.status, "fail");
  assert(ks.note?.startsWith("D = 1.0000"), ks.note ?? "");
});

Deno.test("compareOpendc() finds a makespan that is 2 % too long", async () => {
  const late = Math.round(0.02 * MAKESPAN_MS);
  const report = await compareWith(({ endMs }) =>
    endMs === MAKESPAN_MS ? { endMs: MAKESPAN_MS + late } : {}
  );
  const makespan = checkOf(report, "makespan");
  assertEquals(makespan.status, "fail");
  assertAlmostEquals(makespan.value ?? NaN, 0.02, 1e-4);
});

Deno.test("compareOpendc() finds that everything ended two bins late, and by how much", async () => {
  const report = await compareWith(({ startMs, endMs }) => ({
    startMs: startMs + 120_000,
    endMs: (endMs ?? 0) + 120_000,
  }));
  const completions = checkOf(report, "completions");
  assertEquals(completions.status, "pass");
  assert(completions.note?.includes("best lag 2 bins"), completions.note ?? "");
});

Deno.test("compareOpendc() finds completions that bunch", async () => {
  const report = await compareWith((_, at) => at < 40 ? { endMs: 800_000 } : {});
  assertEquals(checkOf(report, "completions").status, "fail");
});

Deno.test("compareOpendc() finds another CPU demand", async () => {
  const report = await compareWith(() => ({ usageMhz: 1.2 * MHZ }));
  assertEquals(failuresOf(report), ["cpu_smape", "cpu_rmse"]);
  // All demand is 1.2 times: sMAPE is 0.2 / 1.1, and the shape is the same.
  assertAlmostEquals(checkOf(report, "cpu_smape").value ?? NaN, 0.2 / 1.1, 2e-3);
  assertAlmostEquals(checkOf(report, "cpu_pearson").value ?? NaN, 1, 1e-3);
});

Deno.test("compareOpendc() finds tasks that the simulation dropped or did not finish", async () => {
  const dropped = checkOf(await compareWith(() => ({}), { drop: 3 }), "tasks_finished");
  assertEquals([dropped.status, dropped.value], ["fail", 3]);
  const stuck = checkOf(
    await compareWith((_, at) => at === 59 ? { endMs: null } : {}),
    "tasks_finished",
  );
  assertEquals([stuck.status, stuck.value], ["fail", 1]);
});

Deno.test("compareOpendc() says how many tasks were placed elsewhere", async () => {
  const report = await compareWith((_, at) => at < 15 ? { host: "cloud1-0" } : {});
  // Of the first fifteen, eight ran on cloud1.
  assertAlmostEquals(report.placement_agreement ?? NaN, 52 / 60, 1e-9);
  const { status, value, interval } = checkOf(report, "same_node");
  assertEquals([status, value], ["fail", 52 / 60]);
  assert(interval !== null && interval[0] < 52 / 60 && interval[1] > 52 / 60, `${interval}`);
});

Deno.test("compareOpendc() of a replay divides its times and compares starts", async () => {
  await using root = await tempFolder();
  const { measured, folder } = await exportRun(root.path);
  const own = RUN.filter(({ node }) => node === "cloud2");
  const first = own[0]?.startMs ?? 0;
  const replayed = (off: number) =>
    own.map((task, at): SimulatedRow => ({
      ...task,
      submissionMs: (task.startMs - first) * 1000,
      startMs: (task.startMs - first + (at === 5 ? off : 0)) * 1000,
      endMs: (task.endMs - first) * 1000,
      host: "cloud2",
      usageMhz: MHZ,
    }));
  for (const [off, failures] of [[0, []], [3, ["start_deviation"]]] as const) {
    const simulated = join(folder, "output", "replay-cloud2", "raw-output", "0", "seed=0");
    await writeSimulation(simulated, {
      tasks: replayed(off),
      hosts: { cloud2: 4 * MHZ },
      intervalMs: 10_000_000,
      version: "2.4u",
      firstSubmissionMs: T + first,
    });
    const report = await compareOpendc({ measured, simulated });
    assertEquals(report.experiment, "replay-cloud2");
    assertEquals(failuresOf(report), [...failures]);
    assertEquals(checkOf(report, "start_deviation").value, off);
    assertEquals(report.hosts.map(({ node }) => node), ["cloud2"]);
  }
});

Deno.test("compareOpendc() divides a run of 20 minutes into 20 bins or more", async () => {
  const report = await compareWith(() => ({}));
  const { note } = checkOf(report, "completions");
  assert(note?.startsWith("21 bins of 60 s, best lag 0 bins of at most 2"), note ?? "");
});

Deno.test("compareOpendc() does not judge the shape of a series of two bins", async () => {
  const report = await compareWith(() => ({}), { thresholds: { binMs: 700_000 } });
  for (const id of ["completions", "cpu_smape", "cpu_pearson", "cpu_rmse"]) {
    const { status, note, interval } = checkOf(report, id);
    assertEquals(status, "not applicable", id);
    assertEquals(note, "10 bins of 700 s are required, got 2", id);
    assertEquals(interval, null, id);
  }
});

Deno.test("compareOpendc() gives the mean demand of the run, not of its bins", async () => {
  const busyMs = RUN.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  for (const binMs of [60_000, 700_000]) {
    const report = await compareWith(() => ({}), { thresholds: { binMs } });
    const { measured, simulated } = checkOf(report, "cpu_smape");
    assertAlmostEquals(measured ?? NaN, MHZ * busyMs / MAKESPAN_MS, 1e-6);
    assertAlmostEquals(simulated ?? NaN, MHZ * busyMs / MAKESPAN_MS, 5);
  }
});

Deno.test("compareOpendc() compares submissions as they were, not in whole ms", async () => {
  const report = await compareWith(() => ({}), { submittedLaterMs: 0.4 });
  // Each wait is 0.4 ms shorter than the workload has it.
  const { measured, simulated } = checkOf(report, "wait_p50");
  assertAlmostEquals((simulated ?? NaN) - (measured ?? NaN), 0.4, 1e-3);
});

Deno.test("compareOpendc() counts a task from its launch, not from its placement", async () => {
  await using root = await tempFolder();
  const measured = join(root.path, "run");
  await Deno.mkdir(measured);
  // The queue held the capacity from 300 ms before the start to 200 ms after the end.
  const results = RUN.map(({ name, startMs, endMs }) => ({
    task_id: name,
    attempt: 1,
    state: "done",
    ts_assigned: T + startMs - 300,
    ts_finish: T + endMs + 200,
  }));
  await Deno.writeTextFile(
    join(measured, "results.jsonl"),
    results.map((one) => `${JSON.stringify(one)}\n`).join(""),
  );
  const { folder } = await exportRun(root.path, { timeScale: 1000 });
  const simulated = join(folder, "output", "policy", "raw-output", "0", "seed=0");
  await writeSimulation(simulated, {
    tasks: RUN.map((task): SimulatedRow => ({
      ...task,
      submissionMs: task.submissionMs * 1000,
      startMs: (task.startMs - 300) * 1000,
      endMs: (task.endMs + 200) * 1000,
      host: task.node === "cloud1" ? "cloud1" : "cloud1-0",
      usageMhz: MHZ,
    })),
    hosts: { "cloud1": 4 * MHZ, "cloud1-0": 4 * MHZ },
    intervalMs: 5_000_000,
    version: "2.4u",
    firstSubmissionMs: T,
  });
  const report = await compareOpendc({ measured, simulated });
  assertEquals(checkOf(report, "makespan").value, 0);
  assertEquals(checkOf(report, "wait_p50").value, 0);
});

Deno.test("compareOpendc() takes other bounds", async () => {
  await using root = await tempFolder();
  const { measured, folder } = await exportRun(root.path);
  const simulated = join(folder, "output", "policy");
  await writeSimulation(simulated, {
    tasks: RUN.map((task) => ({
      ...task,
      startMs: task.startMs + 500,
      host: task.node,
      usageMhz: MHZ,
    })),
    hosts: { cloud1: 4 * MHZ, cloud2: 4 * MHZ },
    intervalMs: 5000,
    version: "2.4f",
    firstSubmissionMs: T,
  });
  const strict = await compareOpendc({ measured, simulated });
  const wide = await compareOpendc({
    measured,
    simulated,
    thresholds: { waitP50: 0.5, waitP95: 0.5, waitP99: 0.5, waitKsP: 0, sameNode: 0 },
  });
  assertEquals(checkOf(strict, "wait_p50").status, "fail");
  assertEquals(checkOf(wide, "wait_p50").status, "pass");
});

Deno.test("compareOpendc() says what is missing", async () => {
  await using root = await tempFolder();
  const { measured, folder } = await exportRun(root.path);
  const nothing = join(folder, "output");
  await Deno.mkdir(nothing);
  await assertRejects(
    () => compareOpendc({ measured, simulated: nothing }),
    SimulationError,
    "task.parquet is required",
  );
  const tasks = [{ ...RUN[0], host: "cloud1", usageMhz: 1 } as SimulatedRow];
  const simulation = {
    tasks,
    hosts: { cloud1: 1 },
    intervalMs: 5000,
    version: "2.4f",
    firstSubmissionMs: T,
  } as const;
  const elsewhere = join(root.path, "elsewhere");
  await writeSimulation(elsewhere, simulation);
  await assertRejects(
    () => compareOpendc({ measured, simulated: elsewhere }),
    SimulationError,
    "--export DIR",
  );
  await assertRejects(
    () => compareOpendc({ measured, simulated: elsewhere, export: folder }),
    SimulationError,
    "--experiment policy|replay-cloud1|replay-cloud2",
  );
  await writeSimulation(join(nothing, "policy", "raw-output", "0", "seed=0"), simulation);
  await writeSimulation(join(nothing, "policy", "raw-output", "0", "seed=1"), simulation);
  await assertRejects(
    () => compareOpendc({ measured, simulated: nothing }),
    SimulationError,
    "one simulation is required, got 2",
  );
});

Deno.test("markdownOf() has a row per check and the verdict", async () => {
  const text = markdownOf(await compareWith(() => ({ usageMhz: 1.2 * MHZ })));
  assert(text.startsWith("# Simulated against measured: FAIL\n"));
  assert(text.includes("| sMAPE of the CPU demand (21 bins of 60 s) |"), text);
  assert(text.includes("| ≤ 5 % | FAIL |"), text);
  assert(text.includes("| cloud2 | cloud1-0 |"), text);
});
