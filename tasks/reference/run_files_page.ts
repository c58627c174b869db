/** `docs/reference/run-files.md` and `records.md`: the files of a run and what is in them. */

import { FORMAT_VERSION } from "../../trace/records.ts";
import { RUN_FILES } from "../../trace/run_files.ts";
import type { Field, Fields, RecordSchema } from "../../trace/schema.ts";
import { code, type Page, page, table } from "./page.ts";

const FILES_INTRODUCTION =
  `A node's run directory is \`logs/RUN_ID/\`. Where the runs of several nodes are together
(demo, fetch, merge), each node has \`logs/RUN_ID/NODE_ID/\` and the files of the whole run
(\`results.jsonl\`, \`placement_events.jsonl\`) are in \`logs/RUN_ID/\`. RUN_ID and NODE_ID are 1 to 64
characters of \`A-Za-z0-9._-\`. Nothing is written outside \`logs/RUN_ID/\`, the outputs folder and the
export folder.

JSON Lines files have one object per line, in UTF-8, and are appended to in whole batches. A line that
a crash cut off is reported by the reader; the other lines are read. Every other file is written under
a temporary name and renamed, so a file under its final name is complete.`;

/** The page of the files. */
export function runFilesPage(): Page {
  return page(
    "run-files.md",
    "Files of a run",
    FILES_INTRODUCTION,
    table(
      ["file", "written by", "content", "record"],
      RUN_FILES.map(({ path, writer, content, record }) => [
        code(path),
        writer,
        content,
        record === null ? "" : `[${record.name}](records.md#${anchorOf(record.name)})`,
      ]),
    ),
  );
}

const RECORDS_INTRODUCTION = `Format version ${FORMAT_VERSION}. Fields are added, never renamed or
removed; a reader refuses a newer major version and keeps fields that it does not know. A value that is
not known is \`null\`, and a missing field that may be null reads as null. Times \`ts_*\` are epoch
milliseconds with decimals; \`boot_*\` is CLOCK_BOOTTIME of the node in milliseconds.`;

/** The page of the records. */
export function recordsPage(): Page {
  const records = [...new Set(RUN_FILES.map(({ record }) => record))].filter((one) => one !== null);
  return page("records.md", "Records", RECORDS_INTRODUCTION, ...records.map(sectionOf));
}

function sectionOf(record: RecordSchema<Fields>): string {
  const files = RUN_FILES.filter((one) => one.record === record).map(({ path }) => code(path));
  return [
    `## ${record.name}`,
    `In ${files.join(", ")}.`,
    fieldTable(record.fields),
  ].join("\n\n");
}

/** The fields of a record: value, unit, meaning. */
export function fieldTable(fields: Fields): string {
  return table(
    ["field", "value", "unit", "meaning"],
    Object.entries(fields).map((
      [name, field],
    ) => [code(name), valueOf(field), field.unit ?? "", field.doc]),
  );
}

function valueOf({ expected }: Field<unknown>): string {
  return expected.replace(/^an? /, "").replaceAll("<", "&lt;");
}

function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(" ", "-");
}
