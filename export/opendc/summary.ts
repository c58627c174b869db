/**
 * What is asked of an export, and what is told of it.
 *
 * @module
 */

import type {
  CAPACITY_CHOICES,
  FILL_CHOICES,
  LeftOut,
  STATUS_CHOICES,
  TASK_ID_MODES,
} from "./tasks.ts";
import type { PowerModel } from "../power/models.ts";
import type { CompressionName } from "./schema.ts";
import type { RowCounts } from "./join.ts";

/** What to export and how. */
export interface ExportOptions {
  /** A run, or the directory of one of its nodes. */
  readonly input: string;
  /** Folder for the export; made when it is missing. */
  readonly output: string;
  /** How ids are given. Default `auto`. */
  readonly taskIdMode?: typeof TASK_ID_MODES[number];
  /** What `cpu_capacity` says. Default `reserved`. */
  readonly capacity?: typeof CAPACITY_CHOICES[number];
  /** `reserved`: tasks that were not measured are exported as using all that was reserved. */
  readonly fill?: typeof FILL_CHOICES[number] | null;
  /** Which end states are exported. Default `done`. */
  readonly status?: typeof STATUS_CHOICES[number];
  /** True exports processes, trees and cgroups that were observed, too. Default false. */
  readonly areServicesExported?: boolean;
  /** Frequency of a core of every node, MHz; null: that of each node. */
  readonly cpuFreqMhz?: number | null;
  /** What the times of the policy's experiment are multiplied by; 1: the workload as it is. Default 1000. */
  readonly timeScale?: number;
  /** Power models by node; default: none, so that OpenDC takes its own. */
  readonly power?: ReadonlyMap<string, PowerModel>;
  /** Carbon intensities of the grid, parquet or CSV; null: none. Default null. */
  readonly carbon?: string | null;
  /** Codec. Default `zstd`. */
  readonly compression?: CompressionName;
  /** Version of Tracekit, for the footers and the manifest. */
  readonly version: string;
  /** Told how far it is. */
  readonly report?: (progress: ExportProgress) => void;
  /** Ends the export; nothing is left behind. */
  readonly signal?: AbortSignal;
}

/** How far an export is. */
export interface ExportProgress {
  /** Part of the whole that is done, 0 to 1. */
  readonly fraction: number;
  /** What is being done. */
  readonly what: string;
}

/** What was exported. */
export interface ExportSummary {
  /** The folder. */
  readonly output: string;
  /** Tasks of the workload. */
  readonly tasks: number;
  /** Fragments of the workload. */
  readonly fragments: number;
  /** First submission, epoch ms; null without tasks. */
  readonly first_submission_ms: number | null;
  /** Last end minus first submission, ms. */
  readonly makespan_ms: number;
  /** Invocations that are not in the workload, and why. */
  readonly left_out: readonly LeftOut[];
  /** Names of tasks whose use was filled on request. */
  readonly filled: readonly string[];
  /** Names of tasks with an exact total and no series. */
  readonly totals_only: readonly string[];
  /** Names of tasks whose memory is not known; 0 is written. */
  readonly memory_unknown: readonly string[];
  /** Names of tasks without a reservation; cpu_count is from use. */
  readonly count_from_use: readonly string[];
  /** Counts of the rows that were read. */
  readonly rows: RowCounts;
  /** Rows that were there twice and count once. */
  readonly duplicate_rows: number;
  /** Rows that reach beyond their task; their CPU time is kept at its edge. */
  readonly rows_outside_task: number;
  /** Invocations that were there twice and count once. */
  readonly duplicate_invocations: number;
  /** Lines of invocations.jsonl that are not a record. */
  readonly malformed_invocations: number;
  /** The file that carbon intensities are from; null: none. */
  readonly carbon: string | null;
  /** What is to be known before simulating. */
  readonly notes: readonly string[];
  /** Every file, relative to the folder. */
  readonly files: readonly string[];
}
