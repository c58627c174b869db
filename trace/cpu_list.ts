/**
 * Lists of CPUs as cpuset(7) writes them: `0-3,8`.
 *
 * @module
 */

import { quote } from "./schema.ts";

/** More CPUs than Linux supports (NR_CPUS is at most 8192): guards against a list that fills memory. */
const CPU_LIMIT = 8192;

/**
 * The CPUs of a list, ascending, each once.
 *
 * @throws {RangeError} when it is not such a list, or empty.
 */
export function parseCpuList(text: string): number[] {
  const cpus = new Set<number>();
  for (const part of text.trim().split(",")) {
    const [, first = "", last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part) ?? [];
    const from = first === "" ? NaN : Number(first);
    const to = Number(last);
    if (!(from <= to && to < CPU_LIMIT)) {
      throw new RangeError(
        `Cannot use CPU list ${quote(text)}: numbers and ranges like "0-3,8" are required`,
      );
    }
    for (let cpu = from; cpu <= to; cpu++) cpus.add(cpu);
  }
  return [...cpus].sort((a, b) => a - b);
}

/** `cpus` as a list, ranges contracted; `cpus` may be in any order. */
export function formatCpuList(cpus: Iterable<number>): string {
  const ranges: [number, number][] = [];
  for (const cpu of [...new Set(cpus)].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === cpu - 1) last[1] = cpu;
    else ranges.push([cpu, cpu]);
  }
  return ranges.map(([from, to]) => from === to ? `${from}` : `${from}-${to}`).join(",");
}
