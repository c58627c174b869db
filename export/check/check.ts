/**
 * Checks the files of a run against the JSON Schemas of their records.
 *
 * @module
 */

import { join } from "@std/path";
import { type RecordForm, recordForm, runFileOf } from "../../trace/run_files.ts";
import { type Fields, type RecordSchema } from "../../trace/schema.ts";
import { recordSchema } from "../../trace/json_schema.ts";
import { readLineBlocks } from "../line_blocks.ts";
import { type Validate, validatorOf } from "./validator.ts";

/** Problems named of each file; the rest is counted. */
const PROBLEMS_SHOWN = 10;

/** Largest file that is read as one value, bytes: the largest honest one has a few kB per node. */
const WHOLE_LIMIT_BYTES = 64 * 1024 * 1024;

/** What was found in one file. */
export interface CheckedFile {
  /** Path, relative to the folder that was checked. */
  readonly path: string;
  /** Name of its record; null: it is not one of a run's files, or holds no records. */
  readonly record: string | null;
  /** Records checked. */
  readonly records: number;
  /** Problems in all. */
  readonly problems: number;
  /** The first of them: `line 3: /pid must be integer`. */
  readonly examples: readonly string[];
}

/** Check every file below the run directory `folder`, in the order of their names. */
export async function checkRun(folder: string): Promise<CheckedFile[]> {
  const validators = new Map<RecordSchema<Fields>, Validate>();
  const checked: CheckedFile[] = [];
  for (const path of await filesBelow(folder, "")) {
    const file = runFileOf(path) ?? runFileOf(path.replace(/^[^/]+\//, ""));
    const record = file?.record ?? null;
    if (record === null) {
      checked.push({ path, record: null, records: 0, problems: 0, examples: [] });
      continue;
    }
    const validate = validators.get(record) ?? validatorOf(recordSchema(record));
    validators.set(record, validate);
    const found = new Problems(validate);
    await checkFile(join(folder, path), { form: recordForm(file?.path ?? path), found });
    const { records, count, examples } = found;
    checked.push({ path, record: record.name, records, problems: count, examples });
  }
  return checked;
}

/** Collects what is wrong with one file. */
class Problems {
  readonly examples: string[] = [];
  records = 0;
  count = 0;
  readonly #validate: Validate;

  constructor(validate: Validate) {
    this.#validate = validate;
  }

  text(text: string, where: string): void {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return this.add(`${where}: JSON is required (${error.message})`);
    }
    this.value(value, where);
  }

  value(value: unknown, where: string): void {
    this.records++;
    for (const problem of this.#validate(value)) this.add(`${where}: ${problem}`);
  }

  add(problem: string): void {
    this.count++;
    if (this.examples.length < PROBLEMS_SHOWN) this.examples.push(problem.slice(0, 300));
  }
}

async function checkFile(
  path: string,
  { form, found }: { readonly form: RecordForm; readonly found: Problems },
): Promise<void> {
  if (form === "lines") return await checkLines(path, found);
  const { size } = await Deno.stat(path);
  // An empty sentinel is that of a launcher that writes no records.
  if (size === 0 && /\/pids\/\d+$/.test(path)) return;
  if (size > WHOLE_LIMIT_BYTES) return found.add(`at most ${WHOLE_LIMIT_BYTES} bytes are required`);
  const text = await Deno.readTextFile(path);
  if (form === "one") return found.text(text, "record");
  try {
    const list: unknown = JSON.parse(text);
    if (!Array.isArray(list)) found.add("a list is required");
    else list.forEach((one, at) => found.value(one, `item ${at}`));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    found.add(`JSON is required (${error.message})`);
  }
}

async function checkLines(path: string, found: Problems): Promise<void> {
  const decoder = new TextDecoder();
  let number = 0;
  for await (const { bytes, isTorn } of readLineBlocks(path)) {
    const lines = decoder.decode(bytes).split("\n");
    if (!isTorn) lines.pop();
    for (const line of lines) {
      number++;
      if (line !== "") found.text(line, `line ${number}`);
    }
  }
}

/** Regular files below `folder`, without those whose name begins with a dot. */
async function filesBelow(folder: string, below: string): Promise<string[]> {
  const paths: string[] = [];
  const entries = await Array.fromAsync(Deno.readDir(join(folder, below)));
  for (const { name, isDirectory, isFile } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    if (name.startsWith(".")) continue;
    const path = join(below, name);
    if (isDirectory) paths.push(...await filesBelow(folder, path));
    else if (isFile) paths.push(path);
  }
  return paths;
}
