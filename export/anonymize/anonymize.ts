/**
 * A copy of a run without what identifies machines, people and files, parsed again.
 *
 * @module
 */

import { basename, join } from "@std/path";
import { recordForm, type RunFile, runFileOf } from "../../trace/run_files.ts";
import type { Fields, RecordSchema } from "../../trace/schema.ts";
import { ByteLines } from "../byte_lines.ts";
import { findNodeDirs } from "../cts/run_folders.ts";
import { readLineBlocks } from "../line_blocks.ts";
import { parseNode } from "../parse.ts";
import { anonymizeRecord, type ChangeCounts } from "./record.ts";
import { Tokens } from "./tokens.ts";

/** What to anonymise. */
export interface AnonymizeOptions {
  /** The run's folder. */
  readonly input: string;
  /** Folder for the result, which must not exist. */
  readonly output: string;
  /** Key of the hashes. */
  readonly salt: string;
}

/** What was done. */
export interface AnonymizeSummary {
  /** Folder of the result. */
  readonly output: string;
  /** Records written. */
  readonly records: number;
  /** Malformed lines, which are left out. */
  readonly malformed: number;
  /** How often each field was hashed, removed, coarsened or moved. */
  readonly changes: Readonly<Record<string, number>>;
  /** Files that were left out: logs, journals, sentinels, what is made again. */
  readonly leftOut: readonly string[];
  /** Originals of at least {@linkcode TOKEN_MIN} characters that are still in the result; must be empty. */
  readonly leaks: readonly string[];
}

/** Shortest original that the check of the result looks for, characters. */
export const TOKEN_MIN = 4;

/** A run that cannot be anonymised. */
export class AnonymizeError extends Error {
  /** Name of the class. */
  override readonly name = "AnonymizeError";
}

/**
 * Write an anonymised copy of a run and parse it; raw records only: what is derived is made again.
 *
 * @throws {AnonymizeError} when the result's folder exists, or the run has no records.
 */
export async function anonymizeRun(options: AnonymizeOptions): Promise<AnonymizeSummary> {
  const { input, output, salt } = options;
  const tokens = new Tokens(salt);
  const state = { tokens, counts: new Map<string, number>(), records: 0, malformed: 0 };
  const leftOut: string[] = [];
  await createNew(output);
  for (const path of await filesBelow(input, "")) {
    const own = runFileOf(path);
    const file = own ?? runFileOf(path.replace(/^[^/]+\//, ""));
    if (file === null || file.record === null || isLeftOut(file)) {
      leftOut.push(path);
      continue;
    }
    const [node = "", ...rest] = path.split("/");
    const target = own === null ? join(tokens.hash(node), ...rest) : path;
    await copyFile(join(input, path), { to: join(output, target), file, state });
  }
  if (state.records === 0) {
    throw new AnonymizeError(`Cannot anonymise "${input}": a run with records is required`);
  }
  for (const folder of await findNodeDirs(output)) {
    await parseNode(folder, { nodeId: basename(folder) });
  }
  return {
    output,
    records: state.records,
    malformed: state.malformed,
    changes: Object.fromEntries([...state.counts].sort()),
    leftOut,
    leaks: await leaksIn(output, tokens),
  };
}

async function createNew(output: string): Promise<void> {
  try {
    await Deno.mkdir(output, { recursive: false });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    throw new AnonymizeError(
      `Cannot write into "${output}": a folder that does not exist is required`,
      {
        cause: error,
      },
    );
  }
}

/** Parsed files are made again; sentinels and roles say what runs now. */
function isLeftOut({ path }: RunFile): boolean {
  return /^(CTS|roles|pids)\//.test(path);
}

interface CopyState {
  readonly tokens: Tokens;
  readonly counts: ChangeCounts;
  records: number;
  malformed: number;
}

async function copyFile(
  from: string,
  { to, file, state }: { readonly to: string; readonly file: RunFile; readonly state: CopyState },
): Promise<void> {
  const record = file.record as RecordSchema<Fields>;
  const context = { record, tokens: state.tokens, counts: state.counts };
  await Deno.mkdir(join(to, ".."), { recursive: true });
  const encoder = new TextEncoder();
  using lines = await ByteLines.create(to);
  function write(text: string): void {
    const value = parseObject(text);
    if (value === null) state.malformed++;
    else {
      state.records++;
      lines.raw(encoder.encode(`${JSON.stringify(anonymizeRecord(value, context))}\n`));
    }
  }
  if (recordForm(file.path) === "lines") {
    const decoder = new TextDecoder();
    for await (const { bytes } of readLineBlocks(from)) {
      for (const line of decoder.decode(bytes).split("\n")) if (line !== "") write(line);
      await lines.flush();
    }
  } else write(await Deno.readTextFile(from));
  await lines.sync();
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Record<string, unknown>
      : null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}

/** Originals that are in a file or a file name of the result. */
async function leaksIn(output: string, tokens: Tokens): Promise<string[]> {
  const originals = [...tokens.originals].filter((text) => text.length >= TOKEN_MIN);
  if (originals.length === 0) return [];
  const wanted = new Set(originals);
  const leaks = new Set<string>();
  for (const path of await filesBelow(output, "")) {
    look(path, { wanted, leaks });
    for await (const { bytes } of readLineBlocks(join(output, path))) {
      look(new TextDecoder().decode(bytes), { wanted, leaks });
    }
  }
  return [...leaks];
}

/** Whole words of `text` that are originals; texts of several words were split when they were hashed. */
function look(
  text: string,
  { wanted, leaks }: { readonly wanted: ReadonlySet<string>; readonly leaks: Set<string> },
): void {
  for (const [word] of text.matchAll(/"(?:[^"\\]|\\.)*"|[\w.@:/-]+/g)) {
    const plain = word.startsWith('"') ? word.slice(1, -1) : word;
    if (wanted.has(plain)) leaks.add(plain);
  }
}

/** Regular files below `folder`; links are not followed. */
async function filesBelow(folder: string, below: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory, isFile } of Deno.readDir(join(folder, below))) {
    const path = join(below, name);
    if (isDirectory) paths.push(...await filesBelow(folder, path));
    else if (isFile) paths.push(path);
  }
  return paths.sort();
}
