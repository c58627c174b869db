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
  /** Between two looks for lost nodes. */
  readonly lostCheckMs: number;
  /** For how long a scheduler leads without renewing. */
  readonly leaderLeaseMs: number;
  /** Between two renewals, and between two tries of one that stands by. */
  readonly leaderRenewMs: number;
  /** Between two looks for what a person pushed: no event tells of that. */
  readonly pollMs: number;
  /** Between two portions of results that are written and synced. */
  readonly drainMs: number;
}

/**
 * The times that hold in production. A node that vanishes is noticed within leaseMs + lostMarginMs +
 * lostCheckMs = 9.5 s. Its worker, if it is only cut off, has stopped its tasks cutOffMs after its last
 * renewal, 3 s before that; an adapter whose worker is stopped (SIGSTOP) ends them 6 s after the last
 * keepalive, which is at most a heartbeat younger than the last renewal: still 1 s before.
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
