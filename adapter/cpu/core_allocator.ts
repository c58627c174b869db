/**
 * Which cores a task gets in exclusive mode. Pure: the caller keeps what was given.
 *
 * @module
 */

import type { CpuPlace } from "./topology.ts";

/** The state of a node's CPUs. */
export interface CoreState {
  /** The CPUs, neighbours beside each other. */
  readonly places: readonly CpuPlace[];
  /** How many tasks have each CPU; one that is not named is free. */
  readonly loads: ReadonlyMap<number, number>;
}

/**
 * Choose CPUs for a task of `units` vCPUs; fewer where the node has fewer.
 *
 * Free ones while there are enough: a block of neighbours in one NUMA node that breaks up as few whole
 * cores as possible, and is on a multiple of its size, so that later blocks find room. Else the least
 * loaded.
 *
 * @returns The CPUs, ascending.
 */
export function chooseCores(units: number, { places, loads }: CoreState): number[] {
  const count = Math.min(units, places.length);
  const isFree = ({ cpu }: CpuPlace): boolean => (loads.get(cpu) ?? 0) === 0;
  const free = places.filter(isFree);
  const chosen = free.length < count
    ? leastLoaded(count, { places, loads })
    : bestBlock(count, { places, isFree }) ?? scattered(count, free);
  return chosen.map(({ cpu }) => cpu).sort((a, b) => a - b);
}

/** The cheapest run of `count` free neighbours, or null when there is none. */
function bestBlock(
  count: number,
  { places, isFree }: {
    readonly places: readonly CpuPlace[];
    readonly isFree: (place: CpuPlace) => boolean;
  },
): readonly CpuPlace[] | null {
  const threads = Map.groupBy(places, ({ core }) => core);
  let best: { readonly block: readonly CpuPlace[]; readonly cost: readonly number[] } | null = null;
  for (let start = 0; start + count <= places.length; start++) {
    const block = places.slice(start, start + count);
    if (!block.every(isFree)) continue;
    const others = [...new Set(block.map(({ core }) => core))]
      .map((core) => (threads.get(core) ?? []).filter((thread) => !block.includes(thread)));
    const cost = [
      new Set(block.map(({ node }) => node)).size,
      // Cores that were whole, and of which a part is left over.
      others.filter((rest) => rest.length > 0 && rest.every(isFree)).length,
      start % alignment(count) === 0 ? 0 : 1,
      start,
    ];
    if (best === null || isLess(cost, best.cost)) best = { block, cost };
  }
  return best?.block ?? null;
}

/** Without a block: fill up the NUMA nodes with the most free CPUs first. */
function scattered(count: number, free: readonly CpuPlace[]): CpuPlace[] {
  const nodes = [...Map.groupBy(free, ({ node }) => node).values()];
  return nodes.sort((a, b) => b.length - a.length).flat().slice(0, count);
}

function leastLoaded(count: number, { places, loads }: CoreState): CpuPlace[] {
  const load = ({ cpu }: CpuPlace): number => loads.get(cpu) ?? 0;
  // The sort is stable: among equals, neighbours stay beside each other.
  return [...places].sort((a, b) => load(a) - load(b)).slice(0, count);
}

/** Blocks are on multiples of the power of two that holds them. */
function alignment(count: number): number {
  return 2 ** Math.ceil(Math.log2(count));
}

function isLess(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}
