/**
 * Accounts of Slurm: `sacct --parsable2` text, `sacct --json`, `scontrol show jobs --json`, files of
 * jobcomp/filetxt, and `scontrol show nodes --json` for the hosts.
 *
 * Slurm's times are whole seconds in the controller's local time, unless SLURM_TIME_FORMAT=%s.
 *
 * @module
 */

import {
  type ImportedInvocation,
  type Importer,
  ImportError,
  type ImportSettings,
  type ImportSink,
  type SourceFile,
} from "../contract.ts";
import {
  expandHosts,
  parseColonDuration,
  parseNumber,
  parseSizeKb,
  parseTime,
} from "../quantities.ts";
import {
  asNumber,
  asObject,
  asText,
  Columns,
  objectsIn,
  readJson,
  readRows,
  type Row,
} from "../rows.ts";

/** Columns of sacct that are used, by their names there. */
const WANTED = {
  id: "JobID",
  state: "State",
  exit: "ExitCode",
  submit: "Submit",
  start: "Start",
  end: "End",
  cores: ["AllocCPUS", "NCPUS", "ReqCPUS"],
  nodes: "NodeList",
  partition: "Partition",
  cpu: "TotalCPU",
  memory: "MaxRSS",
} as const;

type Field = keyof typeof WANTED;
type Values = Readonly<Record<Field, string | undefined>>;

/** A job, and what its steps add to it. */
interface Job {
  readonly values: Values;
  memoryKb: number | null;
}

async function readSacct(
  file: SourceFile,
  sink: ImportSink,
  settings: ImportSettings,
): Promise<void> {
  let columns: Columns<Field> | null = null;
  const open = new Map<string, Job>();
  function close(): void {
    for (const { values, memoryKb } of open.values()) {
      for (const one of invocationsOf(values, memoryKb, settings)) sink.invocation(one);
    }
    open.clear();
  }
  function onRow(row: Row): void {
    if (columns === null) {
      const required: Field[] = ["id", "state"];
      columns = Columns.of(row, { wanted: WANTED, required, sink, file });
      return;
    }
    const values = Object.fromEntries(
      (Object.keys(WANTED) as Field[]).map((key) => [key, columns?.get(row, key)]),
    ) as Values;
    const [job = "", step] = (values.id ?? "").split(".");
    const known = open.get(job);
    if (step === undefined) {
      // Jobs of one array follow each other; steps follow their job.
      if (known === undefined || known.values.submit !== values.submit) close();
      open.set(job, { values, memoryKb: parseSizeKb(values.memory, "kb") });
    } else if (known !== undefined) {
      known.memoryKb = larger(known.memoryKb, parseSizeKb(values.memory, "kb"));
    } else sink.bad(values.id ?? "", "a step without its job");
  }
  await readRows(file, { format: { delimiter: "|" }, sink, onRow });
  close();
}

function larger(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b);
}

/** Lines of jobcomp/filetxt: `JobId=2 … JobState=COMPLETED … SubmitTime=…`. */
async function readJobcomp(
  file: SourceFile,
  sink: ImportSink,
  settings: ImportSettings,
): Promise<void> {
  function onRow(row: Row, line: number): void {
    const pairs = new Map(row.map((one) => {
      const at = one.indexOf("=");
      return [one.slice(0, at), one.slice(at + 1)];
    }));
    const id = pairs.get("JobId");
    if (id === undefined) return sink.bad(`${file.name}:${line}`, "JobId= is required");
    const values: Values = {
      id,
      state: pairs.get("JobState"),
      exit: pairs.get("ExitCode"),
      submit: pairs.get("SubmitTime"),
      start: pairs.get("StartTime"),
      end: pairs.get("EndTime"),
      cores: pairs.get("ProcCnt"),
      nodes: pairs.get("NodeList"),
      partition: pairs.get("Partition"),
      cpu: undefined,
      memory: undefined,
    };
    for (const one of invocationsOf(values, null, settings)) sink.invocation(one);
  }
  await readRows(file, { format: { delimiter: " " }, sink, onRow });
}

const STATES: Readonly<Record<string, ImportedInvocation["state"]>> = {
  COMPLETED: "done",
  CANCELLED: "cancelled",
  RUNNING: "running",
  PENDING: "running",
  SUSPENDED: "running",
  COMPLETING: "running",
};

/** One invocation for each host of a job: reservation and use are divided evenly among them. */
function* invocationsOf(
  values: Values,
  memoryKb: number | null,
  { utcOffsetMs }: ImportSettings,
): Generator<ImportedInvocation> {
  const [state = ""] = (values.state ?? "").split(/[ +]/);
  const hosts = values.nodes === undefined || /none assigned/i.test(values.nodes)
    ? []
    : expandHosts(values.nodes);
  const count = Math.max(1, hosts.length);
  const cores = parseNumber(values.cores);
  const cpuMs = parseColonDuration(values.cpu);
  for (let at = 0; at < count; at++) {
    yield {
      id: count === 1 ? values.id ?? "" : `${values.id}@${hosts[at]}`,
      node: hosts[at] ?? null,
      profile: asText(values.partition),
      submitMs: parseTime(values.submit, utcOffsetMs),
      startMs: parseTime(values.start, utcOffsetMs),
      endMs: parseTime(values.end, utcOffsetMs),
      state: STATES[state] ?? "failed",
      status: exitCode(values.exit),
      cores: cores === null || cores === 0 ? null : cores / count,
      cpuMs: cpuMs === null ? null : cpuMs / count,
      memoryKb,
    };
  }
}

/** `0:9` is exit code 0 by signal 9: 137, as a shell says it. */
function exitCode(text: string | undefined): number | null {
  const found = /^(\d+):(\d+)$/.exec(text ?? "");
  if (found === null) return null;
  const [, code, signal] = found;
  return signal === "0" ? Number(code) : 128 + Number(signal);
}

async function readSlurmJson(
  file: SourceFile,
  sink: ImportSink,
  settings: ImportSettings,
): Promise<void> {
  const value = asObject(await readJson(file));
  for (const node of objectsIn(value?.nodes)) readNode(node, sink);
  for (const job of objectsIn(value?.jobs)) {
    const { values, memoryKb } = jsonValues(job);
    for (const one of invocationsOf(values, memoryKb, settings)) sink.invocation(one);
    await sink.ready();
  }
  if (value?.jobs === undefined && value?.nodes === undefined) {
    throw new ImportError(`Cannot import "${file.path}": "jobs" or "nodes" is required`);
  }
}

/** `scontrol show nodes --json`: memory in MiB. */
function readNode(node: Readonly<Record<string, unknown>>, sink: ImportSink): void {
  const name = asText(node.name);
  if (name === null) return sink.bad("nodes", "a name is required");
  const memoryMib = setNumber(node.real_memory);
  sink.node({
    node: name,
    cores: setNumber(node.cpus),
    freqMhz: null,
    memoryKb: memoryMib === null ? null : memoryMib * 1024,
  });
}

/** A number, or Slurm's `{set, infinite, number}` around one. */
function setNumber(value: unknown): number | null {
  const wrapped = asObject(value);
  if (wrapped === null) return asNumber(value);
  return wrapped.set === false || wrapped.infinite === true ? null : asNumber(wrapped.number);
}

/** The fields of `sacct --json` (22.05 and later) or `scontrol show jobs --json`, as sacct's columns. */
function jsonValues(job: Readonly<Record<string, unknown>>): {
  values: Values;
  memoryKb: number | null;
} {
  const time = asObject(job.time);
  const array = asObject(job.array);
  const task = setNumber(array?.task_id) ?? setNumber(job.array_task_id);
  const arrayJob = setNumber(array?.job_id) ?? setNumber(job.array_job_id);
  const isOfArray = arrayJob !== null && arrayJob > 0 && task !== null;
  const total = asObject(time?.total);
  const exit = asObject(job.exit_code);
  const state = asObject(job.state)?.current ?? job.job_state;
  const cpuS = total === null
    ? null
    : (asNumber(total.seconds) ?? 0) + (asNumber(total.microseconds) ?? 0) / 1e6;
  const values: Values = {
    id: isOfArray ? `${arrayJob}_${task}` : String(setNumber(job.job_id) ?? ""),
    state: asText(Array.isArray(state) ? state[0] : state) ?? undefined,
    exit: exitText(exit, job.exit_code),
    submit: secondsText(time?.submission ?? job.submit_time),
    start: secondsText(time?.start ?? job.start_time),
    end: secondsText(time?.end ?? job.end_time),
    cores: String(allocatedCores(job) ?? ""),
    nodes: asText(job.nodes) ?? undefined,
    partition: asText(job.partition) ?? undefined,
    cpu: cpuS === null || cpuS === 0 ? undefined : `0:${cpuS.toFixed(6)}`,
    memory: undefined,
  };
  return { values, memoryKb: peakOfSteps(job) };
}

function exitText(
  exit: Readonly<Record<string, unknown>> | null,
  plain: unknown,
): string | undefined {
  if (exit === null) {
    // scontrol of 22.05 gives wait(2)'s status.
    const status = asNumber(plain);
    return status === null ? undefined : `${status >> 8}:${status & 127}`;
  }
  const signal = setNumber(asObject(exit.signal)?.id ?? asObject(exit.signal)?.signal_id);
  return `${setNumber(exit.return_code) ?? 0}:${signal ?? 0}`;
}

/** Epoch seconds; 0 is Slurm's word for none. */
function secondsText(value: unknown): string | undefined {
  const seconds = setNumber(value);
  return seconds === null || seconds === 0 ? undefined : String(seconds);
}

function allocatedCores(job: Readonly<Record<string, unknown>>): number | null {
  const allocated = objectsIn(asObject(job.tres)?.allocated).find(({ type }) => type === "cpu");
  return setNumber(allocated?.count) ?? setNumber(job.cpus) ??
    setNumber(asObject(job.required)?.CPUs);
}

/** Largest memory of any step, as sacct's MaxRSS: bytes in JSON. */
function peakOfSteps(job: Readonly<Record<string, unknown>>): number | null {
  let peakKb: number | null = null;
  for (const step of objectsIn(job.steps)) {
    const max = objectsIn(asObject(asObject(step.tres)?.requested)?.max);
    const bytes = setNumber(max.find(({ type }) => type === "mem")?.count);
    if (bytes !== null && bytes > 0) peakKb = larger(peakKb, bytes / 1024);
  }
  return peakKb;
}

function formOf({ head }: SourceFile): "sacct" | "jobcomp" | "json" | null {
  if (/^\s*\{/.test(head)) return /"(jobs|nodes|meta)"\s*:/.test(head) ? "json" : null;
  if (/^JobId=\d+ /.test(head)) return "jobcomp";
  return /^[^\n]*\bJobID\b[^\n]*\|/.test(head) || /^[^\n]*\|JobID\b/.test(head) ? "sacct" : null;
}

/** Slurm's accounts. */
export const SLURM: Importer = {
  name: "slurm",
  title: "Slurm accounts",
  source: "sacct(1), scontrol(1), JobCompType in slurm.conf(5)",
  says: {
    submit: "Submit, whole seconds",
    start: "Start, whole seconds",
    end: "End, whole seconds",
    state: "State",
    node: "NodeList; a job on several hosts is divided evenly among them",
    cores: "AllocCPUS",
    cpu: "TotalCPU (sacct with accounting gathered)",
    memory: "MaxRSS of the largest step",
    hosts: "scontrol show nodes --json",
  },
  recognises: (file) => formOf(file) !== null,
  read: async (files, sink, settings) => {
    sink.note("Slurm's times are whole seconds");
    for (const file of files) {
      const form = formOf(file);
      if (form === "json") await readSlurmJson(file, sink, settings);
      else if (form === "jobcomp") await readJobcomp(file, sink, settings);
      else await readSacct(file, sink, settings);
    }
  },
};
