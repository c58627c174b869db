/**
 * What stands in the files of a run directory while it is recorded. Times `ts_*` are epoch ms with
 * decimals where the source has them; the boot clock stands beside them where order or intervals
 * matter. Fields are added, never renamed.
 *
 * @module
 */

import {
  boolean,
  type Field,
  integer,
  list,
  mapOf,
  nullable,
  number,
  oneOf,
  record,
  type RecordOf,
  string,
} from "./schema.ts";

/** Version of these records; a reader refuses a newer major. */
export const FORMAT_VERSION = "1.0";

const pid = integer({ doc: "Process id.", min: 1 });
const startTicks = integer({
  doc: "starttime of proc_pid_stat(5); with the pid it is the identity of a process.",
  unit: "ticks",
  min: 0,
});
const tsMs = number({ doc: "Wall clock of the node at this reading.", unit: "epoch_ms" });
const bootMs = number({ doc: "Boot clock of the node at this reading.", unit: "ms", min: 0 });
const traceId = string({ doc: "Identity of one invocation, as W3C trace context: 32 hex digits." });
const node = string({ doc: "NODE_ID." });

/**
 * `proc_metrics.jsonl`: one real reading of one process. Counters are totals since the process
 * started; either `cpu_ns` or both of `utime` and `stime` are known.
 */
export const RAW_SAMPLE = record("raw sample", {
  ts_ms: tsMs,
  boot_ms: nullable(bootMs),
  pid,
  start_ticks: nullable(startTicks),
  trace_id: nullable(traceId),
  cpu_ns: nullable(
    integer({ doc: "CPU clock of the process, clock_getcpuclockid(3).", unit: "ns", min: 0 }),
  ),
  utime: nullable(integer({ doc: "User time, proc_pid_stat(5).", unit: "ticks", min: 0 })),
  stime: nullable(integer({ doc: "System time, proc_pid_stat(5).", unit: "ticks", min: 0 })),
  rss_kb: nullable(integer({ doc: "Resident memory.", unit: "kb", min: 0 })),
  hwm_kb: nullable(
    integer({ doc: "VmHWM of proc_pid_status(5), where it was read at this time.", unit: "kb" }),
  ),
});
/** One real reading of one process, {@linkcode RAW_SAMPLE}. */
export type RawSample = RecordOf<typeof RAW_SAMPLE>;

/** `processes.jsonl`: what a sampled process is, written once, when it came under observation. */
export const PROCESS = record("process", {
  ts_ms: tsMs,
  pid,
  start_ticks: nullable(startTicks),
  trace_id: nullable(traceId),
  comm: nullable(string({ doc: "Name of the program, comm of proc_pid_stat(5)." })),
  container: nullable(string({ doc: "Container that it runs in, as ENGINE://ID." })),
  pod_uid: nullable(string({ doc: "Kubernetes pod of that container." })),
});
/** What a sampled process is, {@linkcode PROCESS}. */
export type Process = RecordOf<typeof PROCESS>;

/** Content of `pids/<pid>` written by our adapter; an empty sentinel of any other launcher is as valid. */
export const SENTINEL = record("sentinel", {
  trace_id: traceId,
  task_id: nullable(string({ doc: "Task that this process runs." })),
  start_ticks: startTicks,
  cgroup: nullable(
    string({ doc: "Directory of the task's own cgroup, whose cgroup.procs lists its processes." }),
  ),
  comm: nullable(string({ doc: "Name that the process has after exec, as far as it is known." })),
});
/** Content of our sentinels, {@linkcode SENTINEL}. */
export type Sentinel = RecordOf<typeof SENTINEL>;

/**
 * Where an exit total comes from, best first. `shared` is a request's equal share of what its service
 * used while it was open.
 */
export const TOTAL_SOURCES = [
  "cgroup_v2",
  "cgroup_v1",
  "rusage",
  "proc",
  "shared",
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
  trace_id: traceId,
  span_id: string({ doc: "Identity of this attempt: 16 hex digits." }),
  parent_id: nullable(string({ doc: "span_id of the invocation that this one belongs to." })),
  module_id: string({ doc: "Adapter module: ffmpeg, command, http." }),
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
  is_aborted: nullable(boolean({ doc: "True where either side broke off before the end." })),
  node,
  stage: nullable(string({ doc: "STAGE: tag of the environment." })),
  container: nullable(string({ doc: "Container that it ran in, as ENGINE://ID." })),
  method: nullable(string({ doc: "CLI, or the HTTP method." })),
  path: nullable(string({ doc: "Program, or path of the HTTP request." })),
  input: nullable(string({ doc: "Input file." })),
  output: nullable(string({ doc: "Output file." })),
  pid: nullable(pid),
  start_ticks: nullable(startTicks),
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
    integer({ doc: "Peak resident memory of one process.", unit: "kb", min: 0 }),
  ),
  max_rss_source: nullable(
    oneOf(["vmhwm", "rusage", "none"], { doc: "Where max_rss_kb comes from." }),
  ),
  memory_peak_kb: nullable(
    integer({ doc: "Peak of the task's cgroup, page cache included.", unit: "kb", min: 0 }),
  ),
  throttled_ms: nullable(number({ doc: "Held back by a quota, cpu.stat.", unit: "ms", min: 0 })),
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
  stderr_tail: nullable(string({ doc: "Last words of a failed process." })),
});
/** One line of an adapter's events, {@linkcode INVOCATION_EVENT}. */
export type InvocationEvent = RecordOf<typeof INVOCATION_EVENT>;

/**
 * `service_cpu.jsonl`: what a service behind the HTTP adapter used in one interval that ends at `ts_ms`,
 * and the shares of the requests that are open at its end. The shares of requests that ended within it
 * stand in their events: the `cpu_ms` of these lines sum to those of the events and `background_ms`.
 */
export const SERVICE_CPU = record("service CPU", {
  ts_ms: tsMs,
  boot_ms: nullable(bootMs),
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
  ts_ms: tsMs,
  boot_ms: nullable(bootMs),
  trace_id: traceId,
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
  node: nullable(node),
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

/**
 * `placement_events.jsonl`: every input and every decision of the scheduler, in order, so that a run can
 * be placed again and compared: its policy, each host as it came to know it, and then where each task
 * went, or that the head waits.
 */
export const PLACEMENT_EVENT = record("placement event", {
  event: oneOf(["policy", "host", "host_gone", "tokens", "placed", "waiting"], {
    doc: "What happened; at `policy` the hosts known before are forgotten.",
  }),
  ts_ms: tsMs,
  leader: nullable(string({ doc: "Token of the active scheduler, with its epoch." })),
  weigher: nullable(oneOf(["", "instances", "vcpu"], { doc: "policy: how hosts are weighed." })),
  weigher_order: nullable(oneOf(["min", "max"], { doc: "policy: which weight wins." })),
  scan_pending: nullable(
    integer({ doc: "policy: tasks considered; 1 is strict FIFO.", unit: "count", min: 1 }),
  ),
  node: nullable(node),
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

/** `node_meta.json`: the machine, from /proc and /sys. */
export const NODE_META = record("node metadata", {
  format_version: string({ doc: "FORMAT_VERSION of the writer." }),
  run_id: string({ doc: "RUN_ID." }),
  node_id: node,
  stage: nullable(string({ doc: "STAGE." })),
  host_name: nullable(string({ doc: "Name of the machine." })),
  boot_id: nullable(string({ doc: "Identity of this boot, random/boot_id." })),
  ts_ms: tsMs,
  boot_ms: nullable(bootMs),
  cpu_cores: integer({ doc: "Logical cores that belong to this node.", unit: "count", min: 1 }),
  cpus: nullable(string({ doc: "Which ones, where the node is a share of a machine." })),
  machine_cores: nullable(integer({ doc: "Logical cores of the machine.", unit: "count", min: 1 })),
  cpu_model: nullable(string({ doc: "model name of /proc/cpuinfo." })),
  cpu_freq_mhz: nullable(number({ doc: "Frequency of a core.", unit: "mhz", min: 1 })),
  cpu_freq_source: nullable(
    oneOf(["override", "cpufreq_max", "cpuinfo"], { doc: "Where the frequency comes from." }),
  ),
  mem_kb: nullable(integer({ doc: "MemTotal of proc_meminfo(5).", unit: "kb", min: 1 })),
  mem_mb: nullable(number({ doc: "The same in MiB.", unit: "mb" })),
  interface: nullable(string({ doc: "Network interface towards the controller." })),
  kernel: nullable(string({ doc: "Kernel release." })),
  cgroup_version: nullable(oneOf(["v1", "v2", "hybrid"], { doc: "cgroup hierarchies mounted." })),
});
/** The machine, {@linkcode NODE_META}. */
export type NodeMeta = RecordOf<typeof NODE_META>;

/** `run_meta.<role>.json`: with which program and flags a role ran. */
export const RUN_META = record("run metadata", {
  format_version: string({ doc: "FORMAT_VERSION of the writer." }),
  run_id: string({ doc: "RUN_ID." }),
  node_id: nullable(node),
  role: string({ doc: "collector, worker, scheduler, dispatcher." }),
  version: string({ doc: "Version of Tracekit." }),
  deno_version: string({ doc: "Version of Deno." }),
  ts_start: number({ doc: "Start of the role.", unit: "epoch_ms" }),
  flags: mapOf(string({ doc: "Its value, as text." }), { doc: "Flags in force, secrets removed." }),
  capacity_units: nullable(integer({ doc: "Capacity of a worker.", unit: "vcpu", min: 1 })),
  slots: nullable(integer({ doc: "Slots of a worker; 0: capacity only.", unit: "count", min: 0 })),
  allocation_ratio: nullable(number({ doc: "Over-provisioning factor of a worker." })),
  cpu_binding: nullable(oneOf(["exclusive", "shared"], { doc: "Execution mode of a worker." })),
});
/** With which program and flags a role ran, {@linkcode RUN_META}. */
export type RunMeta = RecordOf<typeof RUN_META>;

/** `clock.jsonl`: offset of the node's clock to the controller's, through Redis TIME. */
export const CLOCK_OFFSET = record("clock offset", {
  ts_ms: tsMs,
  boot_ms: nullable(bootMs),
  offset_ms: number({ doc: "Controller's clock minus node's clock.", unit: "ms" }),
  error_ms: number({ doc: "Bound of the error: half the best round trip.", unit: "ms", min: 0 }),
});
/** Offset of the node's clock, {@linkcode CLOCK_OFFSET}. */
export type ClockOffset = RecordOf<typeof CLOCK_OFFSET>;

/** `host_metrics.jsonl`: the whole host, once a second; counters are totals since boot. */
export const HOST_METRICS = record("host metrics", {
  ts_ms: tsMs,
  boot_ms: nullable(bootMs),
  user_ticks: integer({ doc: "All cores in user mode, proc_stat(5).", unit: "ticks", min: 0 }),
  nice_ticks: integer({ doc: "User mode with low priority.", unit: "ticks", min: 0 }),
  system_ticks: integer({ doc: "In the kernel.", unit: "ticks", min: 0 }),
  idle_ticks: integer({ doc: "Idle.", unit: "ticks", min: 0 }),
  iowait_ticks: integer({ doc: "Idle while I/O was outstanding.", unit: "ticks", min: 0 }),
  irq_ticks: integer({ doc: "Servicing interrupts.", unit: "ticks", min: 0 }),
  softirq_ticks: integer({ doc: "Servicing soft interrupts.", unit: "ticks", min: 0 }),
  steal_ticks: integer({ doc: "Taken by the hypervisor for others.", unit: "ticks", min: 0 }),
  mem_total_kb: nullable(integer({ doc: "MemTotal, proc_meminfo(5).", unit: "kb", min: 0 })),
  mem_free_kb: nullable(integer({ doc: "MemFree.", unit: "kb", min: 0 })),
  mem_available_kb: nullable(integer({ doc: "MemAvailable.", unit: "kb", min: 0 })),
  swap_used_kb: nullable(integer({ doc: "SwapTotal less SwapFree.", unit: "kb", min: 0 })),
  interface: nullable(
    string({ doc: "Interface whose traffic is counted; null: all but the loopback." }),
  ),
  received_bytes: nullable(integer({ doc: "Received, /proc/net/dev.", unit: "bytes", min: 0 })),
  sent_bytes: nullable(integer({ doc: "Sent, /proc/net/dev.", unit: "bytes", min: 0 })),
  cpu_some_us: nullable(
    integer({ doc: "At least one task waited for a CPU, pressure/cpu.", unit: "us", min: 0 }),
  ),
  memory_some_us: nullable(
    integer({ doc: "At least one task waited for memory.", unit: "us", min: 0 }),
  ),
  memory_full_us: nullable(integer({ doc: "All tasks waited for memory.", unit: "us", min: 0 })),
  io_some_us: nullable(integer({ doc: "At least one task waited for I/O.", unit: "us", min: 0 })),
  io_full_us: nullable(integer({ doc: "All tasks waited for I/O.", unit: "us", min: 0 })),
});
/** The whole host, {@linkcode HOST_METRICS}. */
export type HostMetrics = RecordOf<typeof HOST_METRICS>;

/** `collector_stats.jsonl`: what the collector cost and missed since its last line. */
export const COLLECTOR_STATS = record("collector stats", {
  ts_ms: tsMs,
  boot_ms: nullable(bootMs),
  mode: oneOf(["whitelist", "scan", "cgroup", "tree"], { doc: "How processes are found." }),
  interval_ms: number({ doc: "Sampling interval.", unit: "ms" }),
  cpu_source: oneOf(["cpu_clock", "stat"], { doc: "What CPU time is read from." }),
  is_realtime: boolean({ doc: "True where the sampling thread had real-time priority." }),
  ticks: integer({ doc: "Ticks done.", unit: "count", min: 0 }),
  missed_ticks: integer({ doc: "Deadlines passed without a tick.", unit: "count", min: 0 }),
  late_max_ms: number({ doc: "Largest lateness of a tick.", unit: "ms" }),
  late_p99_ms: number({ doc: "99th percentile of the lateness.", unit: "ms" }),
  samples: integer({ doc: "Readings written.", unit: "count", min: 0 }),
  tracked: integer({ doc: "Processes followed now.", unit: "count", min: 0 }),
  gone: integer({ doc: "Processes that vanished.", unit: "count", min: 0 }),
  denied: integer({ doc: "Processes that could not be read.", unit: "count", min: 0 }),
  foreign: integer({
    doc: "Sentinels passed over: stale, or of a stranger.",
    unit: "count",
    min: 0,
  }),
  cpu_ms: number({ doc: "The collector's own CPU time.", unit: "ms", min: 0 }),
  rss_kb: nullable(integer({ doc: "The collector's own memory.", unit: "kb", min: 0 })),
  forks: nullable(
    integer({ doc: "Processes born on the host, /proc/stat.", unit: "count", min: 0 }),
  ),
  births_seen: integer({ doc: "Processes that came under observation.", unit: "count", min: 0 }),
});
/** What the collector cost and missed, {@linkcode COLLECTOR_STATS}. */
export type CollectorStats = RecordOf<typeof COLLECTOR_STATS>;

/** `roles/<role>.json`: the process that a role runs as. */
export const ROLE_IDENTITY = record("role identity", {
  role: string({ doc: "Name of the role." }),
  run_id: string({ doc: "RUN_ID." }),
  node_id: nullable(node),
  pid,
  start_ticks: startTicks,
  boot_id: string({ doc: "Boot in which the pid is valid." }),
  ts_start: number({ doc: "Start of the role.", unit: "epoch_ms" }),
});
/** The process that a role runs as, {@linkcode ROLE_IDENTITY}. */
export type RoleIdentity = RecordOf<typeof ROLE_IDENTITY>;
