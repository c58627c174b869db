/**
 * Fields that several records have.
 *
 * @module
 */

import { type Field, integer, number, string } from "./schema.ts";

/** A process. */
export const PID: Field<number> = integer({ doc: "Process id.", min: 1 });
/** With {@linkcode PID} the identity of a process. */
export const START_TICKS: Field<number> = integer({
  doc: "starttime of proc_pid_stat(5); with the pid it is the identity of a process.",
  unit: "ticks",
  min: 0,
});
/** Stamp of a reading. */
export const TS_MS: Field<number> = number({
  doc: "Wall clock of the node at this reading.",
  unit: "epoch_ms",
});
/** Stamp of a reading by the clock that nobody sets. */
export const BOOT_MS: Field<number> = number({
  doc: "Boot clock of the node at this reading.",
  unit: "ms",
  min: 0,
});
/** Identity of an invocation. */
export const TRACE_ID: Field<string> = string({
  doc: "Identity of one invocation, as W3C trace context: 32 hex digits.",
});
/** The node that it belongs to. */
export const NODE: Field<string> = string({
  doc: "NODE_ID.",
  // A name of folders, too: a record from elsewhere must not name any other place.
  pattern: /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/,
  expected: 'a NODE_ID of 1 to 64 characters A-Za-z0-9._- (not "." or "..")',
});
