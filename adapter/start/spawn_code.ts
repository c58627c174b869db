/**
 * The machine code that starts a process: it runs a list of system calls, the first of which makes the
 * child, and the child goes on with the list until execve replaces it.
 *
 * Why code of our own: whatever must be true at a task's first instruction (its cgroup, affinity, user,
 * session, files, death signal) has to happen between clone and exec, in the child. JavaScript cannot
 * run there. posix_spawn knows neither death signal nor user, and a v2 cgroup only from glibc 2.39; a
 * shell in between costs 0.3 ms of CPU that the task would be charged for, and moving the adapter
 * itself into the task's cgroup waits 6 ms for an RCU grace period on each side. This costs nothing
 * measurable beyond the clone and exec themselves.
 *
 * The child shares memory and stack with the launching thread, which the kernel holds until exec or
 * exit (CLONE_VM | CLONE_VFORK, as vfork(2)); it writes to no stack, so the parent finds its own intact.
 * Worst outcome on another architecture: none, {@linkcode SPAWN_ARCHITECTURE} is checked before use.
 *
 * @module
 */

/** The only architecture that {@linkcode SPAWN_CODE} is for and was tried on. */
export const SPAWN_ARCHITECTURE = "x86_64-unknown-linux-gnu";

/** Eight-byte words of one system call in the list: its number and six arguments. */
export const SYSTEM_CALL_WORDS = 7;

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
export const SPAWN_CODE: Uint8Array = Uint8Array.from(
  SPAWN_LISTING.flatMap(([bytes]) => bytes.split(" ")),
  (byte) => parseInt(byte, 16),
);
