import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { parseNode, type ParseOptions } from "../../../export/parse.ts";
import type { Audit } from "../../../export/audit/audit.ts";
import {
  clockOffset,
  collectorStats,
  invocationEvent,
  type RawRun,
  rawSample,
  RUN_START,
  taskResult,
  toLines,
  writeRawRun,
} from "../../support/raw_run.ts";
import { tempFolder } from "../../support/temp_folder.ts";

/** A run in which nothing is wrong: one task of 2 s. */
const SOUND: RawRun = {
  samples: Array.from(
    { length: 10 },
    (_, tick) => rawSample(200 * tick + 190, { cpu_ns: (tick + 1) * 150e6 }),
  ),
  events: [
    invocationEvent({ startMs: 0, endMs: null }),
    invocationEvent({ startMs: 0, endMs: 2000 }, { user_ms: 1508 }),
  ],
};

interface Case {
  readonly check: string;
  readonly run: RawRun;
  /** Text put instead of a file. */
  readonly files?: Readonly<Record<string, string>>;
  /** Files taken away. */
  readonly without?: readonly string[];
  readonly options?: ParseOptions;
}

function stats(given: Parameters<typeof collectorStats>[1]): RawRun {
  return { ...SOUND, stats: [collectorStats(10, given)] };
}

function end(given: Parameters<typeof invocationEvent>[1]): RawRun {
  return {
    ...SOUND,
    events: [invocationEvent({ startMs: 0, endMs: 2000 }, { user_ms: 1508, ...given })],
  };
}

const [SAMPLES, EVENTS] = [SOUND.samples!, SOUND.events!];

const CASES: readonly Case[] = [
  { check: "missed_ticks", run: stats({ ticks: 98, missed_ticks: 2 }) },
  { check: "late_ticks", run: stats({ late_p99_ms: 250 }) },
  { check: "lost_samples", run: { ...SOUND, stats: [collectorStats(11)] } },
  { check: "collector_cut_off", run: { ...SOUND, stats: [collectorStats(9)] } },
  { check: "no_collector_account", run: { ...SOUND, stats: [] } },
  { check: "kernel_files", run: stats({ problems: "no meminfo\nno stat" }) },
  { check: "denied", run: stats({ denied: 1 }) },
  { check: "foreign_sentinels", run: stats({ foreign: 1 }) },
  { check: "missing_files", run: SOUND, without: ["node_meta.json"] },
  { check: "unreadable_files", run: SOUND, files: { "node_meta.json": "{}" } },
  { check: "bad_lines", run: SOUND, files: { "clock.jsonl": `${line(clock())}junk\n` } },
  { check: "duplicate_events", run: { ...SOUND, events: [...EVENTS, ...EVENTS] } },
  { check: "no_exit", run: { ...SOUND, events: EVENTS.slice(0, 1), results: [] } },
  { check: "no_start", run: end({ ts_start: null, boot_start_ms: null }) },
  { check: "no_total", run: end({ cpu_source: "none" }) },
  { check: "no_enqueue", run: end({ ts_enqueue: null }) },
  { check: "start_before_enqueue", run: end({ ts_enqueue: RUN_START.tsMs + 7 }) },
  { check: "end_before_start", run: end({ ts_end: RUN_START.tsMs - 1, boot_end_ms: null }) },
  {
    check: "decreasing_totals",
    run: {
      ...SOUND,
      samples: [...SAMPLES.slice(0, 5), rawSample(1000), ...SAMPLES.slice(5)],
      stats: [collectorStats(11)],
    },
  },
  {
    check: "duplicate_samples",
    run: { ...SOUND, samples: [...SAMPLES, SAMPLES[9]!], stats: [collectorStats(11)] },
  },
  { check: "unsorted_samples", run: { ...SOUND, samples: SAMPLES.toReversed() } },
  { check: "no_samples", run: { ...SOUND, samples: [] } },
  {
    check: "samples_without_invocation",
    run: {
      ...SOUND,
      samples: [...SAMPLES, rawSample(1995, { pid: 5, trace_id: "trace-z" })],
      stats: [collectorStats(11)],
    },
  },
  { check: "leftover_sentinels", run: SOUND, files: { "pids/4711": "" } },
  {
    check: "no_result",
    run: { ...SOUND, results: [{ task_id: "other", state: "done", ts_finish: 1 }] },
  },
  { check: "no_results", run: SOUND, without: ["results.jsonl"] },
  {
    check: "contradicting_results",
    run: { ...SOUND, results: [taskResult({ state: "superseded" }), taskResult()] },
  },
  {
    check: "queue_data_lost",
    run: SOUND,
    files: { "data_losses.jsonl": line({ ts_ms: RUN_START.tsMs, role: "worker" }) },
  },
  { check: "readings_above_total", run: end({ user_ms: 1400 }) },
  { check: "above_capacity", run: end({ user_ms: 9000, cpuset: "0" }) },
  { check: "unseen_cpu", run: end({ user_ms: 1900 }) },
  { check: "clock_unknown", run: { ...SOUND, offsets: [] } },
  {
    check: "clock_error",
    run: { ...SOUND, offsets: [clockOffset(0, { offset_ms: 0, error_ms: 6 })] },
  },
  {
    check: "clock_stepped",
    run: {
      ...SOUND,
      samples: SAMPLES.map((one, index) => ({ ...one, ts_ms: one.ts_ms! - (index > 4 ? 90 : 0) })),
    },
  },
  {
    check: "reboot",
    run: {
      ...SOUND,
      stats: [
        collectorStats(10, { boot_ms: RUN_START.bootMs }),
        collectorStats(0, { boot_ms: 20_000, ts_ms: RUN_START.tsMs + 600_000 }),
      ],
    },
  },
];

function clock(): object {
  return clockOffset(0, { offset_ms: 0 });
}

function line(record: object): string {
  return toLines([record]);
}

async function audit(
  { run, files = {}, without = [], options = {} }: Omit<Case, "check">,
): Promise<Audit> {
  await using folder = await tempFolder();
  await writeRawRun(folder.path, run);
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(folder.path, name), text);
  }
  for (const name of without) await Deno.remove(join(folder.path, name));
  return (await parseNode(folder.path, options)).audit;
}

Deno.test("auditRun() finds nothing in a sound run", async () => {
  const { verdict, findings, notes } = await audit({ run: SOUND });
  assertEquals([verdict, findings, notes], ["PASS", [], []]);
});

Deno.test.each(CASES)("auditRun() finds $check", async ({ check, ...given }) => {
  const { verdict, findings } = await audit(given);
  assertEquals(verdict, "FINDINGS");
  const found = findings.filter((finding) => finding.check === check);
  assertEquals(found.length, 1, `got ${findings.map((finding) => finding.check)}`);
  const [{ count, what, cost, action } = { count: 0, what: "", cost: "", action: "" }] = found;
  assert(count > 0);
  // Sentences, for a person to read.
  for (const text of [cost, action]) assert(/^[A-Z].*[.]$/.test(text), text);
  assert(what.length > 0);
});

Deno.test("auditRun() lets readings leave as much to the total as the cores in use do in an interval", async () => {
  // Two cores between two readings, then one: an interval's worth is 400 ms.
  const samples = Array.from(
    { length: 9 },
    (_, tick) => rawSample(200 * (tick + 1), { cpu_ns: (tick === 0 ? 1 : tick + 2) * 200e6 }),
  );
  const run = (user_ms: number): RawRun => ({
    samples,
    events: [invocationEvent({ startMs: 0, endMs: 2000 }, { user_ms })],
  });
  const within = await audit({ run: run(2400) });
  assertEquals([within.findings, within.judged_tasks], [[], 1]);
  assertEquals(within.unseen_intervals_max, 1);
  assertEquals(within.unseen.map(({ unseen_intervals }) => unseen_intervals), [1]);
  const beyond = await audit({ run: run(2401) });
  assertEquals(beyond.findings.map(({ check }) => check), ["unseen_cpu"]);
});

Deno.test("auditRun() misses no events of a node whose worker got no task", async () => {
  const worker = {
    format_version: "1.0",
    run_id: "run",
    node_id: "cloud1",
    role: "worker",
    version: "0.1.0",
    deno_version: "2.9.6",
    ts_start: RUN_START.tsMs,
    flags: {},
  };
  const idle = {
    run: { samples: [] },
    files: { "run_meta.worker.json": JSON.stringify(worker) },
    without: ["events.command.jsonl"],
  };
  assertEquals((await audit(idle)).findings, []);
  // The queue knows of a task that ran there: then its events were lost.
  const lost = await audit({ ...idle, run: { samples: [], results: [taskResult()] } });
  assertEquals(lost.findings.map(({ check }) => check), ["missing_files"]);
});

Deno.test("auditRun() misses no events where processes of others were observed", async () => {
  const stats = (mode: "tree" | "whitelist"): RawRun => ({
    samples: [rawSample(200, { trace_id: null }), rawSample(400, { trace_id: null, cpu_ns: 9e6 })],
    stats: [collectorStats(2, { mode })],
    offsets: [],
    results: [],
  });
  const without = ["events.command.jsonl", "results.jsonl"];
  assertEquals((await audit({ run: stats("tree"), without })).findings, []);
  const { findings } = await audit({ run: stats("whitelist"), without });
  assertEquals(findings.map(({ check }) => check), ["missing_files"]);
});

Deno.test("auditRun() finds readings that no cores can have used", async () => {
  const foreign = { trace_id: null, pid: 77, start_ticks: null };
  const samples = [
    ...SAMPLES,
    rawSample(1995, { ...foreign, cpu_ns: 0 }),
    rawSample(1999, { ...foreign, cpu_ns: 60e9 }),
  ];
  const { findings } = await audit({ run: { ...SOUND, samples, stats: [collectorStats(12)] } });
  assertEquals(findings.map(({ check }) => check), ["above_capacity_foreign"]);
});

Deno.test("auditRun() finds a wall clock that went back where no boot clock is known", async () => {
  const samples = SAMPLES.map((one, index) => ({
    ...one,
    boot_ms: null,
    ts_ms: one.ts_ms! - (index > 4 ? 700 : 0),
  }));
  const events = EVENTS.map((one) => ({ ...one, boot_start_ms: null, boot_end_ms: null }));
  const { findings, cpu_residual_max_ms } = await audit({ run: { ...SOUND, samples, events } });
  assert(findings.some(({ check }) => check === "clock_went_back"));
  assertEquals(cpu_residual_max_ms, 0);
});

Deno.test("auditRun() tells the cost per sample without the start-up, and only of enough readings", async () => {
  const line = stats({}).stats?.[0];
  assert(line !== undefined);
  const lines = (samples: number) =>
    Array.from({ length: 12 }, (_, index) => ({
      ...line,
      ts_ms: (line.ts_ms ?? 0) + 5000 * index,
      cpu_ms: index < 6 ? 1000 : 5,
      samples,
    }));
  const of = async (samples: number) =>
    (await audit({ run: { ...SOUND, stats: lines(samples) } })).collector?.cpu_per_sample_us;
  assertEquals(await of(1000), 5);
  assertEquals(await of(166), null);
});

Deno.test("auditRun() begins its report with what the collector cost and missed", async () => {
  await using folder = await tempFolder();
  await writeRawRun(folder.path, stats({ missed_ticks: 1 }));
  const { audit } = await parseNode(folder.path);
  assertEquals(audit.collector?.cpu_per_sample_us, null);
  const report = await Deno.readTextFile(join(folder.path, "CTS", "audit_report.md"));
  assertEquals(report.split("\n").slice(0, 6), [
    "# Audit of cloud1: PASS",
    "",
    "- Collector: 0.013 s CPU, 0.06 % of a core, too few readings to tell the cost of one, 50 MiB; " +
    "whitelist mode, every 200 ms, real-time priority",
    "- Ticks: 100 done, 1 missed, p99 0.5 ms late, at most 0.9 ms",
    "- CPU: 1.508 s in all, 1.500 s (99.5 %) seen by 10 readings, 0.008 s (0.5 %) only by exit " +
    "totals; largest residual 0 ms",
    "- Series: of 1 tasks of a second or more, exit totals show at most 0.051 of an interval's worth " +
    "beyond the readings",
  ]);
  const written = JSON.parse(await Deno.readTextFile(join(folder.path, "CTS", "audit.json")));
  assertEquals(written, JSON.parse(JSON.stringify(audit)));
});
