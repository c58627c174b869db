/** Compare what OpenDC simulated with what was measured. */

import { resolve } from "@std/path";
import { compareOpendc } from "../export/compare/compare.ts";
import { markdownOf } from "../export/compare/report.ts";
import type { Parsed } from "./command/parse.ts";
import { type Io, runMain } from "./command/main.ts";
import { writeReport } from "./reports/compare.ts";
import { COMPARE_OPENDC, compareFolders, thresholdsOf } from "./flags/compare_opendc.ts";

/** `deno task compare-opendc`. */
export async function main(
  { options }: Parsed<typeof COMPARE_OPENDC.flags>,
  io: Io,
): Promise<number> {
  const report = await compareOpendc({
    ...compareFolders(options),
    export: options.export === null ? null : resolve(options.export),
    experiment: options.experiment,
    thresholds: thresholdsOf(options),
  });
  if (options.output !== null) await writeReport(resolve(options.output), report);
  io.print(options.json ? JSON.stringify(report) : markdownOf(report));
  return report.ok ? 0 : 1;
}

if (import.meta.main) await runMain(COMPARE_OPENDC, main);
