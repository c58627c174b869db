/**
 * `/proc/loadavg`, proc_loadavg(5).
 *
 * @module
 */

import { quote } from "../../trace/schema.ts";

/**
 * The id that was given to a process or thread last: the fifth field. While it stays the same, nothing
 * was born.
 *
 * @throws {SyntaxError} when the field is missing.
 */
export function parseLastPid(text: string): number {
  const [, lastPid] = /^\S+ \S+ \S+ \S+ (\d+)\s*$/.exec(text) ?? [];
  if (lastPid !== undefined) return Number(lastPid);
  throw new SyntaxError(`Cannot parse /proc/loadavg: five fields are required, got ${quote(text)}`);
}
