/**
 * Imports what another system recorded as a parsed run.
 *
 * @module
 */

import { basename, join } from "@std/path";
import { auditReport } from "../audit/report.ts";
import { hashFile } from "../file_hash.ts";
import { StagedFiles } from "../staged_files.ts";
import { importAudit } from "./audit.ts";
import type { Audit } from "../audit/audit.ts";
import { type Importer, ImportError, type ImportSettings, type SourceFile } from "./contract.ts";
import { IMPORTERS } from "./formats.ts";
import type { ImportCounts } from "./counts.ts";
import { type HostDefaults, RunWriter } from "./run_writer.ts";

/** Text read of each file to recognise its format, bytes. */
const HEAD_BYTES = 8192;

/** What to import, and to where. */
export interface ImportOptions {
  /** Files of the source. */
  readonly files: readonly string[];
  /** Name of the format; null: it is recognised. */
  readonly format: string | null;
  /** The run's folder: `CTS/` is written below it. */
  readonly runFolder: string;
  /** What the user said of the source. */
  readonly settings: ImportSettings;
  /** What the user said of the hosts. */
  readonly hosts: HostDefaults;
  /** Version of Tracekit, for `import.json`. */
  readonly version: string;
}

/** What an import made. */
export interface ImportSummary {
  /** The format. */
  readonly format: string;
  /** Folder with the parsed run. */
  readonly folder: string;
  /** Hosts written. */
  readonly nodes: number;
  /** What was written, and what was missing. */
  readonly counts: ImportCounts;
  /** The audit. */
  readonly audit: Audit;
}

/**
 * Import `files` into `runFolder`. The files appear together; a folder that holds a recorded run is
 * never touched, one that holds an earlier import is replaced.
 *
 * @throws {ImportError} when the format is not known, or a file does not have it.
 */
export async function importRun(options: ImportOptions): Promise<ImportSummary> {
  const { runFolder, settings } = options;
  const files = await Promise.all(options.files.map(describeFile));
  const importer = chooseImporter(files, options.format);
  await requireFree(runFolder);
  const folder = join(runFolder, "CTS");
  await using staged = await StagedFiles.in(folder);
  using writer = await RunWriter.open(staged);
  await importer.read(files, writer, settings);
  const nodes = await writer.finish(options.hosts);
  if (writer.counts.invocations === 0) throw nothingFound(importer, writer.counts);
  const audit = importAudit(writer.counts, { format: importer.title, nodes });
  await writeJson(staged.stage("nodes.json"), nodes.map(({ node }) => node));
  await writeJson(staged.stage("audit.json"), audit);
  await Deno.writeTextFile(staged.stage("audit_report.md"), auditReport(audit));
  await writeJson(staged.stage("import.json"), {
    version: options.version,
    format: importer.name,
    utc_offset_ms: settings.utcOffsetMs,
    files: await Promise.all(
      files.map(async ({ path, name }) => ({ name, ...await hashFile(path) })),
    ),
  });
  await staged.commit();
  return { format: importer.name, folder, nodes: nodes.length, counts: writer.counts, audit };
}

async function describeFile(path: string): Promise<SourceFile> {
  try {
    using file = await Deno.open(path);
    const { isFile, mtime } = await file.stat();
    if (!isFile) throw new ImportError(`Cannot import "${path}": a file is required`);
    const bytes = new Uint8Array(HEAD_BYTES);
    const count = await file.read(bytes) ?? 0;
    const head = new TextDecoder().decode(bytes.subarray(0, count));
    return { path, name: basename(path), head, modifiedMs: mtime?.getTime() ?? null };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ImportError(`Cannot import "${path}": there is no such file`, { cause: error });
  }
}

function chooseImporter(files: readonly SourceFile[], name: string | null): Importer {
  const names = IMPORTERS.map((one) => one.name).join(", ");
  if (name !== null) {
    const found = IMPORTERS.find((one) => one.name === name);
    if (found !== undefined) return found;
    throw new ImportError(`Cannot import from "${name}": one of ${names} is required`);
  }
  const [first] = files;
  const found = IMPORTERS.filter((one) => first !== undefined && one.recognises(first));
  if (found.length === 1 && found[0] !== undefined) return found[0];
  throw new ImportError(
    found.length === 0
      ? `Cannot import "${first?.path}": its format is not recognised; give --from with one of ${names}`
      : `Cannot import "${first?.path}": it may be ${
        found.map((one) => one.name).join(" or ")
      }; say which with --from`,
  );
}

/** A folder with records of its own is a run that was measured: an import does not belong there. */
async function requireFree(runFolder: string): Promise<void> {
  let names: string[];
  try {
    names = (await Array.fromAsync(Deno.readDir(runFolder))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  const isEarlierImport = await hasFile(join(runFolder, "CTS", "import.json"));
  if (names.some((name) => name !== "CTS") || (names.length > 0 && !isEarlierImport)) {
    throw new ImportError(
      `Cannot import into "${runFolder}": a new RUN_ID is required, there is a run of that name`,
    );
  }
}

async function hasFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function nothingFound(
  { title }: Importer,
  { bad, badExamples, leftOut }: ImportCounts,
): ImportError {
  const reasons = [
    ...Object.entries(leftOut).map(([reason, count]) => `${count} left out: ${reason}`),
    ...(bad === 0 ? [] : [`${bad} could not be read, first ${badExamples[0]}`]),
  ];
  return new ImportError(
    `Cannot import: at least one entry of ${title} is required, got none` +
      (reasons.length === 0 ? "" : ` (${reasons.join("; ")})`),
  );
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await Deno.writeTextFile(path, `${JSON.stringify(value, null, 2)}\n`);
}
