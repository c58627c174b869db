/**
 * Quota and weight of each task that shares a node's cores. Pure.
 *
 * @module
 */

import { maxMinShares } from "./max_min_shares.ts";

/** What a task asks for. */
export interface CpuDemand {
  /** Cores that it would use if it had the node to itself. */
  readonly cores: number;
  /** Its weight where everybody gets what it asks for. */
  readonly weight: number;
}

/** What it gets. */
export interface FairShare {
  /** Its quota. */
  readonly cores: number;
  /** Its weight against the others. */
  readonly weight: number;
}

/**
 * Max-min fair quotas of `capacity` cores, and the weights that make them come true.
 *
 * A quota alone is not enough: a task of four vCPUs that may use one core burns its quota on two cores
 * in half of each period, and a task of one vCPU beside it cannot catch up in the other half, because
 * it has one thread. Measured on two cores with weights 100 and 400: 0.64 cores for the small one, of
 * the 1.00 that it is due. So the weight of a task that gets less than it asks for shrinks with what it
 * gets, relative to those that get the most of what they ask; the weights of those stay as they are.
 */
export function fairShares(capacity: number, demands: readonly CpuDemand[]): FairShare[] {
  const shares = maxMinShares(capacity, demands.map(({ cores }) => cores));
  const satisfaction = demands.map(({ cores }, index) => (shares[index] ?? 0) / cores);
  const best = Math.max(...satisfaction);
  return demands.map(({ weight }, index) => ({
    cores: shares[index] ?? 0,
    weight: Math.max(1, Math.round(weight * (satisfaction[index] ?? 0) / best)),
  }));
}
