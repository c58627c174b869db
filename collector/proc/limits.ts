/**
 * `/proc/<pid>/limits`, proc_pid_limits(5).
 *
 * @module
 */

/** How many files the process may hold open: the soft limit; Infinity when it is unlimited or not told. */
export function parseOpenFilesLimit(text: string): number {
  const [, limit] = /^Max open files +(\d+) /m.exec(text) ?? [];
  return limit === undefined ? Infinity : Number(limit);
}
