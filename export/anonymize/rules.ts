/**
 * What becomes of each field of a record when a run is anonymised. Pure.
 *
 * Numbers, switches and words of a fixed list are kept: they are what the trace is for. Every field that
 * can hold any text has a rule here, and a test fails for one that has none.
 *
 * @module
 */

import type { Field, Unit } from "../../trace/schema.ts";

/** What becomes of a text. */
export type TextRule =
  /** Kept: a word of the format itself. */
  | "keep"
  /** A keyed hash, the same for the same text. */
  | "hash"
  /** Removed: null, or the empty value of its kind. */
  | "remove"
  /** Kept where it names a profile or an environment of Tracekit's own, else hashed. */
  | "hash_unless_known"
  /** Major and minor version only. */
  | "version";

/** The rule of each field that can hold any text. */
export const TEXT_RULES: Readonly<Record<string, TextRule>> = {
  format_version: "keep",
  role: "keep",
  version: "keep",
  deno_version: "keep",
  module_id: "keep",
  signal: "keep",
  cpus: "keep",
  cpuset: "keep",
  reasons: "keep",
  weighers: "keep",
  run_id: "hash",
  node_id: "hash",
  node: "hash",
  token_nodes: "hash",
  task_id: "hash",
  trace_id: "hash",
  span_id: "hash",
  parent_id: "hash",
  instance_id: "hash",
  parents: "hash",
  leader: "hash",
  boot_id: "hash",
  host_name: "hash",
  comm: "hash",
  path: "hash",
  input: "hash",
  output: "hash",
  argv: "hash",
  shares: "hash",
  container: "hash",
  pod_uid: "hash",
  cgroup: "remove",
  method: "keep",
  profile: "hash_unless_known",
  stage: "hash_unless_known",
  kernel: "version",
  cpu_model: "remove",
  interface: "remove",
  address: "remove",
  flags: "remove",
  reason: "remove",
  stderr_tail: "remove",
  problems: "remove",
};

/** How a number is moved: wall times by one offset, the boot clock and start ticks by another. */
export type TimeRule = "wall" | "boot" | "ticks" | null;

/** The rule of the field `name`; null: it is kept. */
export function timeRuleOf(name: string, { unit }: { readonly unit: Unit | null }): TimeRule {
  if (unit === "epoch_ms") return "wall";
  if (name === "start_ticks") return "ticks";
  return /^boot_(start_|end_)?ms$/.test(name) ? "boot" : null;
}

/** The rule of a field; null: its values are of a fixed list or numbers. */
export function textRuleOf(name: string, field: Field<unknown>): TextRule | null {
  const isOpen = ["string", "list", "map", "record"].includes(field.kind) &&
    field.json.enum === undefined;
  return isOpen ? TEXT_RULES[name] ?? "remove" : null;
}
