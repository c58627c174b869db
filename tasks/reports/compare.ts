/** The reports of a comparison with OpenDC, as files. */

import { join } from "@std/path";
import type { CompareReport } from "../../export/compare/compare.ts";
import { markdownOf } from "../../export/compare/report.ts";
import { writeFileAtomic, writeJsonAtomic } from "../../trace/atomic_file.ts";

/** Write a report into `folder` as Markdown and as JSON. */
export async function writeReport(folder: string, report: CompareReport): Promise<void> {
  await writeFileAtomic(join(folder, "compare_report.md"), markdownOf(report));
  await writeJsonAtomic(join(folder, "compare.json"), report);
}
