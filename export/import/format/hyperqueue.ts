/**
 * The journal of HyperQueue as JSON Lines (`hq journal export`).
 *
 * @module
 */

import type { ImportedInvocation, Importer, ImportSink, SourceFile } from "../contract.ts";
import { parseTime } from "../quantities.ts";
import { asNumber, asObject, asText, objectsIn, readRows } from "../rows.ts";

type Value = Readonly<Record<string, unknown>>;

/** What is known of a task that has started. */
interface Started {
  readonly startMs: number | null;
  readonly worker: number | null;
  readonly attempt: number | null;
}

/** What is known of a job. */
interface Job {
  readonly submitMs: number | null;
  readonly name: string | null;
  readonly cores: number | null;
}

/** Follows the events of one journal. */
class Journal {
  readonly #sink: ImportSink;
  readonly #workers = new Map<number, string>();
  readonly #jobs = new Map<number, Job>();
  readonly #started = new Map<string, Started>();

  constructor(sink: ImportSink) {
    this.#sink = sink;
  }

  /** Take one event at `timeMs`. */
  take(event: Value, timeMs: number | null): void {
    switch (event.type) {
      case "worker-connected":
        return this.#connect(event);
      case "job-created":
        return this.#create(event, timeMs);
      case "task-started":
        return this.#start(event, timeMs);
      case "task-finished":
        return this.#end(event, { timeMs, state: "done" });
      case "task-failed":
        return this.#end(event, { timeMs, state: "failed" });
      case "task-canceled":
      case "task-aborted":
        return this.#endAll(event, timeMs);
    }
  }

  /** Tasks without an end on record. */
  close(): void {
    for (const [id, started] of this.#started) {
      this.#sink.invocation(this.#invocation(id, started, { timeMs: null, state: "running" }));
    }
  }

  #connect(event: Value): void {
    const id = asNumber(event.id);
    const configuration = asObject(event.configuration);
    const host = asText(configuration?.hostname);
    if (id === null || host === null) {
      return this.#sink.bad("worker-connected", "id and hostname are required");
    }
    this.#workers.set(id, host);
    const resources = asObject(configuration?.resources)?.resources ?? configuration?.resources;
    const cpus = objectsIn(resources).find(({ name }) => name === "cpus");
    this.#sink.node({
      node: host,
      cores: coresOf(asObject(cpus?.kind) ?? cpus),
      freqMhz: null,
      memoryKb: null,
    });
  }

  #create(event: Value, submitMs: number | null): void {
    const id = asNumber(event.job);
    if (id === null) return this.#sink.bad("job-created", "job is required");
    const task = asObject(asObject(event.submit_desc)?.task_desc);
    const variants = objectsIn(asObject(task?.resources)?.variants);
    const entries = objectsIn((variants[0] ?? asObject(task?.resources))?.resources);
    const cpus = entries.find(({ resource, name }) => (resource ?? name) === "cpus");
    this.#jobs.set(id, {
      submitMs,
      name: asText(asObject(event.job_desc)?.name),
      cores: amountOf(cpus?.policy ?? cpus?.amount ?? cpus?.n_resources),
    });
  }

  #start(event: Value, startMs: number | null): void {
    const workers = Array.isArray(event.workers) ? event.workers : [event.worker];
    if (workers.length > 1) this.#sink.note("Tasks on several workers are on the first of them");
    const instance = asNumber(event.instance);
    this.#started.set(taskId(event), {
      startMs,
      worker: asNumber(workers[0]),
      attempt: instance === null ? null : instance + 1,
    });
  }

  #end(event: Value, end: End): void {
    const id = taskId(event);
    const started = this.#started.get(id) ?? null;
    this.#started.delete(id);
    this.#sink.invocation(this.#invocation(id, started, end));
  }

  #endAll(event: Value, timeMs: number | null): void {
    for (const one of Array.isArray(event.tasks) ? event.tasks : []) {
      const id = String(one).replace("@", "_");
      const started = this.#started.get(id) ?? null;
      this.#started.delete(id);
      this.#sink.invocation(this.#invocation(id, started, { timeMs, state: "cancelled" }));
    }
  }

  #invocation(id: string, started: Started | null, { timeMs, state }: End): ImportedInvocation {
    const job = this.#jobs.get(Number(id.split("_", 1)[0]));
    const worker = started?.worker ?? null;
    return {
      id,
      attempt: started?.attempt ?? null,
      node: worker === null ? null : this.#workers.get(worker) ?? `worker${worker}`,
      profile: job?.name ?? null,
      submitMs: job?.submitMs ?? null,
      startMs: started?.startMs ?? null,
      endMs: timeMs,
      state,
      status: null,
      cores: job?.cores ?? null,
      cpuMs: null,
      memoryKb: null,
    };
  }
}

interface End {
  readonly timeMs: number | null;
  readonly state: ImportedInvocation["state"];
}

function taskId({ job, task }: Value): string {
  return `${job}_${task}`;
}

/** Cores of a worker's resource: a list, a range, or groups of lists. */
function coresOf(kind: Value | null | undefined): number | null {
  if (!kind) return null;
  if (Array.isArray(kind.values)) return kind.values.length;
  if (Array.isArray(kind.groups)) return kind.groups.flat().length;
  const [start, end] = [asNumber(kind.start), asNumber(kind.end)];
  if (start !== null && end !== null) return end - start + 1;
  const [inner] = Object.values(kind).map(asObject).filter((one) => one !== null);
  return inner === undefined ? null : coresOf(inner);
}

/** HyperQueue counts resources in ten-thousandths. */
const FRACTIONS = 10_000;

/** Cores of a request: a number, or one inside a policy (`{"Compact": 20000}`). */
function amountOf(value: unknown): number | null {
  const inner = asObject(value);
  const amount = inner === null ? asNumber(value) : asNumber(Object.values(inner)[0]);
  return amount === null ? null : amount >= FRACTIONS ? amount / FRACTIONS : amount;
}

async function readJournal(file: SourceFile, sink: ImportSink): Promise<void> {
  const journal = new Journal(sink);
  await readRows(file, {
    format: { delimiter: "\0" },
    sink,
    onRow: (row, line) => {
      let value: Value | null;
      try {
        value = asObject(JSON.parse(row.join("\0")));
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        return sink.bad(`${file.name}:${line}`, "JSON is required");
      }
      const event = asObject(value?.event);
      if (event === null) return sink.bad(`${file.name}:${line}`, "an event is required");
      journal.take(event, parseTime(asText(value?.time)?.replace(/(\.\d{3})\d+/, "$1"), 0));
    },
  });
  journal.close();
}

/** HyperQueue's journal. */
export const HYPERQUEUE: Importer = {
  name: "hyperqueue",
  title: "HyperQueue journal",
  source: "HyperQueue, hq journal export (client/commands/journal/output.rs)",
  says: {
    submit: "job-created",
    start: "task-started",
    end: "task-finished, task-failed",
    state: "the kind of the last event",
    node: "hostname of the worker",
    cores: "cpus of the job's request",
    hosts: "cpus of each worker",
  },
  recognises: ({ head }) =>
    /^\{[^\n]*"event":\s*\{/.test(head) && /"type":\s*"(server|worker|job|task)-/.test(head),
  read: async (files, sink) => {
    for (const file of files) await readJournal(file, sink);
  },
};
