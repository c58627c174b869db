/**
 * Errors of the kernel by number, errno(3). Deno has classes for some of them only, and leaves the number
 * to the message; this is the one place that reads it there.
 *
 * @module
 */

/** Numbers of asm-generic/errno-base.h and errno.h, the same on every architecture that Deno runs on. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  E2BIG: 7,
  ENOEXEC: 8,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  EOPNOTSUPP: 95,
  ENOTCONN: 107,
  ESTALE: 116,
  EDQUOT: 122,
} as const;

/** What they mean, in strerror(3)'s words; those that starting a process can give. */
const MEANINGS: Readonly<Record<number, string>> = {
  [ERRNO.EPERM]: "EPERM: operation not permitted",
  [ERRNO.ENOENT]: "ENOENT: no such file or directory",
  [ERRNO.EIO]: "EIO: input/output error",
  [ERRNO.E2BIG]: "E2BIG: argument list too long",
  [ERRNO.ENOEXEC]: "ENOEXEC: exec format error",
  [ERRNO.EAGAIN]: "EAGAIN: resource temporarily unavailable",
  [ERRNO.ENOMEM]: "ENOMEM: cannot allocate memory",
  [ERRNO.EACCES]: "EACCES: permission denied",
  [ERRNO.EBUSY]: "EBUSY: device or resource busy",
  [ERRNO.ENOTDIR]: "ENOTDIR: not a directory",
  [ERRNO.EISDIR]: "EISDIR: is a directory",
  [ERRNO.EINVAL]: "EINVAL: invalid argument",
  [ERRNO.ENFILE]: "ENFILE: too many open files in system",
  [ERRNO.EMFILE]: "EMFILE: too many open files",
  [ERRNO.ETXTBSY]: "ETXTBSY: text file busy",
  [ERRNO.ENOSPC]: "ENOSPC: no space left on device",
  [ERRNO.EROFS]: "EROFS: read-only file system",
  [ERRNO.ENAMETOOLONG]: "ENAMETOOLONG: file name too long",
  [ERRNO.ENOSYS]: "ENOSYS: function not implemented",
  [ERRNO.ELOOP]: "ELOOP: too many levels of symbolic links",
};

/** What an errno means. */
export function errorText(errno: number): string {
  return MEANINGS[errno] ?? `errno ${errno}`;
}

/**
 * The errno behind an error of the runtime; null when it does not come from the kernel. A file system
 * error has the number in its message, `Deno.kill` only the name.
 */
export function errnoOf(error: unknown): number | null {
  if (!(error instanceof Error)) return null;
  // The number is before the path, so that a path with such words in it changes nothing.
  const [, number, name] = /\(os error (\d+)\)|^(E[A-Z0-9]+):/.exec(error.message) ?? [];
  if (number !== undefined) return Number(number);
  return Object.entries(ERRNO).find(([one]) => one === name)?.[1] ?? null;
}

/** True when `error` is one of `numbers`. */
export function isErrno(error: unknown, ...numbers: readonly number[]): boolean {
  const errno = errnoOf(error);
  return errno !== null && numbers.includes(errno);
}

/**
 * True when a file below /proc/PID could not be read, or a signal not sent, because the process has ended:
 * ENOENT before the open, ESRCH after it.
 */
export function isNoSuchProcess(error: unknown): boolean {
  return isErrno(error, ERRNO.ENOENT, ERRNO.ESRCH);
}

/** True when `error`, or one that it wraps, says that no space or no quota is left. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return isErrno(error, ERRNO.ENOSPC, ERRNO.EDQUOT) || isDiskFull(error.cause);
}
