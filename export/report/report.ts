/**
 * Writes the report of one or several runs: one file of HTML, and the same figures as JSON.
 *
 * @module
 */

import type { Audit } from "../audit/audit.ts";
import { packTables, streamed, unpackTables } from "./columns.ts";
import { compareRuns, type RunComparison, type SummedRun } from "./comparison.ts";
import { distributionFigures } from "./distributions.ts";
import type { Figure } from "./figures.ts";
import { leadOf } from "./overview.ts";
import { pageOf } from "./page.ts";
import type { Provenance, RunParts } from "./read_run.ts";
import { readRunAt } from "./run_columns.ts";
import { type RunSummary, summaryOf } from "./summary.ts";
import script from "./page/page.bundle.js" with { type: "text" };
import style from "./page/style.css" with { type: "text" };

/** A report as JSON: all figures that the page shows, with their units in their names. */
export interface ReportJson {
  /** Version of this form; fields are added, never renamed. */
  readonly format_version: "1.0";
  readonly runs: readonly (RunSummary & {
    /** The sentences that the page begins with. */
    readonly text: string;
    readonly audits: readonly Audit[];
    readonly provenance: Provenance | null;
  })[];
  readonly comparisons: readonly RunComparison[];
  readonly figures: readonly (Omit<Figure, "svg" | "legend">)[];
}

/** A report. */
export interface Report {
  /** The page, in pieces to be written one after the other. */
  readonly page: readonly string[];
  readonly json: ReportJson;
}

/** Make the report on runs that were read, the first of which the others are compared with. */
export async function makeReport(
  parts: readonly RunParts[],
  { version }: { readonly version: string },
): Promise<Report> {
  const packed = packTables(
    { runs: parts.map(({ head }) => head) },
    parts.flatMap(({ tables }) => tables),
  );
  const compressed = await streamed(packed, new CompressionStream("gzip"));
  const unpacked = unpackTables(packed);
  const runs = parts.map(({ audits, provenance }, at) => {
    const run = readRunAt(unpacked, at);
    return { run, summary: summaryOf(run), audits, provenance };
  });
  const [first, ...others] = runs;
  const comparisons = first === undefined ? [] : others.map((one) => compareRuns(first, one));
  const figures = distributionFigures(runs satisfies readonly SummedRun[]);
  const page = await pageOf({
    runs,
    comparisons,
    figures,
    payload: compressed.toBase64(),
    script,
    style,
    version,
  });
  return {
    page,
    json: {
      format_version: "1.0",
      runs: runs.map(({ summary, audits, provenance }) => ({
        ...summary,
        text: leadOf(summary, audits),
        audits,
        provenance,
      })),
      comparisons,
      figures: figures.map(({ id, title, caption, columns, rows }) => ({
        id,
        title,
        caption,
        columns,
        rows,
      })),
    },
  };
}
