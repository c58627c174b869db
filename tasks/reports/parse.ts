/** What a parse says of its result. */

import type { ParseSummary } from "../../export/parse.ts";
import { counted } from "../../trace/counted.ts";

/** The summary of a parse, line by line. */
export function describeParse(summary: ParseSummary): string[] {
  const { node, invocations, samples, cpuResidualMaxMs, audit, folder } = summary;
  return [
    `Parsed ${node}: ${counted(invocations, "invocation")}, ${
      counted(samples, "sample")
    }, rows off their totals by at ` +
    `most ${cpuResidualMaxMs} ms; audit ${audit.verdict}`,
    ...audit.findings.map(({ what, examples }) =>
      `  ${what}${examples.length === 0 ? "" : ` (${examples.slice(0, 3).join("; ")})`}`
    ),
    `Wrote ${folder}: see its audit_report.md`,
  ];
}
