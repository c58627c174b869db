/**
 * Google's cluster trace of 2019: instance_events, instance_usage and machine_events as exported from
 * BigQuery, CSV or JSON Lines. CPU and memory are normalised to the largest machine.
 *
 * @module
 */

import {
  type ImportedInvocation,
  type Importer,
  ImportError,
  type ImportSink,
  type SourceFile,
} from "../contract.ts";
import { parseNumber } from "../quantities.ts";
import { type Get, readRecords } from "../rows.ts";

/** The trace's time 0, epoch ms: 600 s before it begins, on 1 May 2019 at midnight in Los Angeles. */
const TIME_ZERO_MS = Date.UTC(2019, 4, 1, 7) - 600_000;

/** Kinds of events, by number in CSV and by name. */
const KINDS = ["SUBMIT", "QUEUE", "ENABLE", "SCHEDULE", "EVICT", "FAIL", "FINISH", "KILL", "LOST"];

/** Kinds that end an attempt, and what each makes of it. */
const ENDS: Readonly<Record<string, ImportedInvocation["state"]>> = {
  EVICT: "failed",
  FAIL: "failed",
  FINISH: "done",
  KILL: "cancelled",
  LOST: "failed",
};

interface Instance {
  submitMs: number | null;
  startMs: number | null;
  attempt: number;
  node: string | null;
  cores: number | null;
}

/** Microseconds of the trace as epoch ms; null for 0 and the largest integer: before and after the trace. */
function timeOf(text: string | undefined): number | null {
  const us = parseNumber(text);
  return us === null || us === 0 || us >= 2 ** 62 ? null : TIME_ZERO_MS + us / 1000;
}

function nameOf(get: Get): string {
  return `${get("collection_id")}-${get("instance_index")}`;
}

/** Follows the events of instances. */
class Events {
  readonly #sink: ImportSink;
  readonly #scale: number;
  readonly #instances = new Map<string, Instance>();

  constructor(sink: ImportSink, scale: number) {
    this.#sink = sink;
    this.#scale = scale;
  }

  /** Take one event. */
  take(get: Get, line: number): void {
    const type = get("type") ?? "";
    const kind = KINDS[Number(type)] ?? type;
    const name = nameOf(get);
    if (get("collection_id") === undefined) {
      return this.#sink.bad(`line ${line}`, "collection_id is required");
    }
    const timeMs = timeOf(get("time"));
    const known = this.#instances.get(name);
    if (kind === "SUBMIT" || known === undefined) {
      this.#instances.set(name, {
        submitMs: kind === "SUBMIT" ? timeMs : null,
        startMs: kind === "SCHEDULE" ? timeMs : null,
        attempt: (known?.attempt ?? 0) + 1,
        node: get("machine_id") ?? null,
        cores: this.#cores(get),
      });
    } else if (kind === "SCHEDULE") {
      known.startMs = timeMs;
      known.node = get("machine_id") ?? known.node;
      known.cores = this.#cores(get) ?? known.cores;
    }
    const state = ENDS[kind];
    const instance = this.#instances.get(name);
    if (state === undefined || instance === undefined || instance.startMs === null) return;
    this.#sink.invocation(invocationOf(name, instance, { endMs: timeMs, state }));
    instance.startMs = null;
  }

  /** Instances that run at the end of the trace. */
  close(): void {
    for (const [name, instance] of this.#instances) {
      if (instance.startMs === null) continue;
      this.#sink.invocation(invocationOf(name, instance, { endMs: null, state: "running" }));
    }
  }

  #cores(get: Get): number | null {
    const request = parseNumber(get("resource_request.cpus") ?? get("resource_request_cpus"));
    return request === null || request === 0 ? null : request * this.#scale;
  }
}

function invocationOf(
  id: string,
  { submitMs, startMs, attempt, node, cores }: Instance,
  end: Pick<ImportedInvocation, "endMs" | "state">,
): ImportedInvocation {
  return {
    id,
    attempt,
    node: node === null ? null : `m${node}`,
    profile: null,
    submitMs,
    startMs,
    status: null,
    cores,
    cpuMs: null,
    memoryKb: null,
    ...end,
  };
}

function readUsage(get: Get, { sink, scale }: { sink: ImportSink; scale: number }): void {
  const [fromMs, toMs] = [timeOf(get("start_time")), timeOf(get("end_time"))];
  const cpus = parseNumber(get("average_usage.cpus") ?? get("average_usage_cpus"));
  if (fromMs === null || toMs === null || cpus === null) {
    return sink.leftOut("usage without both times and a CPU value");
  }
  const dtMs = toMs - fromMs;
  sink.sample({ id: nameOf(get), tsMs: toMs, dtMs, cpuMs: cpus * scale * dtMs, memoryKb: null });
}

function readMachine(get: Get, { sink, scale }: { sink: ImportSink; scale: number }): void {
  const cpus = parseNumber(get("capacity.cpus") ?? get("capacity_cpus"));
  if (get("machine_id") === undefined || cpus === null) return;
  const cores = Math.max(1, Math.round(cpus * scale));
  sink.node({ node: `m${get("machine_id")}`, cores, freqMhz: null, memoryKb: null });
}

function formOf({ head }: SourceFile): "events" | "usage" | "machines" | null {
  const [first = ""] = head.split("\n", 1);
  if (!/\bmachine_id\b/.test(first)) return null;
  if (/\baverage_usage\b|average_usage[._]cpus/.test(first)) return "usage";
  if (/\binstance_index\b/.test(first)) return "events";
  return /\bcapacity\b|capacity[._]cpus/.test(first) ? "machines" : null;
}

/** Google's trace of 2019. */
export const GOOGLE2019: Importer = {
  name: "google2019",
  title: "Google cluster trace 2019",
  source: "google/cluster-data, Google cluster-usage traces v3",
  says: {
    submit: "event SUBMIT",
    start: "event SCHEDULE",
    end: "event EVICT, FAIL, FINISH, KILL or LOST",
    state: "the kind of that event",
    node: "machine_id",
    cores: "resource_request.cpus times --cpu-scale, rounded up",
    series: "instance_usage: average_usage.cpus times --cpu-scale",
    hosts: "machine_events: capacity.cpus times --cpu-scale",
  },
  recognises: (file) => formOf(file) !== null,
  read: async (files, sink, { cpuScale }) => {
    if (cpuScale === null) {
      throw new ImportError(
        "Cannot import this trace: its CPU values are normalised to the largest machine; " +
          "--cpu-scale N (the cores of that machine) is required",
      );
    }
    const events = new Events(sink, cpuScale);
    for (const file of files) {
      const form = formOf(file) ?? "events";
      await readRecords(file, {
        sink,
        onRecord: (get, line) => {
          if (form === "usage") readUsage(get, { sink, scale: cpuScale });
          else if (form === "machines") readMachine(get, { sink, scale: cpuScale });
          else events.take(get, line);
        },
      });
    }
    events.close();
  },
};
