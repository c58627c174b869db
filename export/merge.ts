/**
 * The run directories of several nodes, or chunks of one run, put together: one folder per node, each
 * record once, samples in the order of time.
 *
 * @module
 */

import { basename, dirname, join, resolve } from "@std/path";
import { readRecordFile } from "../trace/record_file.ts";
import { NODE_META, type NodeMeta } from "../trace/records.ts";
import { DecodeError } from "../trace/schema.ts";
import { type MergedFile, mergeLines, mergeSamples, type MergeWatch } from "./cts/merge_files.ts";
import { findNodeDirs, namesIn } from "./cts/run_folders.ts";
import { StagedFiles } from "./staged_files.ts";

/** Records of the whole run rather than of one node; they go to the folder of the run. */
const RUN_FILES: readonly string[] = [
  "results.jsonl",
  "placement_events.jsonl",
  "dispatches.jsonl",
  "run_meta.scheduler.json",
];

/** Left in a merged folder: the parts that it was made of. Such a folder may be made again. */
const MARK_NAME = "merged_from.json";

/** A merge that cannot be made, in words for the user. */
export class MergeError extends Error {
  /** Name of the class. */
  override readonly name = "MergeError";
}

/** A part of a node's records. */
export interface Chunk {
  /** Its folder. */
  readonly path: string;
  /** NODE_ID: of its metadata, else the name of its folder. */
  readonly node: string;
  /** Its metadata; null: there is none that can be read. */
  readonly meta: NodeMeta | null;
}

/** What to merge, and where to. */
export interface MergePlan {
  /** The run's folder, which gets one folder per node. */
  readonly output: string;
  /** Chunks by node, those of a node in the order of time. */
  readonly nodes: ReadonlyMap<string, readonly Chunk[]>;
  /** Folders above chunks that hold records of the whole run. */
  readonly above: readonly string[];
}

/** What became of one node's chunks, or of the records of the whole run. */
export interface MergedFolder {
  /** The folder. */
  readonly folder: string;
  /** Its files. */
  readonly files: readonly MergedFile[];
}

/**
 * Look at `inputs`: run directories of nodes, or folders with several of them.
 *
 * @param output The run's folder.
 * @throws {MergeError} when there is nothing to merge, when the parts are of different runs, and when
 * the output holds records that are not among the inputs and that no earlier merge made.
 */
export async function planMerge(inputs: readonly string[], output: string): Promise<MergePlan> {
  const chunks: Chunk[] = [];
  for (const input of inputs) {
    const found = await findNodeDirs(resolve(input));
    if (found.length === 0) {
      throw new MergeError(
        `Cannot merge "${input}": records of a run are required (proc_metrics.jsonl, ` +
          "events.*.jsonl), got none",
      );
    }
    for (const path of found) {
      if (!chunks.some((chunk) => chunk.path === path)) chunks.push(await lookAt(path));
    }
  }
  const runIds = [...new Set(chunks.flatMap(({ meta }) => meta?.run_id ?? []))];
  if (runIds.length > 1) {
    throw new MergeError(
      `Cannot merge: parts of one run are required, got ${runIds.join(" and ")}`,
    );
  }
  const known = chunks.map(({ path }) => path);
  const present = await findNodeDirs(output);
  if (present.includes(output)) {
    throw new MergeError(
      `Cannot merge into "${output}": it is the run directory of a node itself; name it as an ` +
        "input, and choose another RUN_ID",
    );
  }
  for (const other of present.filter((path) => !known.includes(path))) {
    if ((await namesIn(other)).includes(MARK_NAME)) continue;
    throw new MergeError(
      `Cannot merge into "${output}": "${other}" holds records that are not among the inputs; ` +
        "name it too, or choose another RUN_ID",
    );
  }
  const inTime = chunks.toSorted((a, b) => (a.meta?.ts_ms ?? 0) - (b.meta?.ts_ms ?? 0));
  const above = new Set(known.map(dirname).filter((path) => !known.includes(path)));
  return { output, nodes: Map.groupBy(inTime, ({ node }) => node), above: [...above] };
}

async function lookAt(path: string): Promise<Chunk> {
  let meta: NodeMeta | null = null;
  try {
    meta = await readRecordFile(join(path, "node_meta.json"), NODE_META.decode);
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof DecodeError)) throw error;
  }
  return { path, node: meta?.node_id ?? basename(path), meta };
}

/**
 * Merge what `plan` says. The files of a folder appear together; the inputs stay as they are.
 *
 * @returns the folders written, that of the run first.
 */
export async function mergeRun(plan: MergePlan, watch: MergeWatch = {}): Promise<MergedFolder[]> {
  const chunks = [...plan.nodes.values()].flat().map(({ path }) => path);
  const merged = [
    await mergeFolder(plan.output, {
      ...watch,
      // What the scheduler left in the run's folder comes first: it decides.
      sources: [...new Set([plan.output, ...plan.above, ...chunks])],
      isTaken: (name) => RUN_FILES.includes(name),
    }),
  ];
  for (const [node, parts] of plan.nodes) {
    merged.push(
      await mergeFolder(join(plan.output, node), {
        ...watch,
        sources: parts.map(({ path }) => path),
        isMarked: true,
        isTaken: (name) => isRecordFile(name) && !RUN_FILES.includes(name),
      }),
    );
  }
  return merged;
}

function isRecordFile(name: string): boolean {
  return /^[^.].*\.jsonl$|^(node_meta|run_meta\..+)\.json$|^timesync\.log$/.test(name);
}

async function mergeFolder(
  folder: string,
  { sources, isTaken, isMarked = false, ...watch }: MergeWatch & {
    readonly sources: readonly string[];
    readonly isTaken: (name: string) => boolean;
    readonly isMarked?: boolean;
  },
): Promise<MergedFolder> {
  const byName = new Map<string, string[]>();
  for (const source of sources) {
    for (const name of (await namesIn(source)).filter(isTaken)) {
      byName.set(name, [...byName.get(name) ?? [], join(source, name)]);
    }
  }
  await using staged = await StagedFiles.in(folder);
  const files: MergedFile[] = [];
  for (const [name, paths] of byName) {
    const target = { name, path: staged.stage(name) };
    if (name === "proc_metrics.jsonl") {
      const workFolder = (part: string): Promise<string> => staged.folder(part);
      files.push(await mergeSamples(paths, { ...watch, ...target, workFolder }));
    } else if (name.endsWith(".jsonl")) files.push(await mergeLines(paths, target));
    // The first chunk speaks for a node: it began the run.
    else await Deno.copyFile(paths[0] as string, target.path);
  }
  if (isMarked) {
    await Deno.writeTextFile(staged.stage(MARK_NAME), `${JSON.stringify(sources, null, 2)}\n`);
  }
  await staged.commit();
  return { folder, files };
}
