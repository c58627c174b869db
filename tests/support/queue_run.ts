/**
 * A run of two nodes with a queue, as its roles record it: every kind of record, a task that waited, one
 * that failed once, a traced command, an HTTP request, texts that need quoting.
 */

import { join } from "@std/path";
import type { InvocationEvent, PlacementEvent, TaskResult } from "../../trace/records.ts";
import {
  collectorStats,
  invocationEvent,
  nodeMeta,
  type RawRun,
  rawSample,
  RUN_START,
  toLines,
  writeRawRun,
} from "./raw_run.ts";

const T = RUN_START.tsMs;

/** Start of the process with this pid, as a sample and an event give it. */
function identityOf(pid: number): { pid: number; start_ticks: number } {
  return { pid, start_ticks: RUN_START.bootMs / 10 + pid };
}

/** The launch and the exit of an attempt. */
function eventsOf(
  life: { readonly startMs: number; readonly endMs: number },
  given: Partial<InvocationEvent> & { readonly pid: number },
): Partial<InvocationEvent>[] {
  const { pid, start_ticks } = identityOf(given.pid);
  const exit = invocationEvent(life, {
    user_ms: 100.3,
    system_ms: 12.045,
    ...given,
    pid,
    start_ticks,
  });
  const { input = "in.mp4", method = "CLI", path = "ffmpeg" } = given;
  const launch = invocationEvent({ startMs: life.startMs, endMs: null }, {
    ...given,
    input,
    method,
    path,
  });
  delete launch.pid;
  return [launch, { ...exit, max_rss_source: "rusage", cpuset: "0-1", cpu_binding: "exclusive" }];
}

const CLOUD1: RawRun = {
  samples: [
    rawSample(60, { ...identityOf(900), trace_id: "trace-x", cpu_ns: 1_000_000 }),
    rawSample(200, { ...identityOf(1000), cpu_ns: 50_000_000 }),
    rawSample(400, { ...identityOf(1000), cpu_ns: 80_000_500, rss_kb: 2048 }),
    rawSample(1900, { ...identityOf(1003), trace_id: "trace-c2", cpu_ns: 1_500_000 }),
  ],
  events: [
    ...eventsOf({ startMs: 50, endMs: 90 }, {
      trace_id: "trace-x",
      task_id: null,
      attempt: null,
      ts_enqueue: null,
      cpu_units: null,
      pid: 900,
      status: 1,
      reason: "",
      stderr_tail: 'he said "no",\nand left; ünïcode',
    }),
    ...eventsOf({ startMs: 110.25, endMs: 1110.25 }, {
      ts_enqueue: T + 100,
      cpu_units: 4,
      pid: 1000,
      profile: "light1c",
      bytes_in: 5_000_000_000,
      throttled_ms: 0.25,
      is_cpuset_shared: false,
    }),
    ...eventsOf({ startMs: 1820, endMs: 2020 }, {
      trace_id: "trace-c2",
      task_id: "task-c",
      attempt: 2,
      ts_enqueue: T + 200,
      cpu_units: 2,
      pid: 1003,
      is_cpuset_shared: true,
    }),
  ],
  results: [
    result("task-a", { assignedMs: 105 }),
    result("task-c", { assignedMs: 1800, attempt: 2 }),
  ],
  stats: [collectorStats(4, { births_met: 3, cpu_per_sample_us: 4.25 })],
};

const CLOUD2: RawRun = {
  samples: [rawSample(180, { ...identityOf(1001), trace_id: "trace-b", cpu_ns: 5_000_000 })],
  events: [
    ...eventsOf({ startMs: 170, endMs: 190 }, {
      trace_id: "trace-b",
      task_id: "task-b",
      ts_enqueue: T + 110,
      node: "cloud2",
      cpu_units: 4,
      pid: 1001,
      user_ms: 10,
      system_ms: 1,
    }),
    ...eventsOf({ startMs: 220, endMs: 500 }, {
      trace_id: "trace-c1",
      task_id: "task-c",
      ts_enqueue: T + 200,
      node: "cloud2",
      cpu_units: 2,
      pid: 1002,
      status: 1,
      signal: "SIGKILL",
    }),
  ],
  results: [result("task-b", { assignedMs: 155, node: "cloud2" })],
  meta: nodeMeta({ node_id: "cloud2", kernel: "6.1.0", boot_id: "b" }),
};

function result(
  taskId: string,
  { assignedMs, attempt = 1, node = "cloud1" }: {
    readonly assignedMs: number;
    readonly attempt?: number;
    readonly node?: string;
  },
): Partial<TaskResult> {
  return {
    task_id: taskId,
    attempt,
    node,
    state: "done",
    ts_assigned: T + assignedMs,
    ts_finish: T + 5000,
    seq: 1,
  };
}

function host(atMs: number, node: string, freeUnits: number): Partial<PlacementEvent> {
  const units = { capacity_units: 4, free_units: freeUnits, tasks: 0, is_draining: false };
  return { event: "host", ts_ms: T + atMs, node, ...units };
}

function decision(
  atMs: number,
  given: Partial<PlacementEvent> & { readonly task_id: string; readonly cpu_units: number },
): Partial<PlacementEvent> {
  const isWaiting = given.node === undefined;
  return {
    event: isWaiting ? "waiting" : "placed",
    ts_ms: T + atMs,
    ...(isWaiting ? { reasons: { busy: 2 } } : { index: 0 }),
    ...given,
  };
}

/** What the scheduler of the run knew and decided. */
const PLACEMENT_EVENTS: readonly Partial<PlacementEvent>[] = [
  { event: "policy", ts_ms: T, leader: "c#1", weigher: "", weigher_order: "min", scan_pending: 1 },
  host(0, "cloud1", 4),
  host(0, "cloud2", 4),
  decision(105, { task_id: "task-a", cpu_units: 4, node: "cloud1" }),
  host(110, "cloud2", 2),
  decision(115, { task_id: "task-b", cpu_units: 4 }),
  host(150, "cloud2", 4),
  decision(155, { task_id: "task-b", cpu_units: 4, node: "cloud2" }),
  host(190, "cloud2", 4),
  decision(205, { task_id: "task-c", cpu_units: 2, node: "cloud2" }),
  host(500, "cloud1", 0),
  host(1600, "cloud2", 1),
  decision(1700, { task_id: "task-c", cpu_units: 2 }),
  host(1750, "cloud1", 4),
  decision(1800, { task_id: "task-c", cpu_units: 2, node: "cloud1" }),
];

const REQUEST: Partial<InvocationEvent> = {
  ...invocationEvent({ startMs: 2100, endMs: 2130 }, {
    trace_id: "trace-h",
    module_id: "http",
    task_id: null,
    attempt: null,
    ts_enqueue: null,
    cpu_units: null,
    method: "GET",
    path: "/a,b",
    status: 200,
    ts_forward: T + 2101.125,
    ts_first_byte: T + 2120.5,
    is_aborted: false,
    cpu_ms: 3.5,
    cpu_source: "shared",
  }),
  user_ms: null,
  system_ms: null,
};

const TICKS = {
  user_ticks: 10,
  nice_ticks: 0,
  system_ticks: 5,
  idle_ticks: 1000,
  iowait_ticks: 1,
  irq_ticks: 0,
  softirq_ticks: 0,
  steal_ticks: 2,
};

/** Write the run into `folder`: `cloud1/`, `cloud2/`, and the records of the whole run above them. */
export async function writeQueueRun(folder: string): Promise<void> {
  const cloud1 = join(folder, "cloud1");
  await writeRawRun(cloud1, CLOUD1);
  await writeRawRun(join(folder, "cloud2"), CLOUD2);
  const clocks = { ts_ms: T + 200.5, boot_ms: RUN_START.bootMs + 200.5 };
  const files: Readonly<Record<string, readonly object[]>> = {
    "placement_events.jsonl": PLACEMENT_EVENTS,
    "cloud1/events.http.jsonl": [REQUEST],
    "cloud1/processes.jsonl": [
      { ...clocks, ...identityOf(1000), trace_id: "trace-a", comm: 'a "b"', container: null },
    ],
    "cloud1/host_metrics.jsonl": [
      { ...clocks, ...TICKS, mem_total_kb: 16_000_000, load1: 0.25 },
      { ...clocks, ...TICKS, ts_ms: T + 1200.5, user_ticks: 2 ** 40 },
    ],
    "cloud1/shares.jsonl": [{
      ...clocks,
      trace_id: "trace-a",
      span_id: "span-of-trace-a",
      task_id: "task-a",
      control: "cgroup_v2",
      quota_percent: 87.5,
      weight: 100,
    }],
  };
  for (const [name, records] of Object.entries(files)) {
    await Deno.writeTextFile(join(folder, name), toLines(records));
  }
}
