/**
 * `/proc/meminfo`, proc_meminfo(5).
 *
 * @module
 */

import { quote } from "../../trace/schema.ts";

/** The lines of `/proc/meminfo` by name, in kB (those without a unit are counts). */
export function parseMeminfo(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, name, value] = /^([^:]+):\s*(\d+)(?: kB)?$/.exec(line) ?? [];
    if (name === undefined) {
      throw new SyntaxError(
        `Cannot parse /proc/meminfo: "name: number kB" is required, got ${quote(line)}`,
      );
    }
    values.set(name, Number(value));
  }
  return values;
}
