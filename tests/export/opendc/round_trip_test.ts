import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import fc from "fast-check";
import { exportOpendc } from "../../../export/opendc/export.ts";
import { verifyOpendc } from "../../../export/verify/verify.ts";
import type { Invocation, ProcMetric } from "../../../trace/cts.ts";
import {
  type CtsFolder,
  ctsInvocation,
  ctsNode,
  ctsRow,
  RUN_START_MS as T,
  writeCts,
} from "../../support/cts_run.ts";
import { tempFolder } from "../../support/temp_folder.ts";

const STATES = ["done", "done", "done", "failed", "superseded", "running"] as const;

/** A task in a few numbers; pids and attempts repeat, rows overlap, reach outside and come in any order. */
const ANY_TASK = fc.record({
  node: fc.constantFrom("cloud1", "cloud2"),
  state: fc.constantFrom(...STATES),
  pid: fc.option(fc.integer({ min: 1, max: 3 })),
  enqueuedMs: fc.double({ min: 0, max: 500, noNaN: true }),
  waitMs: fc.double({ min: 0, max: 500, noNaN: true }),
  runMs: fc.double({ min: 0, max: 800, noNaN: true }),
  units: fc.option(fc.integer({ min: 1, max: 4 })),
  total: fc.option(fc.double({ min: 0, max: 500, noNaN: true })),
  rows: fc.array(
    fc.record({
      at: fc.double({ min: 0, max: 1.1, noNaN: true }),
      dtMs: fc.double({ min: 0, max: 300, noNaN: true }),
      cpuMs: fc.double({ min: 0, max: 300, noNaN: true }),
      pid: fc.integer({ min: 1, max: 3 }),
    }),
    { maxLength: 6 },
  ),
});

type AnyTask = typeof ANY_TASK extends fc.Arbitrary<infer Task> ? Task : never;

function invocationOf(task: AnyTask, trace_id: string): Invocation {
  const startMs = T + task.enqueuedMs + task.waitMs;
  return ctsInvocation({
    trace_id,
    task_id: trace_id,
    node: task.node,
    state: task.state,
    pid: task.pid,
    ts_enqueue: T + task.enqueuedMs,
    ts_start: startMs,
    ts_end: task.state === "running" ? null : startMs + task.runMs,
    cpu_units: task.units,
    cpu_ms: task.total,
  });
}

function rowsOf({ enqueuedMs, waitMs, runMs, rows }: AnyTask, trace_id: string): ProcMetric[] {
  const startMs = T + enqueuedMs + waitMs;
  return rows.map(({ at, dtMs, cpuMs, pid }) =>
    ctsRow({ trace_id, ts_ms: startMs + at * runMs, dt_ms: dtMs, cpu_ms: cpuMs, pid })
  );
}

function foldersOf(tasks: readonly AnyTask[]): Map<string, CtsFolder> {
  return new Map(["cloud1", "cloud2"].map((node_id) => {
    const own = [...tasks.entries()].filter(([, { node }]) => node === node_id);
    return [node_id, {
      nodes: [ctsNode({ node_id })],
      invocations: own.map(([at, task]) => invocationOf(task, `t${at}`)),
      rows: own.flatMap(([at, task]) => rowsOf(task, `t${at}`)),
    }];
  }));
}

Deno.test("exportOpendc() then verifyOpendc() holds for any run, against the run itself", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(ANY_TASK, { maxLength: 8 }),
      fc.constantFrom("auto", "pid", "sequential"),
      fc.boolean(),
      async (tasks, taskIdMode, isAll) => {
        await using root = await tempFolder();
        const input = join(root.path, "run");
        const output = join(root.path, "out");
        for (const [node, cts] of foldersOf(tasks)) await writeCts(join(input, node), cts);
        const summary = await exportOpendc({
          input,
          output,
          version: "test",
          taskIdMode,
          status: isAll ? "all" : "done",
          fill: isAll ? "reserved" : null,
        });
        assertEquals(summary.tasks + summary.left_out.length, tasks.length);
        const report = await verifyOpendc({ input: output, cts: input });
        const failed = report.checks.filter(({ status }) => status === "fail");
        // An empty workload is right to be refused.
        const expected = summary.tasks === 0 ? ["has_tasks"] : [];
        assertEquals(failed.map(({ id }) => id), expected, JSON.stringify(failed));
        assert(report.found !== null);
      },
    ),
    { numRuns: 40 },
  );
});
