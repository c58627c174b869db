/**
 * How many cores this process may use: the one answer that worker, collector and proxy give.
 *
 * @module
 */

/**
 * Logical cores for this process: its affinity (cpuset, taskset), and the quota of its cgroups where that
 * is less. The runtime asks the kernel; a role without access to /proc gets the same answer.
 */
export function availableCores(): number {
  return navigator.hardwareConcurrency;
}
