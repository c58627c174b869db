/**
 * `/proc/<pid>/statm`, proc_pid_statm(5): read once per sample, so it is parsed as bytes.
 *
 * @module
 */

const SPACE = 32;
const ZERO = 48;
const NINE = 57;

/**
 * Resident pages: the second number of `/proc/<pid>/statm`; NaN where there is none. All numbers are 0 for
 * a zombie, which has no memory left.
 *
 * @param bytes Buffer that holds the file from its beginning.
 * @param length How many bytes of it are the file.
 */
export function residentPages(bytes: Uint8Array, length: number): number {
  let at = 0;
  while (at < length && bytes[at] !== SPACE) at++;
  const start = ++at;
  let pages = 0;
  for (; at < length; at++) {
    const digit = bytes[at] as number;
    if (digit < ZERO || digit > NINE) break;
    pages = pages * 10 + digit - ZERO;
  }
  return at > start ? pages : NaN;
}
