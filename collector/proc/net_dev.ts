/**
 * `/proc/net/dev`, proc_pid_net(5).
 *
 * @module
 */

import { quote } from "../../trace/schema.ts";

/** Traffic of one interface since it came up. */
export interface Traffic {
  /** Bytes received. */
  readonly receivedBytes: number;
  /** Bytes sent. */
  readonly sentBytes: number;
}

/** The traffic of every interface, by name. */
export function parseNetDev(text: string): ReadonlyMap<string, Traffic> {
  const byName = new Map<string, Traffic>();
  // Two lines of headings; sent bytes are the ninth number.
  for (const line of text.split("\n").slice(2)) {
    if (line === "") continue;
    const [, name, rest = ""] = /^\s*(\S+?):\s*(\d.*)$/.exec(line) ?? [];
    const numbers = rest.split(/\s+/).map(Number);
    const [receivedBytes, sentBytes] = [numbers[0], numbers[8]];
    if (name === undefined || !isCount(receivedBytes) || !isCount(sentBytes)) {
      throw new SyntaxError(
        `Cannot parse /proc/net/dev: "name: 16 numbers" is required, got ${quote(line)}`,
      );
    }
    byName.set(name, { receivedBytes, sentBytes });
  }
  return byName;
}

function isCount(value: number | undefined): value is number {
  return Number.isSafeInteger(value);
}
