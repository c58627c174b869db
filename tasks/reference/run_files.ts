/** `docs/reference/run-files.md` and `records.md`: the files of a run and what is in them. */

import { CTS_NODE, INVOCATION, PROC_METRIC } from "../../trace/cts.ts";
import {
  CLOCK_OFFSET,
  COLLECTOR_STATS,
  CPU_SHARE,
  FORMAT_VERSION,
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
} from "../../trace/records.ts";
import type { Field, Fields, RecordSchema } from "../../trace/schema.ts";
import { code, type Page, page, table } from "./page.ts";

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

const FILES_INTRODUCTION =
  `A node's run directory is \`logs/RUN_ID/\`. Where the runs of several nodes are together
(demo, fetch, merge), each node has \`logs/RUN_ID/NODE_ID/\` and the files of the whole run
(\`results.jsonl\`, \`placement_events.jsonl\`) are in \`logs/RUN_ID/\`. RUN_ID and NODE_ID are 1 to 64
characters of \`A-Za-z0-9._-\`. Nothing is written outside \`logs/RUN_ID/\`, the outputs folder and the
export folder.

JSON Lines files have one object per line, in UTF-8, and are appended to in whole batches. A line that
a crash cut off is reported by the reader; the other lines are read. Every other file is written under
a temporary name and renamed, so a file under its final name is complete.`;

/** The page of the files. */
export function runFilesPage(): Page {
  return page(
    "run-files.md",
    "Files of a run",
    FILES_INTRODUCTION,
    table(
      ["file", "written by", "content", "record"],
      RUN_FILES.map(({ path, writer, content, record }) => [
        code(path),
        writer,
        content,
        record === null ? "" : `[${record.name}](records.md#${anchorOf(record.name)})`,
      ]),
    ),
  );
}

const RECORDS_INTRODUCTION = `Format version ${FORMAT_VERSION}. Fields are added, never renamed or
removed; a reader refuses a newer major version and keeps fields that it does not know. A value that is
not known is \`null\`, and a missing field that may be null reads as null. Times \`ts_*\` are epoch
milliseconds with decimals; \`boot_*\` is CLOCK_BOOTTIME of the node in milliseconds.`;

/** The page of the records. */
export function recordsPage(): Page {
  const records = [...new Set(RUN_FILES.map(({ record }) => record))].filter((one) => one !== null);
  return page("records.md", "Records", RECORDS_INTRODUCTION, ...records.map(sectionOf));
}

function sectionOf(record: RecordSchema<Fields>): string {
  const files = RUN_FILES.filter((one) => one.record === record).map(({ path }) => code(path));
  return [
    `## ${record.name}`,
    `In ${files.join(", ")}.`,
    fieldTable(record.fields),
  ].join("\n\n");
}

/** The fields of a record: value, unit, meaning. */
export function fieldTable(fields: Fields): string {
  return table(
    ["field", "value", "unit", "meaning"],
    Object.entries(fields).map((
      [name, field],
    ) => [code(name), valueOf(field), field.unit ?? "", field.doc]),
  );
}

function valueOf({ expected }: Field<unknown>): string {
  return expected.replace(/^an? /, "").replaceAll("<", "&lt;");
}

function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(" ", "-");
}
