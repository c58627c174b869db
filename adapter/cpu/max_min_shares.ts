/**
 * Max-min fair shares by water-filling (Bertsekas and Gallager, Data Networks, section 6.5.2). Pure.
 *
 * @module
 */

/**
 * Share out `capacity` among `demands`, in any one unit: nobody gets more than it asks for, all of the
 * capacity is given while somebody asks for more, and a share could only grow at the cost of one that
 * is as small or smaller.
 *
 * @returns The shares, in the order of the demands.
 */
export function maxMinShares(capacity: number, demands: readonly number[]): number[] {
  const shares = demands.map(() => 0);
  const ascending = [...demands.keys()].sort((a, b) => (demands[a] ?? 0) - (demands[b] ?? 0));
  let left = capacity;
  for (const [done, index] of ascending.entries()) {
    // The water is equally high for all that are not satisfied yet.
    const level = left / (ascending.length - done);
    const share = Math.min(demands[index] ?? 0, level);
    shares[index] = share;
    left -= share;
  }
  return shares;
}
