import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { chooseCores } from "../../../adapter/cpu/core_allocator.ts";
import type { CpuPlace } from "../../../adapter/cpu/topology.ts";

/** A machine as data: `nodes` of `cores` of `threads`; siblings are numbered apart, as Linux does. */
function machine(nodes: number, cores: number, threads: number): CpuPlace[] {
  const places: CpuPlace[] = [];
  for (let core = 0; core < nodes * cores; core++) {
    for (let thread = 0; thread < threads; thread++) {
      places.push({ cpu: core + thread * nodes * cores, core, node: Math.floor(core / cores) });
    }
  }
  return places;
}

const FLAT = machine(1, 8, 1);
/** Siblings 0 and 4, 1 and 5, 2 and 6, 3 and 7. */
const SMT = machine(1, 4, 2);
/** CPUs 0 to 3 and 4 to 7. */
const NUMA = machine(2, 4, 1);

function taken(...cpus: number[]): Map<number, number> {
  return new Map(cpus.map((cpu) => [cpu, 1]));
}

Deno.test.each<[string, number, CpuPlace[], number[], number[]]>([
  ["a whole free machine from its start", 2, FLAT, [], [0, 1]],
  ["the next aligned block, not the nearest free core", 2, FLAT, [0], [2, 3]],
  ["a block of three where a block of four would be", 3, FLAT, [0, 1], [4, 5, 6]],
  ["an unaligned block rather than scattered cores", 2, FLAT, [0, 3, 4, 6], [1, 2]],
  ["scattered cores when no block is left", 2, FLAT, [1, 3, 5, 7], [0, 2]],
  ["both threads of one core", 2, SMT, [], [0, 4]],
  ["the other half of a core that is in use, for one vCPU", 1, SMT, [0], [4]],
  ["whole cores, past one that is half in use", 2, SMT, [0], [1, 5]],
  ["all four threads of two neighbouring cores", 4, SMT, [0, 4], [2, 3, 6, 7]],
  ["cores of one NUMA node", 4, NUMA, [0], [4, 5, 6, 7]],
  ["two NUMA nodes when one is too small", 6, NUMA, [0], [1, 2, 3, 4, 5, 6]],
  ["no more than there are", 9, FLAT, [], [0, 1, 2, 3, 4, 5, 6, 7]],
])("chooseCores() takes %s", (_, units, places, busy, chosen) => {
  assertEquals(chooseCores(units, { places, loads: taken(...busy) }), chosen);
});

Deno.test("chooseCores() shares the least loaded cores when too few are free", () => {
  const loads = new Map(FLAT.map(({ cpu }) => [cpu, cpu === 5 ? 0 : cpu === 2 ? 1 : 2]));
  assertEquals(chooseCores(2, { places: FLAT, loads }), [2, 5]);
});

const MACHINE = fc.tuple(
  fc.integer({ min: 1, max: 3 }),
  fc.integer({ min: 1, max: 6 }),
  fc.integer({ min: 1, max: 3 }),
).map(([nodes, cores, threads]) => machine(nodes, cores, threads));

Deno.test("chooseCores() never gives a core twice while enough are free", () => {
  fc.assert(fc.property(MACHINE, fc.array(fc.integer({ min: 1, max: 8 })), (places, requests) => {
    const loads = new Map<number, number>();
    for (const units of requests) {
      const free = places.length - loads.size;
      const cpus = chooseCores(units, { places, loads });
      assertEquals(cpus.length, Math.min(units, places.length));
      assertEquals(new Set(cpus).size, cpus.length);
      assert(cpus.every((cpu) => places.some((place) => place.cpu === cpu)));
      if (free < units) return;
      assert(cpus.every((cpu) => !loads.has(cpu)), `${cpus} of ${[...loads.keys()]}`);
      for (const cpu of cpus) loads.set(cpu, 1);
    }
  }));
});

Deno.test("chooseCores() spreads what it must share evenly", () => {
  fc.assert(fc.property(MACHINE, fc.array(fc.integer({ min: 1, max: 8 })), (places, requests) => {
    const loads = new Map(places.map(({ cpu }) => [cpu, 0]));
    for (const units of requests) {
      for (const cpu of chooseCores(units, { places, loads })) {
        loads.set(cpu, (loads.get(cpu) ?? 0) + 1);
      }
    }
    assert(Math.max(...loads.values()) - Math.min(...loads.values()) <= 1);
  }));
});
