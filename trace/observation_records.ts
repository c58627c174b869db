/**
 * What the collector reads and writes down: processes, the host, the clock, its own account.
 *
 * @module
 */

import {
  boolean,
  integer,
  nullable,
  number,
  oneOf,
  record,
  type RecordOf,
  string,
} from "./schema.ts";
import { BOOT_MS, PID, START_TICKS, TRACE_ID, TS_MS } from "./record_fields.ts";

/**
 * `proc_metrics.jsonl`: one real reading of one process. Counters are totals since the process
 * started; either `cpu_ns` or both of `utime` and `stime` are known.
 */
export const RAW_SAMPLE = record("raw sample", {
  ts_ms: TS_MS,
  boot_ms: nullable(BOOT_MS),
  pid: PID,
  start_ticks: nullable(START_TICKS),
  trace_id: nullable(TRACE_ID),
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
  ts_ms: TS_MS,
  pid: PID,
  start_ticks: nullable(START_TICKS),
  trace_id: nullable(TRACE_ID),
  comm: nullable(string({ doc: "Name of the program, comm of proc_pid_stat(5)." })),
  container: nullable(string({ doc: "Container that it runs in, as ENGINE://ID." })),
  pod_uid: nullable(string({ doc: "Kubernetes pod of that container." })),
});
/** What a sampled process is, {@linkcode PROCESS}. */
export type Process = RecordOf<typeof PROCESS>;

/** `clock.jsonl`: offset of the node's clock to the controller's, through Redis TIME. */
export const CLOCK_OFFSET = record("clock offset", {
  ts_ms: TS_MS,
  boot_ms: nullable(BOOT_MS),
  offset_ms: number({ doc: "Controller's clock minus node's clock.", unit: "ms" }),
  error_ms: number({ doc: "Bound of the error: half the best round trip.", unit: "ms", min: 0 }),
});
/** Offset of the node's clock, {@linkcode CLOCK_OFFSET}. */
export type ClockOffset = RecordOf<typeof CLOCK_OFFSET>;

/** `host_metrics.jsonl`: the whole host, once a second; counters are totals since boot. */
export const HOST_METRICS = record("host metrics", {
  ts_ms: TS_MS,
  boot_ms: nullable(BOOT_MS),
  user_ticks: nullable(
    integer({ doc: "All cores in user mode, proc_stat(5).", unit: "ticks", min: 0 }),
  ),
  nice_ticks: nullable(integer({ doc: "User mode with low priority.", unit: "ticks", min: 0 })),
  system_ticks: nullable(integer({ doc: "In the kernel.", unit: "ticks", min: 0 })),
  idle_ticks: nullable(integer({ doc: "Idle.", unit: "ticks", min: 0 })),
  iowait_ticks: nullable(
    integer({ doc: "Idle while I/O was outstanding.", unit: "ticks", min: 0 }),
  ),
  irq_ticks: nullable(integer({ doc: "Servicing interrupts.", unit: "ticks", min: 0 })),
  softirq_ticks: nullable(integer({ doc: "Servicing soft interrupts.", unit: "ticks", min: 0 })),
  steal_ticks: nullable(
    integer({ doc: "Taken by the hypervisor for others.", unit: "ticks", min: 0 }),
  ),
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
  ts_ms: TS_MS,
  boot_ms: nullable(BOOT_MS),
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
    doc: "Sentinels ignored: stale, or of another process.",
    unit: "count",
    min: 0,
  }),
  cpu_ms: number({ doc: "The collector's own CPU time.", unit: "ms", min: 0 }),
  cpu_per_sample_us: nullable(
    number({ doc: "The same per reading; null where there was none.", unit: "us", min: 0 }),
  ),
  rss_kb: nullable(integer({ doc: "The collector's own memory.", unit: "kb", min: 0 })),
  forks: nullable(
    integer({ doc: "Processes and threads born on the host, /proc/stat.", unit: "count", min: 0 }),
  ),
  problems: nullable(
    string({ doc: "Kernel files that could not be used, one a line, each once in a run." }),
  ),
  births_seen: integer({ doc: "Processes that came under observation.", unit: "count", min: 0 }),
  births_met: nullable(
    integer({
      doc: "Processes born that a scan of the whole host met; null: none is taken in this mode.",
      unit: "count",
      min: 0,
    }),
  ),
});
/** What the collector cost and missed, {@linkcode COLLECTOR_STATS}. */
export type CollectorStats = RecordOf<typeof COLLECTOR_STATS>;
