/** `data_losses.jsonl`: when a role found that the queue's Redis had lost data. */

import { JsonLinesWriter } from "../../trace/json_lines.ts";
import type { DataLoss } from "../../trace/records.ts";
import type { RunDir } from "../../trace/run_dir.ts";

/** Write down that `role` found a loss of data now; the audit tells of it. */
export function noteDataLoss(runDir: RunDir, role: DataLoss["role"]): void {
  using writer = JsonLinesWriter.open(runDir.dataLosses);
  writer.append([{ ts_ms: Date.now(), role } satisfies DataLoss]);
}
