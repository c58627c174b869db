/**
 * `/proc/stat`, proc_stat(5).
 *
 * @module
 */

/**
 * Processes and threads that were created since boot: `processes`.
 *
 * @throws {SyntaxError} when the line is missing.
 */
export function parseForkCount(text: string): number {
  const [, count] = /^processes (\d+)$/m.exec(text) ?? [];
  if (count !== undefined) return Number(count);
  throw new SyntaxError('Cannot parse /proc/stat: a line "processes N" is required');
}
