import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Finding } from "../../export/audit/finding.ts";
import { parseNode, type ParseSummary } from "../../export/parse.ts";
import type { Invocation, ProcMetric } from "../../trace/cts.ts";
import {
  clockOffset,
  collectorStats,
  cpuUsOf,
  invocationEvent,
  type RawRun,
  rawSample,
  readCts,
  RUN_START,
  SOUND_RUN,
  taskResult,
  writeRawRun,
} from "../support/raw_run.ts";
import { tempFolder } from "../support/temp_folder.ts";

interface Parsed {
  readonly summary: ParseSummary;
  readonly checks: readonly string[];
  readonly invocations: readonly Invocation[];
  readonly rows: readonly ProcMetric[];
}

async function parse(run: RawRun, options: Parameters<typeof parseNode>[1] = {}): Promise<Parsed> {
  await using folder = await tempFolder();
  await writeRawRun(folder.path, run);
  const summary = await parseNode(folder.path, options);
  return { summary, checks: checksOf(summary.audit.findings), ...await readCts(folder.path) };
}

function checksOf(findings: readonly Finding[]): string[] {
  return findings.map(({ check }) => check);
}

/** Rows as [start, end] after the start of the run, CPU time in ms, source. */
function spans(rows: readonly ProcMetric[]): [number, number, number, string][] {
  return rows.map(({ ts_ms, dt_ms, cpu_ms, source }) => {
    const endMs = ts_ms - RUN_START.tsMs;
    return [round(endMs - dt_ms), round(endMs), cpu_ms, source];
  });
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

Deno.test("parseNode() gives each interval what the readings show, and the tail the rest", async () => {
  const { rows, invocations, summary, checks } = await parse(SOUND_RUN);
  assertEquals(checks, ["unseen_cpu"]);
  assertEquals(spans(rows), [
    [0, 3, 2, "reading"],
    [3, 200, 188, "reading"],
    // What the last row keeps, in case that the total is below the readings by rounding.
    [200, 400, 189.998, "reading"],
    [400, 600, 0.002, "reading"],
    [600, 1000, 432.345, "spread"],
  ]);
  assertEquals(summary.cpuResidualMaxMs, 0);
  const [invocation] = invocations;
  assertEquals(invocation?.cpu_ms, 812.345);
  assertEquals(invocation?.cpu_seen_ms, 380);
  assertEquals(invocation?.samples, 4);
  assertEquals(invocation?.state, "done");
});

Deno.test("parseNode() writes a row for a task that no reading met", async () => {
  const { rows, checks } = await parse({
    events: [
      invocationEvent({ startMs: 5, endMs: 9.5 }, { user_ms: 3.001 }),
      invocationEvent({ startMs: 6, endMs: 6.25 }, { trace_id: "trace-b", task_id: "task-b" }),
    ],
  });
  assertEquals(checks, []);
  assertEquals(spans(rows), [[6, 7, 0, "spread"], [5, 9.5, 3.001, "spread"]]);
  assertEquals(rows.map(({ pid }) => pid), [1000, 1000]);
});

Deno.test("parseNode() keeps processes apart that had the same pid", async () => {
  const second = { trace_id: "trace-b", task_id: "task-b", start_ticks: 500_050 };
  const { rows, invocations } = await parse({
    samples: [
      rawSample(200, { cpu_ns: 150e6 }),
      rawSample(400, { cpu_ns: 350e6 }),
      rawSample(600, { cpu_ns: 90e6, trace_id: "trace-b", start_ticks: 500_050 }),
    ],
    events: [
      invocationEvent({ startMs: 0, endMs: 420 }, { user_ms: 360 }),
      invocationEvent({ startMs: 500, endMs: 700 }, { ...second, user_ms: 100 }),
    ],
  });
  assertEquals(invocations.map(({ cpu_seen_ms }) => cpu_seen_ms), [350, 90]);
  assertEquals(cpuUsOf(rows, "trace-a"), 360_000);
  assertEquals(cpuUsOf(rows, "trace-b"), 100_000);
  assert(rows.every(({ cpu_ms }) => cpu_ms >= 0));
});

Deno.test("parseNode() finds a task's first process by its pid where samples name no trace", async () => {
  const { rows } = await parse({
    samples: [rawSample(200, { cpu_ns: 150e6, trace_id: null })],
    events: [invocationEvent({ startMs: 0, endMs: 210 }, { user_ms: 151 })],
  });
  assertEquals(cpuUsOf(rows, "trace-a"), 151_000);
});

Deno.test("parseNode() leaves processes without invocation their own rows", async () => {
  const old = { pid: 7, trace_id: null, start_ticks: 10 };
  const born = { pid: 8, trace_id: null, start_ticks: RUN_START.bootMs / 10 + 30 };
  const { rows, summary, checks } = await parse({
    samples: [
      rawSample(200, { ...old, cpu_ns: 9e12 }),
      rawSample(400, { ...old, cpu_ns: 9e12 + 50e6 }),
      rawSample(400, { ...born, cpu_ns: 20e6 }),
    ],
    stats: [collectorStats(3, { mode: "scan", forks: 40, births_seen: 2, births_met: 7 })],
  });
  assertEquals(checks, []);
  assertEquals(spans(rows), [[200, 400, 50, "reading"], [300, 400, 20, "reading"]]);
  assertEquals(rows.map(({ trace_id }) => trace_id), [null, null]);
  assertEquals(summary.audit.notes, [
    "40 processes and threads were born on the host: a tick met 7 processes, of which 2 came under " +
    "observation with those that were there; the other 33 are threads, or were born and gone between " +
    "two ticks and are not in the trace.",
    "2 processes belong to no invocation; they used 0.070 s CPU, and their rows have no trace.",
  ]);
});

Deno.test("parseNode() follows a task's children, and spreads what those that none met used", async () => {
  const child = { pid: 1001, start_ticks: RUN_START.bootMs / 10 + 30 };
  const { rows } = await parse({
    samples: [
      rawSample(200, { cpu_ns: 4e6 }),
      rawSample(400, { cpu_ns: 8e6 }),
      rawSample(400, { ...child, cpu_ns: 90e6 }),
      rawSample(600, { cpu_ns: 12e6 }),
    ],
    events: [
      invocationEvent({ startMs: 0, endMs: 620 }, { user_ms: 402, cpu_source: "cgroup_v2" }),
    ],
  });
  assertEquals(spans(rows.filter(({ pid }) => pid === 1001)), [
    [300, 400, 90, "reading"],
    // Gone before the tick at 600; at most a quarter faster than it was seen to be.
    [400, 600, 225, "spread"],
  ]);
  assertEquals(spans(rows.filter(({ pid }) => pid === null)), [[0, 620, 74.5, "spread"]]);
  assertEquals(cpuUsOf(rows, "trace-a"), 402_000);
});

Deno.test("parseNode() shifts no interval when the wall clock is set, and tells it", async () => {
  const stepped = (atMs: number): number => RUN_START.tsMs + atMs - (atMs > 300 ? 3_600_000 : 0);
  const run: RawRun = {
    samples: SOUND_RUN.samples?.map((one) => ({
      ...one,
      ts_ms: stepped((one.boot_ms ?? 0) - RUN_START.bootMs),
    })) ?? [],
    events: SOUND_RUN.events?.map((one) => ({ ...one, ts_end: stepped(1000) })) ?? [],
  };
  const { rows, invocations, checks } = await parse(run);
  const expected = await parse(SOUND_RUN);
  assertEquals(rows, expected.rows);
  assertEquals(invocations, expected.invocations);
  assertEquals(checks, [...expected.checks, "clock_stepped"]);
});

Deno.test("parseNode() puts all times on the controller's clock on request", async () => {
  const offsets = [0, 2000].map((atMs) => clockOffset(atMs, { offset_ms: 1500.25 + atMs / 1000 }));
  const run = { ...SOUND_RUN, offsets };
  const plain = await parse(run);
  const aligned = await parse(run, { align: "controller" });
  const shifts = aligned.rows.map(({ ts_ms }, index) => round(ts_ms - plain.rows[index]!.ts_ms));
  assertEquals(shifts, [1500.253, 1500.45, 1500.65, 1500.85, 1501.25]);
  assertEquals(cpuUsOf(aligned.rows, "trace-a"), 812_345);
  const [task] = aligned.invocations;
  assertEquals(round(task!.ts_start! - RUN_START.tsMs), 1500.25);
  assertEquals(task!.ts_enqueue, plain.invocations[0]!.ts_enqueue);
});

Deno.test("parseNode() marks a launch without an exit as running", async () => {
  const { rows, invocations, checks } = await parse({
    samples: [rawSample(200, { cpu_ns: 150e6 }), rawSample(400, { cpu_ns: 250e6 })],
    events: [invocationEvent({ startMs: 0, endMs: null })],
    results: [],
  });
  assertEquals(checks, ["no_exit"]);
  assertEquals(invocations.map(({ state, ts_end, cpu_ms }) => [state, ts_end, cpu_ms]), [
    ["running", null, null],
  ]);
  assertEquals(spans(rows), [[0, 200, 150, "reading"], [200, 400, 100, "reading"]]);
});

Deno.test("parseNode() takes from the launch what the end does not say", async () => {
  const launch = invocationEvent({ startMs: 7, endMs: null }, { pid: 4711 });
  const exit = invocationEvent({ startMs: 7, endMs: 50 }, {
    ts_start: null,
    boot_start_ms: null,
    pid: null,
  });
  for (const events of [[launch, exit], [exit, launch]]) {
    const { invocations, checks } = await parse({ events });
    assertEquals(checks, []);
    assertEquals(invocations.map(({ ts_start, pid }) => [ts_start! - RUN_START.tsMs, pid]), [[
      7,
      4711,
    ]]);
  }
});

Deno.test("parseNode() lets the readings count where they show more than the total", async () => {
  const { rows, invocations, checks } = await parse({
    samples: [rawSample(200, { cpu_ns: 150e6 }), rawSample(400, { cpu_ns: 250e6 })],
    events: [invocationEvent({ startMs: 0, endMs: 410 }, { user_ms: 100 })],
  });
  assertEquals(checks, ["readings_above_total"]);
  assertEquals(cpuUsOf(rows, "trace-a"), 250_000);
  assertEquals(invocations[0]?.cpu_ms, 250);
});

Deno.test("parseNode() trims what rounding shows beyond the total off the last row", async () => {
  const { rows, checks } = await parse({
    samples: [rawSample(200, { cpu_ns: 150e6 }), rawSample(400, { cpu_ns: 250_003_000 })],
    events: [invocationEvent({ startMs: 0, endMs: 410 }, { user_ms: 250.001 })],
  });
  assertEquals(checks, []);
  assertEquals(rows.map(({ cpu_ms }) => cpu_ms), [150, 100.001]);
});

Deno.test("parseNode() trims as much as the clock ticks of a total from /proc can hide", async () => {
  const total = { user_ms: 230, cpu_source: "proc" } as const;
  const { rows, checks } = await parse({
    samples: [rawSample(200, { cpu_ns: 150e6 }), rawSample(400, { cpu_ns: 250e6 })],
    events: [invocationEvent({ startMs: 0, endMs: 410 }, total)],
  });
  assertEquals(checks, []);
  assertEquals(rows.map(({ cpu_ms }) => cpu_ms), [150, 80]);
});

Deno.test("parseNode() keeps the sum where the data contradict the cores, and tells it", async () => {
  const { rows, checks } = await parse({
    samples: [rawSample(200, { cpu_ns: 9e9 })],
    events: [invocationEvent({ startMs: 0, endMs: 201 }, { user_ms: 9000, cpuset: "1" })],
  });
  assertEquals(checks, ["above_capacity"]);
  assertEquals(cpuUsOf(rows, "trace-a"), 9_000_000);
});

Deno.test("parseNode() makes the same of samples in any order", async () => {
  const samples = [1, 2, 3].flatMap((process) =>
    Array.from({ length: 8 }, (_, tick) =>
      rawSample(200 * tick + process, {
        pid: 1000 + process,
        trace_id: `trace-${process}`,
        cpu_ns: tick * tick * 1e6 * process,
      }))
  );
  const events = [1, 2, 3].map((process) =>
    invocationEvent({ startMs: 0, endMs: 1500 }, {
      trace_id: `trace-${process}`,
      task_id: `task-${process}`,
      pid: 1000 + process,
      user_ms: 60 * process,
    })
  );
  const sorted = samples.toSorted((a, b) => a.boot_ms! - b.boot_ms!);
  const expected = await parse({ samples: sorted, events });
  assertEquals(expected.checks, []);
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(samples, { minLength: samples.length }),
      async (shuffled) => {
        const { rows, checks } = await parse({ samples: shuffled, events });
        assertEquals(rows, expected.rows);
        assert(checks.length === 0 || checks[0] === "unsorted_samples");
      },
    ),
    { numRuns: 25 },
  );
});

Deno.test("parseNode() counts repeated samples once, and tells how many there were", async () => {
  const samples = SOUND_RUN.samples!.flatMap((one) => [one, one]);
  const { rows, summary } = await parse({ ...SOUND_RUN, samples });
  assertEquals(rows, (await parse(SOUND_RUN)).rows);
  const finding = summary.audit.findings.find(({ check }) => check === "duplicate_samples");
  assertEquals(finding?.count, 4);
});

Deno.test("parseNode() takes the state of each attempt from the queue's decisions", async () => {
  const attempt = (given: Partial<Parameters<typeof invocationEvent>[1]>) =>
    invocationEvent({ startMs: 0, endMs: 100 }, given);
  const { invocations } = await parse({
    events: [
      attempt({ trace_id: "a1", task_id: "a", attempt: 1, status: 1 }),
      attempt({ trace_id: "a2", task_id: "a", attempt: 2 }),
      attempt({ trace_id: "b1", task_id: "b", attempt: 1 }),
      attempt({ trace_id: "c1", task_id: "c", attempt: 1 }),
      attempt({ trace_id: "d1", task_id: "d", attempt: 3, status: 1 }),
      attempt({ trace_id: "e1", task_id: null, attempt: null, status: 1 }),
      // Given back and run again on the same node: the queue knows one attempt.
      invocationEvent({ startMs: 0, endMs: 100 }, { trace_id: "f1", task_id: "f" }),
      invocationEvent({ startMs: 200, endMs: 300 }, { trace_id: "f2", task_id: "f" }),
      // Accepted, but its worker was cut off and told much later that it came too late.
      attempt({ trace_id: "g1", task_id: "g" }),
      // It died with its worker, and the task was done elsewhere.
      invocationEvent({ startMs: 0, endMs: null }, { trace_id: "h1", task_id: "h" }),
    ],
    results: [
      taskResult({ task_id: "a", attempt: 2 }),
      taskResult({ task_id: "b", attempt: 1, node: "cloud2" }),
      taskResult({ task_id: "c", attempt: 1, state: "superseded" }),
      taskResult({ task_id: "d", attempt: 3, state: "dead" }),
      taskResult({ task_id: "f" }),
      taskResult({ task_id: "g", state: "superseded" }),
      taskResult({ task_id: "g" }),
      taskResult({ task_id: "h", attempt: 2, node: "cloud2" }),
    ],
  });
  const states = invocations.map(({ trace_id, state }) => `${trace_id} ${state}`).sort();
  assertEquals(states, [
    "a1 failed",
    "a2 done",
    "b1 superseded",
    "c1 superseded",
    "d1 dead",
    "e1 failed",
    "f1 superseded",
    "f2 done",
    "g1 done",
    "h1 superseded",
  ]);
});
