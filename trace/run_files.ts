/**
 * Every file of a run: who writes it, and the record that a line of it, or the whole of it, is.
 *
 * @module
 */

import { CTS_NODE, INVOCATION, PROC_METRIC } from "./cts.ts";
import {
  CLOCK_OFFSET,
  COLLECTOR_STATS,
  CPU_SHARE,
  DATA_LOSS,
  HOST_METRICS,
  INVOCATION_EVENT,
  NODE_META,
  PLACEMENT_EVENT,
  PROCESS,
  RAW_SAMPLE,
  ROLE_IDENTITY,
  RUN_META,
  SENTINEL,
  SERVICE_CPU,
  TASK_RESULT,
} from "./records.ts";
import type { Fields, RecordSchema } from "./schema.ts";

/** A file of a run. */
export interface RunFile {
  /** Its path in the run directory; `<…>` stands for what differs. */
  readonly path: string;
  /** What writes it. */
  readonly writer: string;
  /** What it holds, one sentence. */
  readonly content: string;
  /** The record of one line, or of the whole file; null: it is text or a folder. */
  readonly record: RecordSchema<Fields> | null;
}

/** Every file of a run, in the order of the data flow. */
export const RUN_FILES: readonly RunFile[] = [
  file(
    "dispatches.jsonl",
    "dispatcher",
    "Version and flags of each dispatch and each resumed dispatch.",
    RUN_META,
  ),
  file(
    "placement_events.jsonl",
    "scheduler",
    "Its inputs and decisions, and why the head waited.",
    PLACEMENT_EVENT,
  ),
  file(
    "results.jsonl",
    "scheduler, worker",
    "End state of each task, and which attempt counts.",
    TASK_RESULT,
  ),
  file(
    "data_losses.jsonl",
    "scheduler, worker",
    "When Redis was found to have lost data of the queue; absent where it never did.",
    DATA_LOSS,
  ),
  file("run_meta.<role>.json", "each role", "Version and flags of a role.", RUN_META),
  file(
    "roles/<role>.json",
    "each role",
    "Process of a role that runs now: pid, start time, boot.",
    ROLE_IDENTITY,
  ),
  file("node_meta.json", "collector", "The machine: cores, frequency, memory, kernel.", NODE_META),
  file(
    "proc_metrics.jsonl",
    "collector",
    "Raw readings of processes; no value is computed.",
    RAW_SAMPLE,
  ),
  file("processes.jsonl", "collector", "Name and container of each sampled process.", PROCESS),
  file(
    "collector_stats.jsonl",
    "collector",
    "Cost of the collector, late and missed ticks.",
    COLLECTOR_STATS,
  ),
  file(
    "host_metrics.jsonl",
    "collector `--host`",
    "The whole machine, once a second.",
    HOST_METRICS,
  ),
  file("timesync.log", "start-collect", "Output of the time synchronization before the run.", null),
  file(
    "clock.jsonl",
    "worker",
    "Offset to the controller's clock, with its error bound.",
    CLOCK_OFFSET,
  ),
  file(
    "events.<module>.jsonl",
    "adapter",
    "One line before each launch and one after each exit, with exact totals.",
    INVOCATION_EVENT,
  ),
  file("shares.jsonl", "adapter", "CPU limits of each attempt over time.", CPU_SHARE),
  file("service_cpu.jsonl", "adapt-http", "CPU time of the service, per interval.", SERVICE_CPU),
  file(
    "pids/<pid>",
    "adapter, or any launcher",
    "Sentinel: the process is sampled while this file exists. An empty file is valid.",
    SENTINEL,
  ),
  file("task_logs/", "adapter", "stdout and stderr of tasks.", null),
  file(
    "adapters/",
    "adapter",
    "A journal per running adapter: what a crash would leave, for the next start.",
    null,
  ),
  file("CTS/invocations.jsonl", "parse", "The tasks, one line per attempt.", INVOCATION),
  file(
    "CTS/proc_metrics.jsonl",
    "parse",
    "CPU time and memory per process and interval.",
    PROC_METRIC,
  ),
  file("CTS/nodes.json", "parse", "The nodes, a list.", CTS_NODE),
  file(
    "CTS/audit_report.md",
    "parse",
    "The audit: completeness, order of times, cross-references, conservation of CPU time.",
    null,
  ),
  file("CTS/audit.json", "parse", "The same as data.", null),
];

function file<F extends Fields>(
  path: string,
  writer: string,
  content: string,
  record: RecordSchema<F> | null,
): RunFile {
  return { path, writer, content, record: record as RecordSchema<Fields> | null };
}

/** How a file holds its records. */
export type RecordForm = "lines" | "list" | "one";

/** How `path` holds records: a line each, a list of them, or one. */
export function recordForm(path: string): RecordForm {
  if (path.endsWith(".jsonl")) return "lines";
  return path === "CTS/nodes.json" ? "list" : "one";
}

/** The file of the table that `path`, relative to a run directory, is; null: none. */
export function runFileOf(path: string): RunFile | null {
  return RUN_FILES.find((one) => patternOf(one.path).test(path)) ?? null;
}

/** `events.<module>.jsonl` as a regular expression. */
function patternOf(path: string): RegExp {
  const parts = path.split(/<[^>]*>/).map((part) => RegExp.escape(part));
  return new RegExp(`^${parts.join("[^/]+")}$`);
}
