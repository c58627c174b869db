/**
 * `/proc/uptime`, proc_uptime(5).
 *
 * @module
 */

import { quote } from "../../trace/schema.ts";

/**
 * Time since boot, suspended time included, ms in steps of 10.
 *
 * @throws {SyntaxError} when the first field is not a number of seconds.
 */
export function parseUptimeMs(text: string): number {
  const [, seconds] = /^(\d+\.\d+) /.exec(text) ?? [];
  if (seconds !== undefined) return Math.round(Number(seconds) * 1000);
  throw new SyntaxError(`Cannot parse /proc/uptime: seconds are required, got ${quote(text)}`);
}
