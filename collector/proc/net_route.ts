/**
 * `/proc/net/route`: the IPv4 routing table, proc_pid_net(5).
 *
 * @module
 */

import { quote } from "../../trace/schema.ts";

/** One route. Addresses are numbers in host order: 10.0.0.1 is 0x0a000001. */
export interface Route {
  /** Interface. */
  readonly interface: string;
  /** Network that it leads to. */
  readonly destination: number;
  /** Which bits of an address must agree; 0 for the default route. */
  readonly mask: number;
  /** The lower one wins among equally long masks. */
  readonly metric: number;
}

/** RTF_UP and RTF_REJECT in linux/route.h. */
const RTF_UP = 0x1;
const RTF_REJECT = 0x200;

/** The usable routes of `/proc/net/route`. */
export function parseNetRoute(text: string): Route[] {
  const routes: Route[] = [];
  for (const line of text.split("\n").slice(1)) {
    if (line.trim() === "") continue;
    const [name, destination, , flags, , , metric, mask] = line.trim().split(/\s+/);
    if (name === undefined || mask === undefined) {
      throw new SyntaxError(
        `Cannot parse /proc/net/route: eight fields are required, got ${quote(line)}`,
      );
    }
    const bits = parseInt(flags ?? "", 16);
    if ((bits & RTF_UP) === 0 || (bits & RTF_REJECT) !== 0) continue;
    routes.push({
      interface: name,
      destination: addressOf(destination ?? ""),
      mask: addressOf(mask),
      metric: Number(metric),
    });
  }
  return routes;
}

/** The kernel prints an address as the bytes are in memory: little-endian on every machine we run on. */
function addressOf(hex: string): number {
  const value = parseInt(hex, 16);
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) |
    (value >>> 24)) >>> 0;
}

/** An IPv4 address in dotted form as a number; null when it is something else (a name, IPv6). */
export function parseIpv4(text: string): number | null {
  const parts = text.split(".").map((part) => /^\d{1,3}$/.test(part) ? Number(part) : NaN);
  if (parts.length !== 4 || !parts.every((part) => part <= 255)) return null;
  return parts.reduce((address, part) => address * 256 + part, 0);
}

/** The interface towards `address` (null: the default route): longest mask, then lowest metric. */
export function interfaceTowards(routes: readonly Route[], address: number | null): string | null {
  const usable = routes.filter(({ destination, mask }) =>
    address === null ? mask === 0 : ((address & mask) >>> 0) === destination
  );
  usable.sort((a, b) => b.mask - a.mask || a.metric - b.metric);
  return usable[0]?.interface ?? null;
}
