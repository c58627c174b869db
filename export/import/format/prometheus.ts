/**
 * Answers of Prometheus to range queries (`/api/v1/query_range`, resultType matrix): counters of CPU time
 * and gauges of memory of cAdvisor and of process-exporter.
 *
 * @module
 */

import { type Importer, ImportError, type ImportSink, type SourceFile } from "../contract.ts";
import { asNumber, asObject, asText, objectsIn, readJson } from "../rows.ts";
import { ServiceSeries } from "../service_series.ts";

type Labels = Readonly<Record<string, unknown>>;

/** Counters of CPU time, s. */
const CPU_METRICS = [
  "container_cpu_usage_seconds_total",
  "namedprocess_namegroup_cpu_seconds_total",
];

/** Gauges of memory, bytes. */
const MEMORY_METRICS = [
  "container_memory_rss",
  "container_memory_working_set_bytes",
  "namedprocess_namegroup_memory_bytes",
];

/** One subject on one host, its CPU time and memory by time. */
interface Subject {
  readonly id: string;
  readonly node: string | null;
  readonly profile: string | null;
  readonly cpuS: Map<number, number>;
  readonly memoryBytes: Map<number, number>;
}

/** What a series is about: pod and container, container, or group of processes. */
function nameOf(labels: Labels): string | null {
  const parts = [labels.namespace, labels.pod, labels.container ?? labels.name ?? labels.groupname];
  const name = parts.map(asText).filter((one) => one !== null).join("/");
  return name || asText(labels.id);
}

function subjectOf(labels: Labels, subjects: Map<string, Subject>): Subject | null {
  const name = nameOf(labels);
  if (name === null) return null;
  const node = asText(labels.node) ?? asText(labels.instance)?.replace(/:\d+$/, "") ?? null;
  const key = JSON.stringify([node, name]);
  const known = subjects.get(key);
  if (known !== undefined) return known;
  const profile = asText(labels.container) ?? asText(labels.groupname) ?? asText(labels.name);
  const id = node === null ? name : `${node}/${name}`;
  const subject = { id, node, profile, cpuS: new Map(), memoryBytes: new Map() };
  subjects.set(key, subject);
  return subject;
}

/** Add a series; several of one subject (modes, CPUs) are summed. */
function addSeries(
  { metric, values }: Readonly<Record<string, unknown>>,
  { subjects, sink }: { readonly subjects: Map<string, Subject>; readonly sink: ImportSink },
): void {
  const labels = asObject(metric) ?? {};
  const name = asText(labels.__name__) ?? "";
  const isCpu = CPU_METRICS.includes(name);
  const isMemory = MEMORY_METRICS.includes(name) && (labels.memtype ?? "resident") === "resident";
  if (!isCpu && !isMemory) return sink.leftOut(`series of ${name || "a metric without a name"}`);
  const subject = subjectOf(labels, subjects);
  if (subject === null) return sink.leftOut("series without pod, container, groupname or id");
  const target = isCpu ? subject.cpuS : subject.memoryBytes;
  for (const pair of Array.isArray(values) ? values : []) {
    const [seconds, value] = [asNumber(pair?.[0]), asNumber(pair?.[1])];
    if (seconds === null || value === null) {
      sink.bad(subject.id, "a pair of time and value is required");
    } else target.set(seconds, (target.get(seconds) ?? 0) + value);
  }
}

function tell({ id, node, profile, cpuS, memoryBytes }: Subject, sink: ImportSink): void {
  const series = new ServiceSeries(sink, node);
  for (const [seconds, total] of [...cpuS].sort(([a], [b]) => a - b)) {
    const bytes = memoryBytes.get(seconds);
    series.counter(id, {
      profile,
      tsMs: seconds * 1000,
      totalMs: total * 1000,
      memoryKb: bytes === undefined ? null : bytes / 1024,
    });
  }
  series.close();
}

async function readAnswer(
  file: SourceFile,
  { subjects, sink }: { readonly subjects: Map<string, Subject>; readonly sink: ImportSink },
): Promise<void> {
  const answer = asObject(await readJson(file));
  const data = asObject(answer?.data);
  if (answer?.status !== "success" || data?.resultType !== "matrix") {
    throw new ImportError(
      `Cannot import "${file.path}": the answer to a range query is required (status success, ` +
        `resultType matrix), got status ${answer?.status}, resultType ${data?.resultType}`,
    );
  }
  for (const one of objectsIn(data.result)) addSeries(one, { subjects, sink });
}

/** Prometheus' answers. */
export const PROMETHEUS: Importer = {
  name: "prometheus",
  title: "Prometheus range queries",
  source: "Prometheus documentation, HTTP API: Range queries",
  says: {
    start: "the first reading",
    end: "the last reading",
    state: "always done: subjects are followed, not ended",
    node: "label node, else instance",
    cpu: "sum of the counter's differences; a counter that falls began again",
    memory: "largest working set or resident memory",
    series: "differences of the counter",
  },
  recognises: ({ head }) => /"resultType"\s*:\s*"matrix"/.test(head),
  read: async (files, sink) => {
    sink.note("Subjects are taken from their first reading to their last");
    const subjects = new Map<string, Subject>();
    for (const file of files) await readAnswer(file, { subjects, sink });
    for (const subject of subjects.values()) {
      tell(subject, sink);
      await sink.ready();
    }
  },
};
