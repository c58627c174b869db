/**
 * Where a parsed run is, and its nodes and invocations: what the export, verify and compare read.
 *
 * A run is one folder with `CTS/` (or the older `cctf/`), or one such folder per node beneath it.
 *
 * @module
 */

import { basename, join } from "@std/path";
import { CTS_NODE, type CtsNode, INVOCATION, type Invocation } from "../../trace/cts.ts";
import { type BadLine, readRecords } from "../../trace/json_lines.ts";
import { quote } from "../../trace/schema.ts";
import { readInputText } from "../../trace/input_file.ts";

/** A folder with a parsed run, or a part of one. */
export interface CtsSource {
  /** The folder with `invocations.jsonl`. */
  readonly folder: string;
  /** Which files hold the processes' use: `proc_metrics.jsonl`, or `proc_cpu.jsonl` and `proc_rss.jsonl`. */
  readonly layout: "cts" | "cctf";
}

/** What was read of a run besides the processes' use. */
export interface ParsedRun {
  /** The nodes by NODE_ID, in the order of their names. */
  readonly nodes: ReadonlyMap<string, CtsNode>;
  /** Every invocation, with the source that it is in. */
  readonly invocations: readonly SourcedInvocation[];
  /** Lines of `invocations.jsonl` that are not a record. */
  readonly badLines: readonly BadLine[];
  /** Invocations that were there more than once. */
  readonly duplicates: number;
}

/** An invocation and the place of its source. */
export interface SourcedInvocation extends Invocation {
  /** Index into the sources. */
  readonly source: number;
}

/** A run that cannot be exported, with what to do about it. */
export class ExportError extends Error {
  /** Name of the class. */
  override readonly name = "ExportError";
}

/**
 * The sources beneath `input`: the folder itself where it is one, else its own `CTS/` or `cctf/`, else
 * those of its subfolders, in the order of their names.
 *
 * @throws {ExportError} when there is none.
 */
export async function findSources(input: string): Promise<CtsSource[]> {
  const own = await sourceAt(input) ?? await sourceBelow(input);
  if (own !== null) return [own];
  const sources: CtsSource[] = [];
  for (const name of await foldersIn(input)) {
    const source = await sourceBelow(join(input, name));
    if (source !== null) sources.push(source);
  }
  if (sources.length === 0) {
    throw new ExportError(
      `Cannot export "${input}": a folder with CTS/invocations.jsonl, or with one such folder per ` +
        `node, is required; run parse first`,
    );
  }
  return sources;
}

async function sourceBelow(folder: string): Promise<CtsSource | null> {
  return await sourceAt(join(folder, "CTS")) ?? await sourceAt(join(folder, "cctf"));
}

async function sourceAt(folder: string): Promise<CtsSource | null> {
  if (!await isFile(join(folder, "invocations.jsonl"))) return null;
  const isOlder = !await isFile(join(folder, "proc_metrics.jsonl")) &&
    await isFile(join(folder, "proc_cpu.jsonl"));
  return { folder, layout: isOlder ? "cctf" : "cts" };
}

/** True when `path` is a file. */
export async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}

async function foldersIn(folder: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.filter((entry) => entry.isDirectory).map((entry) => entry.name).sort();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
      throw error;
    }
    throw new ExportError(`Cannot read the run "${folder}": there is no such folder`, {
      cause: error,
    });
  }
}

/** The files that a source's rows are read from, in order. */
export function rowFiles({ folder, layout }: CtsSource): string[] {
  return layout === "cts"
    ? [join(folder, "proc_metrics.jsonl")]
    : [join(folder, "proc_cpu.jsonl"), join(folder, "proc_rss.jsonl")];
}

/**
 * Nodes and invocations of all sources.
 *
 * @throws {ExportError} when a source has no nodes, or two disagree about one.
 */
export async function readRun(sources: readonly CtsSource[]): Promise<ParsedRun> {
  const nodes = new Map<string, CtsNode>();
  const invocations: SourcedInvocation[] = [];
  const badLines: BadLine[] = [];
  const seen = new Set<string>();
  let duplicates = 0;
  for (const [source, { folder }] of sources.entries()) {
    const own = await readNodes(join(folder, "nodes.json"));
    for (const node of own) addNode(nodes, { node, folder });
    const path = join(folder, "invocations.jsonl");
    // The older layout names no node: there it is the only one of the folder.
    const only = own.length === 1 ? own[0]?.node_id : undefined;
    const decode = (value: unknown, where: string) =>
      INVOCATION.decode(completed(value, only), where);
    const onBadLine = (bad: BadLine) => badLines.push(bad);
    for await (const invocation of readRecords(path, { decode, onBadLine })) {
      const { trace_id, span_id, attempt, node, ts_start } = invocation;
      const key = JSON.stringify([trace_id, span_id, attempt, node, ts_start]);
      if (seen.has(key)) duplicates++;
      else invocations.push({ ...invocation, source });
      seen.add(key);
    }
  }
  const byName = [...nodes].sort(([a], [b]) => a < b ? -1 : 1);
  return { nodes: new Map(byName), invocations, badLines, duplicates };
}

/** What an older writer left out. */
function completed(value: unknown, only: string | undefined): unknown {
  if (typeof value !== "object" || value === null) return value;
  const { status } = value as { status?: unknown };
  const state = typeof status === "number" && status !== 0 ? "failed" : "done";
  return { node: only, state, samples: 0, ...value };
}

/** The nodes in the `nodes.json` at `path`. */
export async function readNodes(path: string): Promise<CtsNode[]> {
  let value: unknown;
  try {
    value = JSON.parse(await readInputText(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new ExportError(`Cannot read "${path}": there is no such file; run parse first`, {
        cause: error,
      });
    }
    if (!(error instanceof SyntaxError)) throw error;
    throw new ExportError(`Cannot read "${path}": JSON is required`, { cause: error });
  }
  if (!Array.isArray(value)) {
    throw new ExportError(
      `Cannot read "${path}": a list of nodes is required, got ${quote(value)}`,
    );
  }
  return value.map((one, index) => CTS_NODE.decode(one, `${path}[${index}]`));
}

/** What a node's hosts in the simulation depend on. */
const NODE_FACTS = ["cpu_cores", "cpu_freq_mhz", "mem_mb", "capacity_units"] as const;

function addNode(
  nodes: Map<string, CtsNode>,
  { node, folder }: { readonly node: CtsNode; readonly folder: string },
): void {
  const known = nodes.get(node.node_id);
  const differing = known && NODE_FACTS.find((fact) => known[fact] !== node[fact]);
  if (known !== undefined && differing !== undefined) {
    throw new ExportError(
      `Cannot export node "${node.node_id}": one description is required, but ${
        basename(folder)
      }/nodes.json in "${folder}" has ${differing} ${quote(node[differing])} and another ${
        quote(known[differing])
      }`,
    );
  }
  nodes.set(node.node_id, node);
}

/** What tells an invocation from all others of a run. */
export function keyOf(
  { trace_id, span_id, attempt }: {
    readonly trace_id: string;
    readonly span_id: string | null;
    readonly attempt: number | null;
  },
): string {
  return JSON.stringify([trace_id, span_id, attempt]);
}
