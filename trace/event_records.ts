/**
 * What becomes of tasks: launches, ends, results, placements, and the marks that they leave.
 *
 * @module
 */

import {
  boolean,
  type Field,
  integer,
  list,
  mapOf,
  nested,
  nullable,
  number,
  oneOf,
  record,
  type RecordOf,
  string,
} from "./schema.ts";
import { WEIGHER_NAMES } from "./weighers.ts";
import { BOOT_MS, NODE, PID, START_TICKS, TRACE_ID, TS_MS } from "./record_fields.ts";

/** Content of `pids/<pid>` written by our adapter; an empty sentinel of any other launcher is as valid. */
export const SENTINEL = record("sentinel", {
  trace_id: TRACE_ID,
  task_id: nullable(string({ doc: "Task that this process runs." })),
  start_ticks: START_TICKS,
  cgroup: nullable(
    string({ doc: "Directory of the task's own cgroup, whose cgroup.procs lists its processes." }),
  ),
  comm: nullable(string({ doc: "Name that the process has after exec, as far as it is known." })),
});
/** Content of our sentinels, {@linkcode SENTINEL}. */
export type Sentinel = RecordOf<typeof SENTINEL>;

/**
 * Where an exit total comes from, best first. `proc`: the counters of /proc, in clock ticks. `shared` is a request's equal share of what its service
 * used while it was open; `imported` is another system's account; `readings` the sum of what readings saw, a lower bound.
 */
export const TOTAL_SOURCES = [
  "cgroup_v2",
  "cgroup_v1",
  "rusage",
  "proc",
  "shared",
  "imported",
  "readings",
  "none",
] as const;

/** Where a peak of resident memory comes from; `readings` are those of the collector. */
export const MEMORY_SOURCES = [
  "vmhwm",
  "tree",
  "rusage",
  "cgroup_v2",
  "cgroup_v1",
  "readings",
  "none",
] as const;

function source(doc: string): Field<(typeof TOTAL_SOURCES)[number]> {
  return oneOf(TOTAL_SOURCES, { doc });
}

/**
 * `events.<module>.jsonl`: a line before the spawn (`event` launch) and one after the reaping (`exit`)
 * or instead of the spawn (`refused`). Lines of one attempt share `span_id`.
 */
export const INVOCATION_EVENT = record("invocation event", {
  event: oneOf(["launch", "exit", "refused"], { doc: "What happened." }),
  trace_id: TRACE_ID,
  span_id: string({ doc: "Identity of this attempt: 16 hex digits." }),
  parent_id: nullable(string({ doc: "span_id of the invocation that this one belongs to." })),
  module_id: string({ doc: "Adapter module: ffmpeg, command, http; service: observed only." }),
  instance_id: string({ doc: "Identity of the adapter process." }),
  task_id: nullable(string({ doc: "Task of the queue." })),
  attempt: nullable(integer({ doc: "Attempt of the task, from 1.", unit: "count", min: 1 })),
  profile: nullable(string({ doc: "Profile of the task." })),
  ts_enqueue: nullable(number({ doc: "Entered the queue, controller's clock.", unit: "epoch_ms" })),
  ts_start: nullable(number({ doc: "Spawned, node's clock.", unit: "epoch_ms" })),
  ts_end: nullable(number({ doc: "Reaped, node's clock.", unit: "epoch_ms" })),
  boot_start_ms: nullable(number({ doc: "Spawned, boot clock.", unit: "ms" })),
  boot_end_ms: nullable(number({ doc: "Reaped, boot clock.", unit: "ms" })),
  ts_forward: nullable(number({ doc: "Request passed on to the service.", unit: "epoch_ms" })),
  ts_first_byte: nullable(number({ doc: "Head of the response came.", unit: "epoch_ms" })),
  is_start_observed: nullable(
    boolean({ doc: "False where it ran before its observation began, which is ts_start then." }),
  ),
  is_end_observed: nullable(
    boolean({ doc: "False where it ran on when its observation ended, which is ts_end then." }),
  ),
  argv: nullable(
    list(string({ doc: "One argument." }), {
      doc: "Command line of an observed process; what looks like a secret is replaced by ***.",
    }),
  ),
  is_aborted: nullable(boolean({ doc: "True where either side broke off before the end." })),
  node: NODE,
  stage: nullable(string({ doc: "STAGE: tag of the environment." })),
  container: nullable(string({ doc: "Container that it ran in, as ENGINE://ID." })),
  method: nullable(string({ doc: "CLI, or the HTTP method." })),
  path: nullable(string({ doc: "Program, or path of the HTTP request." })),
  input: nullable(string({ doc: "Input file." })),
  output: nullable(string({ doc: "Output file." })),
  pid: nullable(PID),
  start_ticks: nullable(START_TICKS),
  cpuset: nullable(string({ doc: "CPUs that it ran on, where it was bound." })),
  cpu_units: nullable(integer({ doc: "vCPUs reserved.", unit: "vcpu", min: 1 })),
  cpu_binding: nullable(oneOf(["exclusive", "shared", "none"], { doc: "How CPUs were given." })),
  is_cpuset_shared: nullable(
    boolean({ doc: "True where no free core was left and cores are shared with another task." }),
  ),
  bytes_in: nullable(integer({ doc: "Size of the input.", unit: "bytes", min: 0 })),
  bytes_out: nullable(integer({ doc: "Size of the output.", unit: "bytes", min: 0 })),
  status: nullable(integer({ doc: "Exit code, HTTP status; 128 + signal for a killed process." })),
  signal: nullable(string({ doc: "Signal that ended it." })),
  reason: nullable(string({ doc: "Why it was refused or ended: refusal, timeout, lost lease." })),
  user_ms: nullable(number({ doc: "User time of the whole tree.", unit: "ms", min: 0 })),
  system_ms: nullable(number({ doc: "System time of the whole tree.", unit: "ms", min: 0 })),
  cpu_ms: nullable(
    number({ doc: "CPU time, where user and system time are not apart.", unit: "ms", min: 0 }),
  ),
  cpu_source: nullable(source("Where user_ms and system_ms, or cpu_ms, come from.")),
  max_rss_kb: nullable(
    integer({ doc: "Peak resident memory of the whole tree.", unit: "kb", min: 0 }),
  ),
  max_rss_source: nullable(
    oneOf(MEMORY_SOURCES, {
      doc: "Where max_rss_kb comes from: the high-water mark of one process, the sum over its " +
        "processes at one time, wait4(2), or memory_peak_kb where nothing was read in time.",
    }),
  ),
  memory_peak_kb: nullable(
    integer({ doc: "Peak of the task's cgroup, page cache included.", unit: "kb", min: 0 }),
  ),
  memory_peak_source: nullable(source("Where memory_peak_kb comes from.")),
  throttled_ms: nullable(number({ doc: "Held back by a quota, cpu.stat.", unit: "ms", min: 0 })),
  throttled_source: nullable(source("Where throttled_ms comes from.")),
  minor_faults: nullable(integer({ doc: "Page faults without I/O.", unit: "count", min: 0 })),
  major_faults: nullable(integer({ doc: "Page faults with I/O.", unit: "count", min: 0 })),
  voluntary_switches: nullable(
    integer({ doc: "Context switches that it asked for.", unit: "count" }),
  ),
  involuntary_switches: nullable(
    integer({ doc: "Context switches by preemption.", unit: "count" }),
  ),
  read_blocks: nullable(
    integer({ doc: "ru_inblock: 512-byte blocks read.", unit: "count", min: 0 }),
  ),
  written_blocks: nullable(integer({ doc: "ru_oublock: blocks written.", unit: "count", min: 0 })),
  counters_source: nullable(
    source("Where page faults, context switches and blocks come from."),
  ),
  decode_errors: nullable(
    integer({
      doc:
        "Lines in which ffmpeg says that it could not decode a part of its input, and continued.",
      unit: "count",
      min: 0,
    }),
  ),
  log_lost_bytes: nullable(
    integer({
      doc: "Bytes that it printed and that its log does not have: beyond --task-log-max-mb.",
      unit: "bytes",
      min: 0,
    }),
  ),
  stderr_tail: nullable(string({ doc: "Last lines of a failed process." })),
});
/** One line of an adapter's events, {@linkcode INVOCATION_EVENT}. */
export type InvocationEvent = RecordOf<typeof INVOCATION_EVENT>;

/**
 * `service_cpu.jsonl`: what a service behind the HTTP adapter used in one interval that ends at `ts_ms`,
 * and the shares of the requests that are open at its end. The shares of requests that ended within it
 * are in their events: the `cpu_ms` of these lines sum to those of the events and `background_ms`.
 */
export const SERVICE_CPU = record("service CPU", {
  ts_ms: TS_MS,
  boot_ms: nullable(BOOT_MS),
  instance_id: string({ doc: "Identity of the adapter process." }),
  dt_ms: number({ doc: "Length of the interval.", unit: "ms", min: 0 }),
  cpu_ms: number({ doc: "CPU time of the service in it.", unit: "ms", min: 0 }),
  background_ms: number({ doc: "Part of it with no request open.", unit: "ms", min: 0 }),
  cpu_source: source("What the CPU time is read from."),
  container: nullable(string({ doc: "Container of the service, as ENGINE://ID." })),
  shares: mapOf(number({ doc: "CPU time, ms.", min: 0 }), {
    doc: "Share of each open request in this interval, by its span_id.",
    unit: "ms",
  }),
});
/** What a service used in one interval, {@linkcode SERVICE_CPU}. */
export type ServiceCpu = RecordOf<typeof SERVICE_CPU>;

/** `shares.jsonl`: the CPU limits of an invocation from this time on, until its next line or its end. */
export const CPU_SHARE = record("CPU share", {
  ts_ms: TS_MS,
  boot_ms: nullable(BOOT_MS),
  trace_id: TRACE_ID,
  span_id: string({ doc: "The attempt." }),
  task_id: nullable(string({ doc: "Task of the queue." })),
  control: oneOf(["systemd", "cgroup_v2", "cgroup_v1", "affinity"], { doc: "What applies them." }),
  cpus: nullable(string({ doc: "CPUs that it may run on; null: all of the node's." })),
  quota_percent: nullable(
    number({ doc: "CPU quota, 100 is one core; null: none.", unit: "percent", min: 0 }),
  ),
  weight: nullable(
    integer({ doc: "CPU weight as cgroup v2 counts; null: the default.", min: 1, max: 10_000 }),
  ),
});
/** The CPU limits of an invocation, {@linkcode CPU_SHARE}. */
export type CpuShare = RecordOf<typeof CPU_SHARE>;

/** End states of a task. */
export const END_STATES = ["done", "failed", "dead", "cancelled"] as const;

/** `results.jsonl`: what became of a task, as the queue decided it. */
export const TASK_RESULT = record("task result", {
  task_id: string({ doc: "The task." }),
  attempt: nullable(integer({ doc: "The attempt that this speaks of.", unit: "count", min: 1 })),
  node: nullable(NODE),
  state: oneOf([...END_STATES, "superseded"], {
    doc: "End state of the task; superseded: this attempt came too late and does not count.",
  }),
  status: nullable(integer({ doc: "Exit code of the attempt." })),
  reason: nullable(string({ doc: "Why it failed, is dead or was cancelled." })),
  ts_enqueue: nullable(number({ doc: "Entered the queue.", unit: "epoch_ms" })),
  ts_assigned: nullable(number({ doc: "Placed on its node.", unit: "epoch_ms" })),
  ts_finish: number({ doc: "Accepted by the queue, controller's clock.", unit: "epoch_ms" }),
  cpu_units: nullable(integer({ doc: "vCPUs reserved.", unit: "vcpu", min: 1 })),
  profile: nullable(string({ doc: "Profile of the task." })),
  seq: nullable(
    number({ doc: "Place in the order of submission; pushed by hand in between: a decimal." }),
  ),
});
/** What became of a task, {@linkcode TASK_RESULT}. */
export type TaskResult = RecordOf<typeof TASK_RESULT>;

/** `data_losses.jsonl`: when a role found that the queue's Redis had lost data. */
export const DATA_LOSS = record("data loss", {
  ts_ms: TS_MS,
  role: oneOf(["scheduler", "worker"], { doc: "Who found it." }),
});
/** A loss of the queue's data, {@linkcode DATA_LOSS}. */
export type DataLoss = RecordOf<typeof DATA_LOSS>;

/** A weigher with its multiplier, of {@linkcode PLACEMENT_EVENT}. */
const WEIGHER_TERM = record("weigher term", {
  weigher: oneOf(WEIGHER_NAMES, { doc: "What is weighed." }),
  multiplier: number({
    doc: "Times the weight scaled to 0..1; below 0 the smallest is preferred.",
  }),
});

/**
 * `placement_events.jsonl`: every input and every decision of the scheduler, in order, so that a run can
 * be placed again and compared: its policy, each host as it came to know it, and then where each task
 * went, or that the head waits.
 */
export const PLACEMENT_EVENT = record("placement event", {
  event: oneOf(["policy", "host", "host_gone", "tokens", "placed", "waiting"], {
    doc: "What happened; at `policy` the hosts known before are forgotten.",
  }),
  ts_ms: TS_MS,
  leader: nullable(string({ doc: "Token of the active scheduler, with its epoch." })),
  weigher: nullable(
    oneOf(["", ...WEIGHER_NAMES], {
      doc: "policy: how hosts are weighed; null where weighers has several.",
    }),
  ),
  weigher_order: nullable(oneOf(["min", "max"], { doc: "policy: which weight wins." })),
  weighers: nullable(
    list(nested(WEIGHER_TERM, { doc: "A term." }), {
      doc: "policy: the terms of the weight, where it is a sum; the largest wins.",
    }),
  ),
  scan_pending: nullable(
    integer({ doc: "policy: tasks considered; 1 is strict FIFO.", unit: "count", min: 1 }),
  ),
  node: nullable(NODE),
  capacity_units: nullable(number({ doc: "host: units in all.", unit: "vcpu" })),
  free_units: nullable(number({ doc: "host: units that a task may take.", unit: "vcpu" })),
  free_slots: nullable(
    integer({ doc: "host: free slots; null: it has none.", unit: "count" }),
  ),
  tasks: nullable(integer({ doc: "host: assigned and running tasks.", unit: "count" })),
  is_draining: nullable(boolean({ doc: "host: it is given nothing new." })),
  token_nodes: nullable(
    list(string({ doc: "A node." }), {
      doc: "tokens: nodes with slots that --scan-slots lets in; null: all.",
    }),
  ),
  task_id: nullable(string({ doc: "placed, waiting: the task." })),
  seq: nullable(number({ doc: "placed, waiting: its place in the order of submission." })),
  cpu_units: nullable(integer({ doc: "placed, waiting: vCPUs that it asks for.", unit: "vcpu" })),
  index: nullable(
    integer({ doc: "placed: its place in the queue; above 0 it passed a waiting head." }),
  ),
  reasons: nullable(
    mapOf(integer({ doc: "Hosts.", unit: "count" }), {
      doc: "waiting: hosts by why they cannot take it.",
    }),
  ),
});
/** One line of the scheduler's record of decisions, {@linkcode PLACEMENT_EVENT}. */
export type PlacementEvent = RecordOf<typeof PLACEMENT_EVENT>;
