/**
 * Checks the columns of a workload's files against what OpenDC's reader accepts: pure.
 *
 * @module
 */

import type { Column } from "../opendc/schema.ts";
import { READABLE_CODECS } from "../opendc/schema.ts";
import type { FoundColumn } from "../parquet_reader.ts";
import { type Check, checkOf } from "./check.ts";

/** Check that the columns that OpenDC reads are there in type and repetition; others are ignored. */
export function checkColumns(
  id: string,
  { found, wanted }: {
    readonly found: readonly FoundColumn[];
    readonly wanted: readonly Column[];
  },
): Check {
  const problems = wanted.flatMap((column) => {
    const all = found.filter(({ name }) => name === column.name);
    if (all.length > 1) return [`column ${column.name} is there ${all.length} times`];
    return problemsOf(column, all[0]);
  });
  const names = found.map(({ name }) => name).join(", ");
  return checkOf(id, { problems, found: `${found.length} columns: ${names}` });
}

function problemsOf(wanted: Column, found: FoundColumn | undefined): string[] {
  const { name, type, isRequired } = wanted;
  if (found === undefined) return isRequired ? [`column ${name} is missing`] : [];
  const problems: string[] = [];
  const expected = type === "LIST" ? "GROUP" : type;
  if (found.type !== expected) problems.push(`${name} is ${found.type}, ${type} is required`);
  if (isRequired && found.repetition !== "REQUIRED") {
    problems.push(`${name} is ${found.repetition}, OpenDC's reader throws unless it is REQUIRED`);
  }
  if (found.timestampUnit !== null && found.timestampUnit !== "MILLIS") {
    problems.push(
      `${name} is a timestamp in ${found.timestampUnit}, which OpenDC would take as ms`,
    );
  }
  return problems;
}

/** Check that OpenDC has a decompressor for every page. */
export function checkCodecs(
  files: readonly { readonly name: string; readonly codecs: ReadonlySet<string> }[],
): Check {
  const readable: readonly string[] = READABLE_CODECS;
  const problems = files.flatMap(({ name, codecs }) =>
    [...codecs].filter((codec) => !readable.includes(codec))
      .map((codec) => `${name} uses ${codec}, one of ${readable.join(", ")} is required`)
  );
  const all = new Set(files.flatMap(({ codecs }) => [...codecs]));
  return checkOf("codec", { problems, found: [...all].join(", ") || "no pages" });
}
