/**
 * The times on which the queue's promises rest, in one place, so that tests can shorten them together.
 *
 * @module
 */

/** Times of leases and looks, ms. */
export interface Timing {
  /** Between two heartbeats of a worker. */
  readonly heartbeatMs: number;
  /** For how long a heartbeat leases the node. */
  readonly leaseMs: number;
  /** After this long without a renewed lease a worker stops its tasks. */
  readonly cutOffMs: number;
  /** After a lease's end, before its node counts as lost. */
  readonly lostMarginMs: number;
  /** Between two polls for lost nodes. */
  readonly lostCheckMs: number;
  /** For how long a scheduler leads without renewing. */
  readonly leaderLeaseMs: number;
  /** Between two renewals, and between two tries of one that stands by. */
  readonly leaderRenewMs: number;
  /** Between two polls for what a person pushed: no event tells of that. */
  readonly pollMs: number;
  /** Between two portions of results that are written and synced. */
  readonly drainMs: number;
}

/**
 * The times that hold in production. A node that vanishes is noticed 9 to 9.5 s after its last
 * heartbeat: leaseMs + lostMarginMs, and lostCheckMs. Its worker, if it is only cut off, stops its tasks
 * cutOffMs after its last renewal, and 0.5 s later they are killed. If it is stopped (SIGSTOP) its adapter
 * ends them, at most 8.75 s after that renewal. So one is over before another begins.
 */
export const TIMING: Timing = {
  heartbeatMs: 2000,
  leaseMs: 8000,
  cutOffMs: 6000,
  lostMarginMs: 1000,
  lostCheckMs: 500,
  leaderLeaseMs: 3000,
  leaderRenewMs: 1000,
  pollMs: 1000,
  drainMs: 200,
};
