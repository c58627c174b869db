/**
 * Writes what an importer tells as a parsed run: `CTS/` as parse writes it, with `import.json` beside
 * that says where it comes from.
 *
 * @module
 */

import type { CtsNode, Invocation, ProcMetric } from "../../trace/cts.ts";
import { roundToUs } from "../../trace/units.ts";
import { ByteLines } from "../byte_lines.ts";
import type { StagedFiles } from "../staged_files.ts";
import type { ImportedInvocation, ImportedNode, ImportedSample, ImportSink } from "./contract.ts";
import { type ImportCounts, MISSING_FIELDS, UNNAMED_NODE, type WrittenNode } from "./counts.ts";
import { HostSize } from "./host_sizes.ts";

/** Buffered text is handed to the disk at this size, characters. */
const FLUSH_CHARACTERS = 1 << 20;

/** Bad lines that are kept as examples. */
const EXAMPLES_MAX = 5;

/** Hosts as the user describes them, where the source does not. */
export interface HostDefaults {
  /** Logical cores. */
  readonly cores: number | null;
  /** Frequency of a core, MHz. */
  readonly freqMhz: number | null;
  /** Memory, kB. */
  readonly memoryKb: number | null;
}

/** A sink that writes a run. Dispose of it to close its files. */
export class RunWriter implements ImportSink, Disposable {
  /** What was told so far. */
  readonly counts: ImportCounts = {
    invocations: 0,
    samples: 0,
    missing: { ts_enqueue: 0, ts_start: 0, ts_end: 0, cpu_units: 0, cpu_ms: 0, max_rss_kb: 0 },
    states: {},
    bad: 0,
    badExamples: [],
    leftOut: {},
    unused: new Set(),
    notes: new Set(),
    cpuMs: 0,
  };
  readonly #invocations: TextFile;
  readonly #samples: TextFile;
  readonly #nodes = new Map<string, ImportedNode>();
  readonly #sizes = new Map<string, HostSize>();
  readonly #names = new Map<string, string>();

  private constructor(invocations: TextFile, samples: TextFile) {
    this.#invocations = invocations;
    this.#samples = samples;
  }

  /** A writer of the files of `staged`. */
  static async open(staged: StagedFiles): Promise<RunWriter> {
    return new RunWriter(
      await TextFile.create(staged.stage("invocations.jsonl")),
      await TextFile.create(staged.stage("proc_metrics.jsonl")),
    );
  }

  /** {@inheritDoc ImportSink.invocation} */
  invocation(one: ImportedInvocation): void {
    const { counts } = this;
    const problem = impossible(one);
    if (problem !== null) return this.bad(one.id, problem);
    const node = this.#nodeId(one.node ?? UNNAMED_NODE);
    const record = recordOf(one, node);
    counts.invocations++;
    counts.states[one.state] = (counts.states[one.state] ?? 0) + 1;
    counts.cpuMs += one.cpuMs ?? 0;
    for (const field of MISSING_FIELDS) if (record[field] === null) counts.missing[field]++;
    this.#reserve(node, one);
    this.#invocations.add(record);
  }

  /** {@inheritDoc ImportSink.node} */
  node(one: ImportedNode): void {
    const id = this.#nodeId(one.node);
    const known = this.#nodes.get(id);
    this.#nodes.set(id, {
      node: id,
      cores: one.cores ?? known?.cores ?? null,
      freqMhz: one.freqMhz ?? known?.freqMhz ?? null,
      memoryKb: one.memoryKb ?? known?.memoryKb ?? null,
      cpuModel: one.cpuModel ?? known?.cpuModel ?? null,
    });
    // What is known need not be derived.
    if (this.#nodes.get(id)?.cores !== null) this.#sizes.delete(id);
  }

  /** {@inheritDoc ImportSink.sample} */
  sample({ id, tsMs, dtMs, cpuMs, memoryKb }: ImportedSample): void {
    if (!(dtMs >= 0 && cpuMs >= 0 && Number.isFinite(tsMs))) {
      return this.bad(id, `a reading of ${cpuMs} ms in ${dtMs} ms at ${tsMs}`);
    }
    this.counts.samples++;
    const record: ProcMetric = {
      ts_ms: roundToUs(tsMs),
      pid: null,
      dt_ms: roundToUs(dtMs),
      cpu_ms: roundToUs(cpuMs),
      rss_kb: memoryKb === null ? null : Math.round(memoryKb),
      trace_id: id,
      span_id: null,
      source: "imported",
    };
    this.#samples.add(record);
  }

  /** {@inheritDoc ImportSink.bad} */
  bad(where: string, reason: string): void {
    this.counts.bad++;
    if (this.counts.badExamples.length < EXAMPLES_MAX) {
      this.counts.badExamples.push(`${where.slice(0, 200)}: ${reason.slice(0, 200)}`);
    }
  }

  /** {@inheritDoc ImportSink.leftOut} */
  leftOut(reason: string): void {
    this.counts.leftOut[reason] = (this.counts.leftOut[reason] ?? 0) + 1;
  }

  /** {@inheritDoc ImportSink.note} */
  note(text: string): void {
    this.counts.notes.add(text);
  }

  /** {@inheritDoc ImportSink.unused} */
  unused(names: readonly string[]): void {
    for (const name of names) this.counts.unused.add(name);
  }

  /** {@inheritDoc ImportSink.ready} */
  async ready(): Promise<void> {
    await this.#invocations.flushIfLarge();
    await this.#samples.flushIfLarge();
  }

  /** Wait until all is on the disk, and describe the hosts in the order of their names. */
  async finish(defaults: HostDefaults): Promise<WrittenNode[]> {
    await this.#invocations.sync();
    await this.#samples.sync();
    const ids = [...new Set([...this.#nodes.keys(), ...this.#sizes.keys()])].sort();
    return ids.map((id) => this.#writtenNode(id, defaults));
  }

  /** Close the files. */
  [Symbol.dispose](): void {
    this.#invocations[Symbol.dispose]();
    this.#samples[Symbol.dispose]();
  }

  #writtenNode(id: string, defaults: HostDefaults): WrittenNode {
    const known = this.#nodes.get(id);
    const cores = known?.cores ?? defaults.cores;
    const freqMhz = known?.freqMhz ?? defaults.freqMhz;
    const memoryKb = known?.memoryKb ?? defaults.memoryKb;
    const node: CtsNode = {
      node_id: id,
      stage: null,
      cpu_cores: Math.max(1, Math.round(cores ?? this.#sizes.get(id)?.peakCores() ?? 1)),
      cpu_model: known?.cpuModel ?? null,
      cpu_freq_mhz: freqMhz,
      cpu_freq_mhz_exact: freqMhz,
      mem_mb: memoryKb === null ? null : memoryKb / 1024,
      mem_kb_exact: memoryKb === null ? null : Math.round(memoryKb),
      capacity_units: null,
      slots: null,
      allocation_ratio: null,
    };
    return { node, areCoresDerived: cores === null };
  }

  /** Remember what was reserved on a host whose cores are not known. */
  #reserve(node: string, { cores, startMs, endMs }: ImportedInvocation): void {
    if ((this.#nodes.get(node)?.cores ?? null) !== null) return;
    let size = this.#sizes.get(node);
    if (size === undefined) this.#sizes.set(node, size = new HostSize());
    if (startMs !== null && endMs !== null && endMs >= startMs) {
      size.add(unitsOf(cores) ?? 1, startMs, endMs);
    }
  }

  /** `name` as a NODE_ID: what it may not contain is replaced, and two names stay two. */
  #nodeId(name: string): string {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const plain = name.replaceAll(/[^A-Za-z0-9._-]/g, "_").replace(/^\.+$/, "_").slice(0, 56) ||
      "_";
    const taken = new Set(this.#names.values());
    let id = plain === "pending" || plain === "dead" ? `${plain}_` : plain;
    for (let count = 2; taken.has(id); count++) id = `${plain}_${count}`;
    if (id !== name) this.note("Host names were changed where a NODE_ID may not be so");
    this.#names.set(name, id);
    return id;
  }
}

/** Whole vCPUs for a reservation: at least one, rounded up. */
function unitsOf(cores: number | null): number | null {
  return cores === null ? null : Math.max(1, Math.ceil(cores - 1e-9));
}

const NUMERIC_FIELDS = ["submitMs", "startMs", "endMs", "cores", "cpuMs", "memoryKb"] as const;

/** Latest time that is believed, epoch ms: the year 2200. */
const LATEST_MS = 7_258_118_400_000;

/** What is wrong with an invocation; null: it is possible. */
function impossible(one: ImportedInvocation): string | null {
  if (one.id === "") return "a name is required";
  for (const field of NUMERIC_FIELDS) {
    const value = one[field];
    if (value === null) continue;
    if (!Number.isFinite(value) || value < 0) return `${field} cannot be read`;
    if (field.endsWith("Ms") && value > LATEST_MS) return `${field} is beyond the year 2200`;
  }
  if (one.startMs !== null && one.endMs !== null && one.endMs < one.startMs) {
    return "it ends before it starts";
  }
  return null;
}

/** Shortest invocation: export needs a record that lasts. */
const SHORTEST_MS = 1;

function recordOf(one: ImportedInvocation, node: string): Invocation {
  const { id, submitMs, startMs, endMs, cpuMs, memoryKb } = one;
  const attempt = one.attempt ?? null;
  return {
    trace_id: id,
    span_id: attempt === null ? null : `${id}#${attempt}`,
    pid: null,
    ts_enqueue: roundedMs(submitMs),
    ts_start: roundedMs(startMs),
    ts_end: roundedMs(
      endMs === null || startMs === null ? endMs : Math.max(endMs, startMs + SHORTEST_MS),
    ),
    task_id: id,
    attempt,
    node,
    profile: one.profile,
    status: one.status,
    state: one.state,
    cpu_units: unitsOf(one.cores),
    cpu_ms: roundedMs(cpuMs),
    cpu_source: cpuMs === null ? null : "imported",
    cpu_seen_ms: null,
    max_rss_source: null,
    max_rss_kb: memoryKb === null ? null : Math.round(memoryKb),
    samples: 0,
    start_ticks: null,
    kind: "task",
    origin: "imported",
    parents: one.parents ?? null,
  };
}

function roundedMs(ms: number | null): number | null {
  return ms === null ? null : roundToUs(ms);
}

/** Records as lines of a file, a large piece at a time. */
class TextFile implements Disposable {
  readonly #lines: ByteLines;
  readonly #encoder = new TextEncoder();
  #text = "";

  private constructor(lines: ByteLines) {
    this.#lines = lines;
  }

  static async create(path: string): Promise<TextFile> {
    return new TextFile(await ByteLines.create(path));
  }

  add(record: object): void {
    this.#text += `${JSON.stringify(record)}\n`;
  }

  async flushIfLarge(): Promise<void> {
    if (this.#text.length >= FLUSH_CHARACTERS) await this.#flush();
  }

  async sync(): Promise<void> {
    await this.#flush();
    await this.#lines.sync();
  }

  async #flush(): Promise<void> {
    this.#lines.raw(this.#encoder.encode(this.#text));
    this.#text = "";
    await this.#lines.flush();
  }

  [Symbol.dispose](): void {
    this.#lines[Symbol.dispose]();
  }
}
