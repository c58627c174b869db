/**
 * What an export has written, as its manifest and its summary tell it.
 *
 * @module
 */

import type { WorkloadTask } from "./workload.ts";
import type { PlannedTask } from "./plan.ts";
import type { FileHash } from "../file_hash.ts";

/** A file of the export. */
export interface OutputFile extends FileHash {
  /** Path, relative to the folder. */
  readonly name: string;
}

/** An experiment of an export. */
export interface ManifestExperiment {
  /** Its name: OpenDC writes to `output/<name>/`. */
  readonly name: string;
  /** Its file in the form of OpenDCExperimentRunner, v2.4f and later, and of `opendc --legacy`. */
  readonly file: string;
  /** Its file in the form of the SDK of 2026, for `opendc run`; null: of an older export. */
  readonly sdk_file: string | null;
  /** What its times are multiplied by. */
  readonly time_factor: number;
  /** The node that it replays; null: all, with the run's policy. */
  readonly node: string | null;
  /**
   * True where each task holds its capacity from its placement to its release, `lead_ms` before its
   * start and `tail_ms` after its end, as the manifest has them by task; null: of an older export.
   */
  readonly has_latencies: boolean | null;
  /** Tasks that are not of the run, each of which occupies a host until it joined; null: none. */
  readonly extra_tasks: number | null;
}

/** A task with what its fragments showed. */
export interface WrittenTask {
  /** The task. */
  readonly task: PlannedTask;
  /** Its row in tasks.parquet. */
  readonly row: WorkloadTask;
  /** True where nothing was reserved and `cpu_count` is from use. */
  readonly isCountFromUse: boolean;
}

/** What was written so far. */
export interface Written {
  /** Parquet files. */
  readonly outputs: OutputFile[];
  /** Experiments. */
  readonly experiments: ManifestExperiment[];
  /** Fragments of the whole workload. */
  fragments: number;
  /** Rows that were there twice. */
  duplicateRows: number;
  /** Rows that reach beyond their task. */
  rowsOutside: number;
}
