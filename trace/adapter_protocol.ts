/**
 * What a worker and its adapter say to each other: JSON Lines over the adapter's stdin and stdout.
 *
 * The worker says `hello` once, then `launch`, `stop`, `keepalive` and `clock`; the adapter answers
 * `ready` once, then for each launch either `refused`, or `started` and later `exited`, and for each
 * clock a `time`. End of stdin, or no message
 * for {@linkcode KEEPALIVE_LIMIT_MS} of boot time, ends every task that runs.
 *
 * @module
 */

import {
  boolean,
  integer,
  list,
  nested,
  nullable,
  number,
  oneOf,
  record,
  type RecordOf,
  string,
} from "./schema.ts";
import { INVOCATION_EVENT } from "./records.ts";
import { TASK } from "./task.ts";
import { LONGEST_DELAY_MS } from "./units.ts";

/** Version of this protocol; both sides must agree. */
export const ADAPTER_PROTOCOL = 2;

/** How often a worker says that it lives, ms. */
export const KEEPALIVE_INTERVAL_MS = 1000;

/**
 * After this long without a message the adapter ends its tasks, ms of boot time. It is the time after
 * which a worker that could not renew its lease of 8 s must stop its tasks, so that a worker that was
 * itself stopped (SIGSTOP) cannot have tasks running when another node starts them.
 */
export const KEEPALIVE_LIMIT_MS = 6000;

/** First message of the worker: where the run is and how CPUs are given. */
export const ADAPTER_HELLO = record("adapter hello", {
  type: oneOf(["hello"], { doc: "Kind of message." }),
  protocol: integer({ doc: "ADAPTER_PROTOCOL of the worker." }),
  run_id: string({ doc: "RUN_ID." }),
  node_id: string({ doc: "NODE_ID." }),
  stage: nullable(string({ doc: "STAGE." })),
  run_dir: string({ doc: "The node's run directory, absolute." }),
  inputs_root: string({
    doc: "Relative inputs are resolved here: the worker's working directory.",
  }),
  outputs_dir: string({ doc: "The only folder that tasks may write to, absolute." }),
  uid: nullable(integer({ doc: "User that tasks run as; null: the adapter's own.", min: 0 })),
  gid: nullable(integer({ doc: "Group that tasks run as; null: the adapter's own.", min: 0 })),
  cpus: nullable(string({ doc: "CPUs of this node, as cpuset(7) writes them; null: all." })),
  cpu_binding: oneOf(["exclusive", "shared"], { doc: "Execution mode." }),
  cpuweight_per_vcpu: integer({ doc: "CPUWeight per vCPU in shared mode.", min: 1, max: 10_000 }),
  cpu_control: oneOf(["auto", "systemd", "cgroup", "none"], { doc: "What applies it." }),
  task_log_max_bytes: nullable(
    integer({
      doc: "Most of what a task prints that is kept; null: all.",
      unit: "bytes",
      min: 4096,
    }),
  ),
  allowed_variables: list(string({ doc: "A name, or the begin of names before a *." }), {
    doc: "Variables that tasks of kind command may set.",
  }),
  allowed_commands: list(string({ doc: "A program's name." }), {
    doc: "Programs that tasks of kind command may run; `*`: any.",
  }),
});
/** In `allowed_commands`: tasks may run any program. */
export const ANY_COMMAND = "*";

/** First message of the worker, {@linkcode ADAPTER_HELLO}. */
export type AdapterHello = RecordOf<typeof ADAPTER_HELLO>;

/** Start one attempt of a task. */
export const LAUNCH_REQUEST = record("launch request", {
  type: oneOf(["launch"], { doc: "Kind of message." }),
  launch_id: string({ doc: "Chosen by the worker; answers repeat it." }),
  task: nested(TASK, { doc: "The task; its attempt is the one to start." }),
});
/** Start one attempt of a task, {@linkcode LAUNCH_REQUEST}. */
export type LaunchRequest = RecordOf<typeof LAUNCH_REQUEST>;

/** End one attempt, or all: SIGTERM to the whole tree, SIGKILL after the grace. */
export const STOP_REQUEST = record("stop request", {
  type: oneOf(["stop"], { doc: "Kind of message." }),
  launch_id: nullable(string({ doc: "The launch; null: all." })),
  grace_ms: number({
    doc: "Time between SIGTERM and SIGKILL.",
    unit: "ms",
    min: 0,
    max: LONGEST_DELAY_MS,
  }),
  reason: string({ doc: "Goes into the event." }),
});
/** End one attempt, or all, {@linkcode STOP_REQUEST}. */
export type StopRequest = RecordOf<typeof STOP_REQUEST>;

/** The worker lives. */
export const KEEPALIVE = record("keepalive", {
  type: oneOf(["keepalive"], { doc: "Kind of message." }),
});
/** The worker lives, {@linkcode KEEPALIVE}. */
export type Keepalive = RecordOf<typeof KEEPALIVE>;

/** What is the time? The boot clock is behind FFI, which the worker has not. */
export const CLOCK_REQUEST = record("clock request", {
  type: oneOf(["clock"], { doc: "Kind of message." }),
});
/** What is the time, {@linkcode CLOCK_REQUEST}. */
export type ClockRequest = RecordOf<typeof CLOCK_REQUEST>;

/** Any message of the worker. */
export type AdapterRequest = AdapterHello | LaunchRequest | StopRequest | Keepalive | ClockRequest;

/** Answer to hello: what this adapter can do here. */
export const ADAPTER_READY = record("adapter ready", {
  type: oneOf(["ready"], { doc: "Kind of message." }),
  protocol: integer({ doc: "ADAPTER_PROTOCOL of the adapter." }),
  pid: integer({ doc: "The adapter's own process.", min: 1 }),
  launcher: oneOf(["clone", "deno_command"], { doc: "How processes are started." }),
  accounting: string({ doc: "Where totals come from, best first, in words." }),
  cpu_control: oneOf(["systemd", "cgroup_v2", "cgroup_v1", "affinity", "none"], {
    doc: "What gives CPUs to tasks here.",
  }),
  notes: list(string({ doc: "One sentence." }), { doc: "What is missing here and what it costs." }),
  swept: integer({ doc: "Left-overs of an earlier adapter that were removed.", unit: "count" }),
});
/** Answer to hello, {@linkcode ADAPTER_READY}. */
export type AdapterReady = RecordOf<typeof ADAPTER_READY>;

/** An attempt runs. */
export const LAUNCH_STARTED = record("launch started", {
  type: oneOf(["started"], { doc: "Kind of message." }),
  launch_id: string({ doc: "The launch." }),
  trace_id: string({ doc: "Its trace." }),
  pid: integer({ doc: "Its first process.", min: 1 }),
  start_ticks: nullable(integer({ doc: "Start time of that process.", unit: "ticks", min: 0 })),
  ts_start: number({ doc: "Spawned.", unit: "epoch_ms" }),
  cpuset: nullable(string({ doc: "CPUs that it is bound to." })),
});
/** An attempt runs, {@linkcode LAUNCH_STARTED}. */
export type LaunchStarted = RecordOf<typeof LAUNCH_STARTED>;

/** The disk of the run directory is full, or has room again: tasks run on, and their records wait. */
export const ADAPTER_DISK = record("adapter disk", {
  type: oneOf(["disk"], { doc: "Kind of message." }),
  problem: nullable(string({ doc: "What cannot be written; null: there is room again." })),
});
/** The disk of the run directory is full or not, {@linkcode ADAPTER_DISK}. */
export type AdapterDisk = RecordOf<typeof ADAPTER_DISK>;

/** An attempt ended; its event is on the disk already. */
export const LAUNCH_EXITED = record("launch exited", {
  type: oneOf(["exited"], { doc: "Kind of message." }),
  launch_id: string({ doc: "The launch." }),
  is_done: boolean({
    doc: "True when the task did what it should: exit 0 and its outputs in place.",
  }),
  is_interrupted: boolean({
    doc: "True when the adapter ended it for the worker's or its own sake: not the task's failure.",
  }),
  event: nested(INVOCATION_EVENT, { doc: "The exit event as it was written." }),
});
/** An attempt ended, {@linkcode LAUNCH_EXITED}. */
export type LaunchExited = RecordOf<typeof LAUNCH_EXITED>;

/** An attempt was not started; the event with the reason is on the disk already. */
export const LAUNCH_REFUSED = record("launch refused", {
  type: oneOf(["refused"], { doc: "Kind of message." }),
  launch_id: string({ doc: "The launch." }),
  reason: string({ doc: "What is wrong with the task." }),
});
/** An attempt was not started, {@linkcode LAUNCH_REFUSED}. */
export type LaunchRefused = RecordOf<typeof LAUNCH_REFUSED>;

/** Both clocks at one moment. */
export const CLOCK_TIME = record("clock time", {
  type: oneOf(["time"], { doc: "Kind of message." }),
  ts_ms: number({ doc: "Wall clock.", unit: "epoch_ms" }),
  boot_ms: number({ doc: "Boot clock at the same moment.", unit: "ms" }),
});
/** Both clocks at one moment, {@linkcode CLOCK_TIME}. */
export type ClockTime = RecordOf<typeof CLOCK_TIME>;

/** The adapter cannot continue: it ends after this. */
export const ADAPTER_FAILED = record("adapter failed", {
  type: oneOf(["failed"], { doc: "Kind of message." }),
  message: string({ doc: "What happened and what to do." }),
  launch_id: nullable(string({ doc: "The launch that it failed over; null: none in particular." })),
});
/** The adapter cannot continue, {@linkcode ADAPTER_FAILED}. */
export type AdapterFailed = RecordOf<typeof ADAPTER_FAILED>;

/** Any message of the adapter. */
export type AdapterReply =
  | AdapterReady
  | LaunchStarted
  | LaunchExited
  | LaunchRefused
  | ClockTime
  | AdapterDisk
  | AdapterFailed;
