/**
 * Workflow instances of WfCommons, WfFormat 1.5 and 1.6: a specification with the graph, an execution with
 * times and machines.
 *
 * @module
 */

import { type Importer, ImportError, type ImportSink, type SourceFile } from "../contract.ts";
import { parseTime } from "../quantities.ts";
import { asNumber, asObject, asText, objectsIn, readJson } from "../rows.ts";

type Value = Readonly<Record<string, unknown>>;

async function readInstance(file: SourceFile, sink: ImportSink): Promise<void> {
  const instance = asObject(await readJson(file));
  const workflow = asObject(instance?.workflow);
  const specification = asObject(workflow?.specification);
  const execution = asObject(workflow?.execution);
  if (specification === null || execution === null) {
    throw new ImportError(
      `Cannot import "${file.path}": workflow.specification and workflow.execution of WfFormat 1.5 or ` +
        `1.6 are required`,
    );
  }
  for (const machine of objectsIn(execution.machines)) readMachine(machine, sink);
  const specified = new Map(objectsIn(specification.tasks).map((task) => [task.id, task]));
  const workflowMs = timeOf(execution.executedAt);
  for (const task of objectsIn(execution.tasks)) {
    readTask(task, { specified: specified.get(task.id), workflowMs, sink });
    await sink.ready();
  }
}

function readMachine(machine: Value, sink: ImportSink): void {
  const node = asText(machine.nodeName);
  if (node === null) return sink.bad("machines", "nodeName is required");
  const cpu = asObject(machine.cpu);
  const memoryBytes = asNumber(machine.memoryInBytes);
  sink.node({
    node,
    cores: asNumber(cpu?.coreCount),
    freqMhz: asNumber(cpu?.speedInMHz),
    memoryKb: memoryBytes === null ? null : memoryBytes / 1024,
  });
}

function readTask(
  task: Value,
  { specified, workflowMs, sink }: {
    readonly specified: Value | undefined;
    readonly workflowMs: number | null;
    readonly sink: ImportSink;
  },
): void {
  const id = asText(task.id);
  const runtimeS = asNumber(task.runtimeInSeconds);
  if (id === null || runtimeS === null) {
    return sink.bad(`tasks ${task.id}`, "id and runtimeInSeconds are required");
  }
  const startMs = timeOf(task.executedAt);
  const cores = asNumber(task.coreCount);
  const percent = asNumber(task.avgCPU);
  const memoryBytes = asNumber(task.memoryInBytes);
  const machines = Array.isArray(task.machines) ? task.machines : [];
  if (machines.length > 1) sink.note("Tasks on several machines are on the first of them");
  sink.invocation({
    id,
    node: asText(machines[0]),
    profile: asText(specified?.name)?.replace(/_?(ID)?\d+$/, "") || asText(specified?.name),
    submitMs: workflowMs,
    startMs,
    endMs: startMs === null ? null : startMs + runtimeS * 1000,
    state: "done",
    status: null,
    cores,
    // avgCPU is the utilisation of all its cores together: 100 is one core in use.
    cpuMs: percent === null ? null : percent / 100 * runtimeS * 1000,
    memoryKb: memoryBytes === null ? null : memoryBytes / 1024,
    parents: Array.isArray(specified?.parents) ? specified.parents.map(String) : null,
  });
}

function timeOf(value: unknown): number | null {
  const text = asText(value);
  if (text === null) return null;
  const ms = parseTime(text, 0);
  if (ms === null || Number.isFinite(ms)) return ms;
  const lenient = Date.parse(text);
  return Number.isNaN(lenient) ? null : lenient;
}

/** WfFormat. */
export const WFFORMAT: Importer = {
  name: "wfformat",
  title: "WfFormat instance",
  source: "wfcommons/WfFormat, wfcommons-schema.json",
  says: {
    submit: "executedAt of the workflow, for all its tasks",
    start: "executedAt of the task",
    end: "start plus runtimeInSeconds",
    state: "always done",
    node: "the first of machines",
    cores: "coreCount",
    cpu: "avgCPU times runtime",
    memory: "memoryInBytes",
    parents: "parents",
    hosts: "machines: cores, speed, memory",
  },
  recognises: ({ head }) => /^\s*\{/.test(head) && /"schemaVersion"|"workflow"\s*:/.test(head),
  read: async (files, sink) => {
    for (const file of files) await readInstance(file, sink);
  },
};
