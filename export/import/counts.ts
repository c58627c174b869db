/**
 * What an import counts on its way, for the audit: pure.
 *
 * @module
 */

import type { CtsNode } from "../../trace/cts.ts";

/** Name of the host that stands for a cluster of which no host is named. */
export const UNNAMED_NODE = "cluster";

/** What is missing or was chosen, with how often. */
export interface ImportCounts {
  /** Invocations written. */
  invocations: number;
  /** Readings written. */
  samples: number;
  /** Invocations that lack each of these fields. */
  readonly missing: Record<MissingField, number>;
  /** Invocations by state. */
  readonly states: Record<string, number>;
  /** Lines or entries that do not have the format's shape. */
  bad: number;
  /** A few of them, with the reason. */
  readonly badExamples: string[];
  /** Entries left out, by reason. */
  readonly leftOut: Record<string, number>;
  /** Columns or fields without a counterpart. */
  readonly unused: Set<string>;
  /** Choices and limits of this import. */
  readonly notes: Set<string>;
  /** CPU time of all invocations, ms. */
  cpuMs: number;
}

/** Fields whose absence is a finding. */
export const MISSING_FIELDS = [
  "ts_enqueue",
  "ts_start",
  "ts_end",
  "cpu_units",
  "cpu_ms",
  "max_rss_kb",
] as const;

/** One of {@linkcode MISSING_FIELDS}. */
export type MissingField = typeof MISSING_FIELDS[number];

/** A host as it is written, and what of it was derived. */
export interface WrittenNode {
  /** The record. */
  readonly node: CtsNode;
  /** True where cpu_cores is the most that was reserved at one time. */
  readonly areCoresDerived: boolean;
}
