/**
 * Two pieces of machine code that run lists of system calls where JavaScript cannot run: in a process that
 * is about to be started, and on a thread that waits.
 *
 * The first makes a child by the first call of its list, and the child continues with the list until execve
 * replaces it. Why code of our own: whatever must be true at a task's first instruction (its cgroup, affinity, user,
 * session, files, death signal) has to happen between clone and exec, in the child. JavaScript cannot
 * run there. posix_spawn knows neither death signal nor user, and a v2 cgroup only from glibc 2.39; a
 * shell in between costs 0.3 ms of CPU that the task would be charged for, and moving the adapter
 * itself into the task's cgroup waits 6 ms for an RCU grace period on each side. This costs nothing
 * measurable beyond the clone and exec themselves.
 *
 * The child shares memory and stack with the launching thread, which the kernel holds until exec or
 * exit (CLONE_VM | CLONE_VFORK, as vfork(2)); it writes to no stack, so the parent finds its own intact.
 *
 * The second runs its whole list and returns: so the thread that was waiting for the end of a process reads
 * the clock as its next act. To come back to JavaScript first takes another thread, which a loaded machine
 * may leave waiting for tens of milliseconds.
 *
 * Worst outcome on another architecture: none, {@linkcode CODE_ARCHITECTURE} is checked before use.
 *
 * @module
 */

/** The only architecture that this code is for and was tried on. */
export const CODE_ARCHITECTURE = "x86_64-unknown-linux-gnu";

/** Eight-byte words of one system call in a list: its number and six arguments. */
export const SYSTEM_CALL_WORDS = 7;

/** A system call of a list: its number, then at most six arguments. */
export type SystemCall = readonly [number: number, ...args: (number | bigint)[]];

/** The words of `call`. */
export function callWords(call: SystemCall): bigint[] {
  return Array.from(
    { length: SYSTEM_CALL_WORDS },
    (_, index) => BigInt.asUintN(64, BigInt(call[index] ?? 0)),
  );
}

/**
 * `long spawn(const long calls[][7], long failure[2])`, System V calling convention; bytes on the left,
 * what they say on the right (a test assembles the right and compares).
 *
 * Returns what the first call returned: the child's pid, or a negative errno. When a later call fails,
 * the child stores the address of that call and the negative errno in `failure` and exits with 127.
 */
export const SPAWN_LISTING: readonly (readonly [bytes: string, assembly: string])[] = [
  ["53", "push rbx"],
  ["55", "push rbp"],
  ["41 54", "push r12"],
  ["48 89 fb", "mov rbx, rdi"], // the next call
  ["48 89 f5", "mov rbp, rsi"], // failure
  ["45 31 e4", "xor r12d, r12d"], // 1 in the child
  ["48 8b 03", "next: mov rax, [rbx]"],
  ["48 8b 7b 08", "mov rdi, [rbx+8]"],
  ["48 8b 73 10", "mov rsi, [rbx+16]"],
  ["48 8b 53 18", "mov rdx, [rbx+24]"],
  ["4c 8b 53 20", "mov r10, [rbx+32]"],
  ["4c 8b 43 28", "mov r8, [rbx+40]"],
  ["4c 8b 4b 30", "mov r9, [rbx+48]"],
  ["0f 05", "syscall"],
  ["45 85 e4", "test r12d, r12d"],
  ["75 08", "jnz child"],
  ["48 85 c0", "test rax, rax"],
  ["75 25", "jnz parent"],
  ["41 ff c4", "inc r12d"],
  ["48 3d 00 f0 ff ff", "child: cmp rax, -4096"], // above it, unsigned: an errno
  ["77 06", "ja failed"],
  ["48 83 c3 38", "add rbx, 56"],
  ["eb c8", "jmp next"],
  ["48 89 5d 00", "failed: mov [rbp], rbx"],
  ["48 89 45 08", "mov [rbp+8], rax"],
  ["bf 7f 00 00 00", "mov edi, 127"],
  ["b8 e7 00 00 00", "mov eax, 231"], // exit_group
  ["0f 05", "syscall"],
  ["41 5c", "parent: pop r12"],
  ["5d", "pop rbp"],
  ["5b", "pop rbx"],
  ["c3", "ret"],
];

/** The bytes of {@linkcode SPAWN_LISTING}. */
export const SPAWN_CODE: Uint8Array = bytesOfListing(SPAWN_LISTING);

/**
 * `void call(const long calls[][7], long count, long results[])`, System V calling convention: every call
 * of the list, whatever the ones before it returned.
 */
export const CALL_LISTING: readonly (readonly [bytes: string, assembly: string])[] = [
  ["53", "push rbx"],
  ["55", "push rbp"],
  ["41 54", "push r12"],
  ["48 89 fb", "mov rbx, rdi"], // the next call
  ["48 89 f5", "mov rbp, rsi"], // calls left
  ["49 89 d4", "mov r12, rdx"], // the next result
  ["48 8b 03", "next: mov rax, [rbx]"],
  ["48 8b 7b 08", "mov rdi, [rbx+8]"],
  ["48 8b 73 10", "mov rsi, [rbx+16]"],
  ["48 8b 53 18", "mov rdx, [rbx+24]"],
  ["4c 8b 53 20", "mov r10, [rbx+32]"],
  ["4c 8b 43 28", "mov r8, [rbx+40]"],
  ["4c 8b 4b 30", "mov r9, [rbx+48]"],
  ["0f 05", "syscall"],
  ["49 89 04 24", "mov [r12], rax"],
  ["48 83 c3 38", "add rbx, 56"],
  ["49 83 c4 08", "add r12, 8"],
  ["48 ff cd", "dec rbp"],
  ["75 d2", "jnz next"],
  ["41 5c", "pop r12"],
  ["5d", "pop rbp"],
  ["5b", "pop rbx"],
  ["c3", "ret"],
];

/** The bytes of {@linkcode CALL_LISTING}. */
export const CALL_CODE: Uint8Array = bytesOfListing(CALL_LISTING);

function bytesOfListing(
  listing: readonly (readonly [bytes: string, assembly: string])[],
): Uint8Array {
  const bytes = listing.flatMap(([bytes]) => bytes.split(" "));
  return Uint8Array.from(bytes, (byte) => parseInt(byte, 16));
}
