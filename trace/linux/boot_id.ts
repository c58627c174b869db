/**
 * Identity of a boot, random(4): a pid and a start time mean nothing in another one.
 *
 * @module
 */

/** Where it is below a mount of proc(5). */
export const BOOT_ID_FILE = "sys/kernel/random/boot_id";

/** Identity of this boot; `read` reads a file of the machine. */
export function readBootId(read: (path: string) => string = Deno.readTextFileSync): string {
  return read(`/proc/${BOOT_ID_FILE}`).trim();
}
