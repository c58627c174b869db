/**
 * Types that the public functions of this folder name in their parameters and results.
 *
 * @module
 */

export type { Invocation } from "../trace/cts.ts";
export type { Audit, UnseenTask } from "./audit/audit.ts";
export type { CpuControlAccount } from "./audit/cpu_control.ts";
export type { CollectorAccount } from "./audit/facts.ts";
export type { Finding } from "./audit/finding.ts";
export type { PassOptions } from "./cts/run_pass.ts";
export type { RowCounts } from "./opendc/join.ts";
export { type CompressionName, COMPRESSIONS } from "./opendc/schema.ts";
export {
  CAPACITY_CHOICES,
  FILL_CHOICES,
  LEFT_OUT_REASONS,
  type LeftOut,
  type LeftOutReason,
  STATUS_CHOICES,
  TASK_ID_MODES,
} from "./opendc/tasks.ts";
export type { Check, CheckStatus } from "./verify/check.ts";
export type { WorkloadFound } from "./verify/read.ts";
