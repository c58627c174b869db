/**
 * `/proc/<pid>/auxv`, proc_pid_auxv(5): what the kernel told the process at its start.
 *
 * @module
 */

/** AT_PAGESZ and AT_NULL of getauxval(3). */
const AT_PAGESZ = 6n;
const AT_NULL = 0n;

/**
 * The machine's page size, bytes, from an auxiliary vector of a 64-bit process; null when the vector
 * does not have it. It is 4096 on most machines, 16384 or 65536 on some of arm64 and powerpc, where
 * an assumed 4096 would make every rss 4 or 16 times too small.
 */
export function parsePageBytes(auxv: Uint8Array): number | null {
  const words = new BigUint64Array(auxv.slice(0, auxv.length & ~15).buffer);
  for (let at = 0; at + 1 < words.length; at += 2) {
    if (words[at] === AT_PAGESZ) return Number(words[at + 1]);
    if (words[at] === AT_NULL) break;
  }
  return null;
}
