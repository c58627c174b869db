/**
 * Variants of a workload and of a topology: pure.
 *
 * The rule of a workload's variant: each task is kept with the probability `sample`, by a hash of the
 * seed, its id and its copy; copy 1, 2, … of the run is shifted by an offset of its own, uniform over the
 * span of the submissions by a hash of the seed and the copy, and wraps around at the end of that span.
 *
 * @module
 */

import type { HostSpec, TopologySpec } from "../opendc/topology.ts";
import type { SweepTopology, SweepWorkload } from "./spec.ts";

/** A task of a variant. */
export interface VariantTask {
  /** Place of its original. */
  readonly original: number;
  /** Copy, from 0. */
  readonly copy: number;
  /** Submission, ms. */
  readonly submissionMs: number;
}

/** The tasks of a variant in the order of submission. */
export function variantOf(
  submissionsMs: ArrayLike<number>,
  { workload, seed }: { readonly workload: SweepWorkload; readonly seed: number },
): VariantTask[] {
  const all = Array.from(submissionsMs);
  const firstMs = all.reduce((min, one) => Math.min(min, one), Infinity);
  const spanMs = all.reduce((max, one) => Math.max(max, one), -Infinity) - firstMs + 1;
  const sample = workload.sample ?? 1;
  const tasks: VariantTask[] = [];
  for (let copy = 0; copy < (workload.copies ?? 1); copy++) {
    const offsetMs = copy === 0 ? 0 : Math.floor(uniformOf(seed, copy, -1) * spanMs);
    for (const [original, submissionMs] of all.entries()) {
      if (sample < 1 && uniformOf(seed, copy, original) >= sample) continue;
      const shiftedMs = firstMs + (submissionMs - firstMs + offsetMs) % spanMs;
      tasks.push({ original, copy, submissionMs: shiftedMs });
    }
  }
  return tasks.sort((a, b) =>
    a.submissionMs - b.submissionMs || a.copy - b.copy || a.original - b.original
  );
}

/** A number in [0, 1) that depends on the three alone: the finalizer of MurmurHash3 over each. */
function uniformOf(seed: number, copy: number, original: number): number {
  let hash = 0;
  for (const part of [seed, copy, original]) {
    hash = Math.imul(hash ^ (part + 0x9e3779b9), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return (hash >>> 0) / 2 ** 32;
}

/** A topology with its hosts, cores and speeds changed. */
export function topologyVariant(spec: TopologySpec, change: SweepTopology): TopologySpec {
  return {
    clusters: spec.clusters.map(({ name, hosts }) => ({
      name,
      hosts: hosts.map((host) => hostVariant(host, change)),
    })),
  };
}

/** Over-provisioning keeps the host's total: more vCPUs, each of them slower. */
function hostVariant(host: HostSpec, change: SweepTopology): HostSpec {
  const cores = Math.max(1, Math.round(host.cpu.coreCount * (change.cores ?? 1)));
  const speedMhz = host.cpu.coreSpeed * (change.speed ?? 1);
  const vcpus = Math.max(1, Math.floor(cores * (change.over_provisioning ?? 1)));
  return {
    ...host,
    count: host.count * (change.hosts ?? 1),
    cpu: { ...host.cpu, coreCount: vcpus, coreSpeed: speedMhz * cores / vcpus },
  };
}
