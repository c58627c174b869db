/**
 * No task without rows, no total off: real jobs of every awkward kind through adapter, collector and
 * parse, beside processes that stay.
 */

import { assert, assertEquals, assertGreater, assertGreaterOrEqual } from "@std/assert";
import { join } from "@std/path";
import { parseNode } from "../../export/parse.ts";
import type { PartialTask } from "../../trace/task.ts";
import { INVOCATION, type Invocation, PROC_METRIC, type ProcMetric } from "../../trace/cts.ts";
import { isThere } from "../../trace/atomic_file.ts";
import type { InvocationEvent } from "../../trace/records.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { startAdapter, type TestAdapter } from "../support/adapter_process.ts";
import { startCommand } from "../support/command_process.ts";
import { recordsIn } from "../support/records.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { CAN_GROUP } from "../support/test_cgroup.ts";
import { waitFor } from "../support/wait_for.ts";
import { checkConservation } from "./run_checks.ts";

/** Turns of an empty loop in sh that take about 5 ms of CPU time on a machine of these years. */
const TURNS_OF_5_MS = 12_000;

/** A shell command that works for about `ms` of CPU time. */
function busy(ms: number): string {
  return `i=0; while [ $i -lt ${Math.round(ms / 5 * TURNS_OF_5_MS)} ]; do i=$((i+1)); done`;
}

function shell(script: string): PartialTask {
  return { kind: "command", argv: ["sh", "-c", script], cpu_units: 1 };
}

/**
 * The kinds of jobs: how many, how many at once, and the least CPU time that each must show. What forks
 * twice leaves its parents: only a cgroup knows what it used.
 */
const JOBS: readonly {
  readonly what: string;
  readonly script: string;
  readonly count: number;
  readonly leastMs: number;
}[] = [
  { what: "5 ms of work", script: busy(5), count: 1000, leastMs: 1 },
  {
    what: "five children of 10 ms",
    script: `for n in 1 2 3 4 5; do (${busy(10)}) & done; wait`,
    count: 200,
    leastMs: 15,
  },
  {
    what: "a double fork",
    script: `(sh -c '${busy(30)}' &); exit 0`,
    count: 5,
    leastMs: CAN_GROUP ? 10 : 0,
  },
  { what: "a new name", script: `echo other > /proc/$$/comm; ${busy(30)}`, count: 5, leastMs: 10 },
  { what: "a violent end", script: `${busy(30)}; kill -KILL $$`, count: 5, leastMs: 10 },
  {
    what: "three execs",
    script: `${busy(20)}; exec sh -c '${busy(20)}; exec sh -c "${
      busy(20).replaceAll("$", "\\$")
    }; exec true"'`,
    count: 5,
    leastMs: 20,
  },
];

/** Jobs that run at the same time. */
const AT_ONCE = 50;

/** Processes that are there all the time. */
const LONG_LIVED = 200;

async function runAll(
  adapter: TestAdapter,
  { script, count }: { readonly script: string; readonly count: number },
): Promise<InvocationEvent[]> {
  const events: InvocationEvent[] = [];
  let left = count;
  async function next(): Promise<void> {
    while (left-- > 0) events.push(await adapter.exitOf(shell(script)));
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, next));
  return events;
}

Deno.test("every job has rows that sum to its total, however short, forked or killed", async (t) => {
  await using folder = await tempFolder();
  const logs = join(folder.path, "logs");
  const runDir = RunDir.of(logs, "capture");
  await using collector = startCommand([
    ...["collector", "--run-id=capture", "--node-id=n1", `--logs=${logs}`],
  ]);
  await waitFor({
    what: "the collector at work",
    read: () => isThere(runDir.procMetrics),
    until: (isThere) => isThere,
  });
  const byKind = new Map<string, InvocationEvent[]>();
  const stayed = new Set<string>();
  {
    await using adapter = await startAdapter({
      run_dir: runDir.path,
      run_id: "capture",
      cpu_binding: "exclusive",
      allowed_commands: ["sh"],
    });
    const stay = Array.from(
      { length: LONG_LIVED },
      () => adapter.client.launch(adapter.task(shell("while :; do sleep 1; done"))),
    );
    for (const one of stay) stayed.add((await one.started)?.trace_id ?? "");
    for (const job of JOBS) byKind.set(job.what, await runAll(adapter, job));
    for (const one of stay) one.stop({ reason: "the test is over", graceMs: 1000 });
    await Promise.all(stay.map(({ outcome }) => outcome));
  }
  collector.kill("SIGTERM");
  const { code, stderr } = await collector.ended;
  assertEquals(code, 0, stderr);
  const { audit } = await parseNode(runDir.path, { nodeId: "n1" });
  const invocations = await recordsIn<Invocation>(
    join(runDir.cts, "invocations.jsonl"),
    INVOCATION.decode,
  );
  const rows = await recordsIn<ProcMetric>(
    join(runDir.cts, "proc_metrics.jsonl"),
    PROC_METRIC.decode,
  );
  const rowsOf = Map.groupBy(rows, ({ trace_id }) => trace_id);

  await t.step("all are on record, with an end", () => {
    const jobs = JOBS.reduce((sum, { count }) => sum + count, 0);
    assertEquals(invocations.length, jobs + LONG_LIVED);
    assertEquals(invocations.filter(({ ts_end }) => ts_end === null), []);
  });
  for (const { what, count, leastMs } of JOBS) {
    await t.step(`${count} jobs with ${what}`, () => {
      const events = byKind.get(what) ?? [];
      assertEquals(events.length, count);
      for (const { trace_id, user_ms, system_ms, task_id } of events) {
        assertGreaterOrEqual((user_ms ?? 0) + (system_ms ?? 0), leastMs, task_id ?? "");
        const own = rowsOf.get(trace_id) ?? [];
        assertGreater(own.length, 0, `${task_id} has no rows`);
      }
      const own = events.flatMap(({ trace_id }) => rowsOf.get(trace_id) ?? []);
      assertEquals(checkConservation(events, own, { cores: navigator.hardwareConcurrency }), []);
    });
  }
  await t.step("the long-lived ones were seen at work, nearly all of it by readings", () => {
    const own = invocations.filter(({ trace_id }) => stayed.has(trace_id));
    assertEquals(own.length, LONG_LIVED);
    assert(own.every(({ samples }) => samples > 0));
  });
  await t.step("the audit agrees", () => assertEquals(audit.cpu_residual_max_ms, 0));
});
