/**
 * Real jobs of every awkward kind through adapter, collector and parse, beside processes that stay: the
 * records that come of it, to be checked against each other.
 */

import { join } from "@std/path";
import type { Audit } from "../../export/audit/audit.ts";
import { parseNode } from "../../export/parse.ts";
import { isThere } from "../../trace/atomic_file.ts";
import { INVOCATION, type Invocation, PROC_METRIC, type ProcMetric } from "../../trace/cts.ts";
import type { InvocationEvent } from "../../trace/records.ts";
import { RunDir } from "../../trace/run_dir.ts";
import type { PartialTask } from "../../trace/task.ts";
import { startAdapter, type TestAdapter } from "./adapter_process.ts";
import { startCommand } from "./command_process.ts";
import { recordsIn } from "./records.ts";
import { checkConservation } from "./run_checks.ts";
import { tempFolder } from "./temp_folder.ts";
import { CAN_GROUP } from "./test_cgroup.ts";
import { waitFor } from "./wait_for.ts";

/** How large a capture is. */
export interface CaptureSize {
  /** Jobs with 5 ms of work; a fifth as many fork five children. */
  readonly shortJobs: number;
  /** Jobs that run at the same time. */
  readonly atOnce: number;
  /** Processes that are there all the time. */
  readonly longLived: number;
}

/** What a capture must show, in words, each with the sentences that are not true. */
export type CaptureFindings = Readonly<Record<string, readonly string[]>>;

/** Jobs of one kind. */
interface JobKind {
  readonly what: string;
  readonly script: string;
  readonly count: number;
  /** The least CPU time that each must show, ms. */
  readonly leastMs: number;
}

/** Jobs of each rare kind. */
const RARE = 5;

/** Turns of an empty loop in sh that take about 5 ms of CPU time on a machine of these years. */
const TURNS_OF_5_MS = 12_000;

/** A shell command that works for about `ms` of CPU time. */
function busy(ms: number): string {
  return `i=0; while [ $i -lt ${Math.round(ms / 5 * TURNS_OF_5_MS)} ]; do i=$((i+1)); done`;
}

function shell(script: string): PartialTask {
  return { kind: "command", argv: ["sh", "-c", script], cpu_units: 1 };
}

/** The kinds of jobs. What forks twice leaves its parents: only a cgroup knows what it used. */
function jobKinds({ shortJobs }: CaptureSize): readonly JobKind[] {
  const three = `${busy(20)}; exec sh -c '${busy(20)}; exec sh -c "${
    busy(20).replaceAll("$", "\\$")
  }; exec true"'`;
  return [
    { what: "5 ms of work", script: busy(5), count: shortJobs, leastMs: 1 },
    {
      what: "five children of 10 ms",
      script: `for n in 1 2 3 4 5; do (${busy(10)}) & done; wait`,
      count: Math.ceil(shortJobs / 5),
      leastMs: 15,
    },
    {
      what: "a double fork",
      script: `(sh -c '${busy(30)}' &); exit 0`,
      count: RARE,
      leastMs: CAN_GROUP ? 10 : 0,
    },
    {
      what: "a new name",
      script: `echo other > /proc/$$/comm; ${busy(30)}`,
      count: RARE,
      leastMs: 10,
    },
    { what: "a violent end", script: `${busy(30)}; kill -KILL $$`, count: RARE, leastMs: 10 },
    { what: "three execs", script: three, count: RARE, leastMs: 20 },
  ];
}

async function runAll(
  adapter: TestAdapter,
  { script, count, atOnce }: JobKind & { readonly atOnce: number },
): Promise<InvocationEvent[]> {
  const events: InvocationEvent[] = [];
  let left = count;
  async function next(): Promise<void> {
    while (left-- > 0) events.push(await adapter.exitOf(shell(script)));
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, next));
  return events;
}

/** A finished capture. */
interface Capture {
  readonly size: CaptureSize;
  readonly exitsOf: ReadonlyMap<JobKind, readonly InvocationEvent[]>;
  /** Trace ids of the processes that stayed. */
  readonly stayed: ReadonlySet<string>;
  readonly invocations: readonly Invocation[];
  readonly rows: readonly ProcMetric[];
  readonly audit: Audit;
}

/** Run a capture of this size and check what it left. */
export async function checkCapture(size: CaptureSize): Promise<CaptureFindings> {
  await using folder = await tempFolder();
  return findingsOf(await capture(folder.path, size));
}

async function capture(folder: string, size: CaptureSize): Promise<Capture> {
  const logs = join(folder, "logs");
  const runDir = RunDir.of(logs, "capture");
  await using collector = startCommand([
    ...["collector", "--run-id=capture", "--node-id=n1", `--logs=${logs}`],
  ]);
  await waitFor({
    what: "the collector at work",
    read: () => isThere(runDir.procMetrics),
    until: (isThere) => isThere,
  });
  const exitsOf = new Map<JobKind, InvocationEvent[]>();
  const stayed = new Set<string>();
  {
    await using adapter = await startAdapter({
      run_dir: runDir.path,
      run_id: "capture",
      cpu_binding: "exclusive",
      allowed_commands: ["sh", "sleep"],
    });
    const stay = Array.from(
      { length: size.longLived },
      () =>
        adapter.client.launch(
          adapter.task({ kind: "command", argv: ["sleep", "86400"], cpu_units: 1 }),
        ),
    );
    for (const one of stay) stayed.add((await one.started)?.trace_id ?? "");
    for (const kind of jobKinds(size)) {
      exitsOf.set(kind, await runAll(adapter, { ...kind, atOnce: size.atOnce }));
    }
    for (const one of stay) one.stop({ reason: "the test is over", graceMs: 1000 });
    await Promise.all(stay.map(({ outcome }) => outcome));
  }
  collector.kill("SIGTERM");
  const { code, stderr } = await collector.ended;
  if (code !== 0) throw new Error(`The collector ended with ${code}: ${stderr}`);
  const { audit } = await parseNode(runDir.path, { nodeId: "n1" });
  const invocations = await recordsIn<Invocation>(
    join(runDir.cts, "invocations.jsonl"),
    INVOCATION.decode,
  );
  const rows = await recordsIn<ProcMetric>(
    join(runDir.cts, "proc_metrics.jsonl"),
    PROC_METRIC.decode,
  );
  return { size, exitsOf, stayed, invocations, rows, audit };
}

function findingsOf(capture: Capture): CaptureFindings {
  const { audit, exitsOf } = capture;
  const rowsOf = Map.groupBy(capture.rows, ({ trace_id }) => trace_id);
  const kinds = [...exitsOf].map(([kind, events]) =>
    [`${kind.count} jobs with ${kind.what}`, problemsOf(kind, { events, rowsOf })] as const
  );
  const residualMs = audit.cpu_residual_max_ms;
  return {
    "all are on record, with an end": missing(capture),
    ...Object.fromEntries(kinds),
    "what stayed was seen by readings": unseen(capture),
    "the audit agrees": residualMs === 0 ? [] : [`it finds a residual of ${residualMs} ms`],
  };
}

function missing({ exitsOf, invocations, size }: Capture): string[] {
  const problems = invocations.filter(({ ts_end }) => ts_end === null)
    .map(({ task_id }) => `${task_id} has no end`);
  const expected = [...exitsOf.keys()].reduce((sum, { count }) => sum + count, size.longLived);
  if (invocations.length !== expected) {
    problems.push(`${invocations.length} invocations are on record, ${expected} were run`);
  }
  return problems;
}

function problemsOf(
  { count, leastMs }: JobKind,
  { events, rowsOf }: {
    readonly events: readonly InvocationEvent[];
    readonly rowsOf: ReadonlyMap<string | null, readonly ProcMetric[]>;
  },
): string[] {
  const problems = events.length === count ? [] : [`${events.length} of ${count} ended`];
  for (const event of events) {
    const { task_id, user_ms, system_ms } = event;
    const totalMs = (user_ms ?? 0) + (system_ms ?? 0);
    if (totalMs < leastMs) problems.push(`${task_id} used ${totalMs} ms, less than ${leastMs} ms`);
    const own = rowsOf.get(event.trace_id) ?? [];
    if (own.length === 0) problems.push(`${task_id} has no rows`);
    problems.push(...checkConservation([event], own, { cores: navigator.hardwareConcurrency }));
  }
  return problems;
}

function unseen({ invocations, stayed, size }: Capture): string[] {
  const own = invocations.filter(({ trace_id }) => stayed.has(trace_id));
  const problems = own.filter(({ samples }) => samples === 0)
    .map(({ task_id }) => `${task_id} has no sample`);
  if (own.length !== size.longLived) {
    problems.push(`${own.length} of ${size.longLived} are on record`);
  }
  return problems;
}
