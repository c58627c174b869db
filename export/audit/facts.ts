/**
 * What the audit judges.
 *
 * @module
 */

import type { NodeInputs } from "../cts/node_inputs.ts";
import type { RunPass } from "../cts/run_pass.ts";

/** What the audit looks at. */
export interface AuditFacts extends RunPass {
  /** NODE_ID. */
  readonly node: string;
  /** The node's files but the samples. */
  readonly inputs: NodeInputs;
  /** True where times were put on the controller's clock. */
  readonly isAligned: boolean;
}

/** The collector's own account over the run. */
export interface CollectorAccount {
  /** How processes were found. */
  readonly mode: string;
  /** Sampling interval, ms. */
  readonly interval_ms: number;
  /** Its CPU time, ms. */
  readonly cpu_ms: number;
  /** Its CPU time per sample after its first 30 s, µs; null: there are too few to tell. */
  readonly cpu_per_sample_us: number | null;
  /** Its share of one core, percent; null: it ran too short to tell. */
  readonly core_percent: number | null;
  /** Its largest memory, kB; null: not known. */
  readonly rss_max_kb: number | null;
  /** Ticks done. */
  readonly ticks: number;
  /** Deadlines passed without a tick. */
  readonly missed_ticks: number;
  /** Largest lateness of a tick, ms. */
  readonly late_max_ms: number;
  /** Largest 99th percentile of the lateness in a period, ms. */
  readonly late_p99_ms: number;
  /** True where the sampling thread had real-time priority all the time. */
  readonly is_realtime: boolean;
  /** Readings that it says it wrote. */
  readonly samples: number;
  /** Processes that it could not read. */
  readonly denied: number;
  /** Sentinels ignored: stale, or of another process. */
  readonly foreign: number;
  /** Processes and threads born on the host meanwhile; null: not known. */
  readonly forks: number | null;
  /** Processes that it saw come. */
  readonly births_seen: number;
  /** Processes born meanwhile that a tick met, whatever their names; null: nobody looked for them. */
  readonly births_met: number | null;
}
