/**
 * The audit of an imported run: what the source could not say, and what was chosen in its place. Pure.
 *
 * @module
 */

import { FORMAT_VERSION } from "../../trace/records.ts";
import { roundToUs } from "../../trace/units.ts";
import { counted } from "../../trace/counted.ts";
import type { Audit } from "../audit/audit.ts";
import { cpuControlAccount } from "../audit/cpu_control.ts";
import type { Finding } from "../audit/finding.ts";
import {
  type ImportCounts,
  MISSING_FIELDS,
  type MissingField,
  UNNAMED_NODE,
  type WrittenNode,
} from "./counts.ts";

const COSTS: Readonly<Record<MissingField, string>> = {
  ts_enqueue: "waiting times are unknown; an export submits the task when it started",
  ts_start: "the task is not exported",
  ts_end: "the task is not exported",
  cpu_units: "an export takes the cores from use",
  cpu_ms: "the task's demand is unknown; an export leaves it out unless --fill reserved is given",
  max_rss_kb: "an export writes 0 for its memory",
};

/** The audit of what was imported as `format`. */
export function importAudit(
  counts: ImportCounts,
  { format, nodes }: { readonly format: string; readonly nodes: readonly WrittenNode[] },
): Audit {
  const findings = [
    ...missingFindings(counts),
    ...derivedFindings(nodes),
    ...badFindings(counts),
  ];
  const known = (field: MissingField): number => counts.invocations - counts.missing[field];
  return {
    format_version: FORMAT_VERSION,
    node: nodes.length === 1 ? nodes[0]?.node.node_id ?? UNNAMED_NODE : `${nodes.length} nodes`,
    verdict: findings.length === 0 ? "PASS" : "FINDINGS",
    collector: null,
    tasks: counts.invocations,
    states: counts.states,
    samples: counts.samples,
    cpu_total_ms: roundToUs(counts.cpuMs),
    cpu_seen_ms: 0,
    cpu_spread_ms: roundToUs(counts.cpuMs),
    judged_tasks: 0,
    unseen_intervals_max: 0,
    cpu_residual_max_ms: 0,
    fields: {
      ts_enqueue: known("ts_enqueue"),
      ts_start: known("ts_start"),
      ts_end: known("ts_end"),
      pid: 0,
      cpu_ms: known("cpu_ms"),
      max_rss_kb: known("max_rss_kb"),
    },
    clock_error_max_ms: null,
    cpu_control: cpuControlAccount([], {}),
    unseen: [],
    findings,
    notes: [
      `Imported from ${format}; nothing here was measured by Tracekit`,
      ...counts.notes,
      ...Object.entries(counts.leftOut).map(([reason, count]) => `Left out, ${reason}: ${count}`),
      ...(counts.unused.size === 0
        ? []
        : [`Not used of the source: ${[...counts.unused].join(", ").slice(0, 500)}`]),
    ],
  };
}

function missingFindings(counts: ImportCounts): Finding[] {
  return MISSING_FIELDS.filter((field) => counts.missing[field] > 0).map((field) => ({
    check: `import_${field}`,
    count: counts.missing[field],
    what: `${counts.missing[field]} of ${counts.invocations} invocations have no ${field}`,
    cost: COSTS[field],
    action: "ask the source for it, where it can say it (docs/how-to/import.md)",
    examples: [],
  }));
}

function derivedFindings(nodes: readonly WrittenNode[]): Finding[] {
  const derived = nodes.filter(({ areCoresDerived }) => areCoresDerived);
  if (derived.length === 0) return [];
  return [{
    check: "import_cores",
    count: derived.length,
    what: `the source does not say how many cores ${counted(derived.length, "host")} had`,
    cost: "the most that was reserved there at one time stands for it: a lower bound",
    action: "give it with --cores N",
    examples: derived.slice(0, 5).map(({ node }) => `${node.node_id}: ${node.cpu_cores}`),
  }];
}

function badFindings({ bad, badExamples }: ImportCounts): Finding[] {
  if (bad === 0) return [];
  return [{
    check: "import_bad_lines",
    count: bad,
    what: `lines or entries that could not be read: ${bad}`,
    cost: "what they say is missing here",
    action: "look at the examples",
    examples: badExamples,
  }];
}
