/**
 * How the run's scheduler placed, from what it wrote down about itself.
 *
 * @module
 */

import { basename, dirname } from "@std/path";
import type { CtsNode } from "../../trace/cts.ts";
import { RUN_META } from "../../trace/records.ts";
import { readRecordFile } from "../../trace/record_file.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { parseWeigher, termsOf, type Weigher } from "../../trace/weighers.ts";
import type { Policy } from "./experiment.ts";

/** The placement, and what is to be said about it. */
export interface FoundPolicy extends Policy {
  /** What could not be found or expressed, one sentence each. */
  readonly notes: readonly string[];
}

/** The placement of the run in `input`; first-fit where no scheduler left its flags. */
export async function readPolicy(
  input: string,
  nodes: readonly CtsNode[],
): Promise<FoundPolicy> {
  const flags = await schedulerFlags(input);
  const notes: string[] = [];
  const text = flags?.weigher ?? "";
  const weigher = knownWeigher(text);
  if (flags === null) {
    notes.push("No run_meta.scheduler.json was found: the experiment places first-fit.");
  } else if (weigher === null) {
    notes.push(`The weigher "${text}" is not known here: the experiment places first-fit.`);
  }
  const scanned = Number(flags?.["scan-pending"] ?? 1);
  if (scanned > 1) {
    notes.push(
      `The scheduler looked at the first ${scanned} pending tasks; OpenDC's queue is strict FIFO.`,
    );
  }
  const weighers = termsOf(weigher ?? "", flags?.["weigher-order"] === "max" ? "max" : "min");
  const capacities = new Set(nodes.map((node) => node.capacity_units));
  if (weighers.some((term) => term.weigher === "vcpu") && capacities.size > 1) {
    notes.push(
      "OpenDC's VCpu weigher counts free vCPUs, the scheduler those in use: as the nodes have " +
        "different capacities, it can prefer another node.",
    );
  }
  return {
    weighers,
    slots: commonSlots(nodes, notes),
    notes,
  };
}

/** The weigher of a scheduler's flag; null where it is none of this version's. */
function knownWeigher(text: string): Weigher | null {
  try {
    return parseWeigher(text);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Folders in which the scheduler's files of the run in `input` can be. */
export function runFoldersOf(input: string): string[] {
  const folders = [input, dirname(input)];
  if (basename(input) === "CTS") folders.push(dirname(dirname(input)));
  return folders;
}

/** Beside the run's files; beside those of its nodes where `input` is one node's part of the run. */
async function schedulerFlags(input: string): Promise<Readonly<Record<string, string>> | null> {
  for (const folder of runFoldersOf(input)) {
    const path = RunDir.at(folder).runMeta("scheduler");
    const meta = await readRecordFile(path, RUN_META.decode);
    if (meta !== null) return meta.flags;
  }
  return null;
}

/** Slots that every node has: OpenDC's filter knows one limit for all hosts. */
function commonSlots(nodes: readonly CtsNode[], notes: string[]): number | null {
  const slots = new Set(nodes.map((node) => node.slots ?? 0));
  if (slots.size > 1) {
    notes.push("The nodes have different numbers of slots, which OpenDC cannot express: left out.");
    return null;
  }
  const [only = 0] = slots;
  return only > 0 ? only : null;
}
