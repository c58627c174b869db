/** Exports for tests. */

import { join } from "@std/path";
import { exportOpendc } from "../../export/opendc/export.ts";
import type { ExportOptions, ExportSummary } from "../../export/opendc/summary.ts";
import { writeTwoNodeRun } from "./cts_run.ts";
import { tempFolder } from "./temp_folder.ts";

/** An export of the two-node run; dispose of it to remove both. */
export interface ExportedRun extends AsyncDisposable {
  readonly input: string;
  readonly output: string;
  readonly summary: ExportSummary;
}

/** Export the two-node run into a folder of its own. */
export async function exportTwoNodes(given: Partial<ExportOptions> = {}): Promise<ExportedRun> {
  const folder = await tempFolder();
  const input = join(folder.path, "run");
  const output = join(folder.path, "out");
  await writeTwoNodeRun(input);
  const summary = await exportOpendc({ input, output, version: "test", ...given });
  return {
    input,
    output,
    summary,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
