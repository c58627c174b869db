/**
 * Numbers of Linux's user-space ABI, with where they are defined. They never change; those of system calls
 * are of x86_64.
 *
 * @module
 */

/** System calls, asm/unistd_64.h. */
export const SYSTEM_CALL = {
  write: 1,
  close: 3,
  rtSigaction: 13,
  rtSigprocmask: 14,
  dup2: 33,
  clone: 56,
  execve: 59,
  umask: 95,
  chdir: 80,
  setsid: 112,
  setgroups: 116,
  setresuid: 117,
  setresgid: 119,
  prctl: 157,
  schedSetscheduler: 144,
  schedSetaffinity: 203,
  clockGettime: 228,
  waitid: 247,
  openat: 257,
  clone3: 435,
  closeRange: 436,
} as const;

/** clone(2), linux/sched.h. */
export const CLONE_VM = 0x100;
/** The parent is suspended until exec or exit. */
export const CLONE_VFORK = 0x4000;
/** clone3 only: handlers become the default, ignored signals stay ignored. */
export const CLONE_CLEAR_SIGHAND = 0x1_0000_0000;
/** clone3 only, Linux 5.7: the child is born in the cgroup of a descriptor. */
export const CLONE_INTO_CGROUP = 0x2_0000_0000;

/** open(2), asm-generic/fcntl.h. */
export const O_RDONLY = 0;
/** Open for writing. */
export const O_WRONLY = 0o1;
/** Make the file when it is missing. */
export const O_CREAT = 0o100;
/** Each write goes to the end. */
export const O_APPEND = 0o2000;
/** Fail unless it is a folder. */
export const O_DIRECTORY = 0o200000;
/** Closed in programs that are executed. */
export const O_CLOEXEC = 0o2000000;
/** Paths count from the working directory. */
export const AT_FDCWD: number = -100;

/** fallocate(2), linux/falloc.h. */
export const FALLOC_FL_KEEP_SIZE = 1;
/** Give the blocks back. */
export const FALLOC_FL_PUNCH_HOLE = 2;

/** prctl(2), linux/prctl.h. */
export const PR_SET_PDEATHSIG = 1;
/** Whether a core is written. */
export const PR_SET_DUMPABLE = 4;
/** Descendants that lose their parent become this process's children. */
export const PR_SET_CHILD_SUBREAPER = 36;

/** wait(2), linux/wait.h. */
export const P_ALL = 0;
/** Return at once. */
export const WNOHANG = 1;
/** Children that have ended. */
export const WEXITED = 4;
/** Leave the child to be reaped later. */
export const WNOWAIT = 0x0100_0000;
/** Bytes of siginfo_t. */
export const SIGINFO_BYTES = 128;
/** Its 32-bit word si_pid, on 64-bit Linux. */
export const SI_PID_WORD = 4;

/** Normal scheduling, sched(7). */
export const SCHED_OTHER = 0;
/** First in, first out, above all normal threads. */
export const SCHED_FIFO = 1;
/** What the thread forks is scheduled normally. */
export const SCHED_RESET_ON_FORK = 0x4000_0000;

/** sigprocmask(2), asm-generic/signal.h. */
export const SIG_SETMASK = 2;

/** Signals by number, signal(7); those that have other numbers elsewhere have these on x86_64. */
const SIGNALS: readonly (Deno.Signal | null)[] = [
  null,
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGILL",
  "SIGTRAP",
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGKILL",
  "SIGUSR1",
  "SIGSEGV",
  "SIGUSR2",
  "SIGPIPE",
  "SIGALRM",
  "SIGTERM",
  "SIGSTKFLT",
  "SIGCHLD",
  "SIGCONT",
  "SIGSTOP",
  "SIGTSTP",
  "SIGTTIN",
  "SIGTTOU",
  "SIGURG",
  "SIGXCPU",
  "SIGXFSZ",
  "SIGVTALRM",
  "SIGPROF",
  "SIGWINCH",
  "SIGIO",
  "SIGPWR",
  "SIGSYS",
];

/** Number of a signal. */
export function signalNumber(name: Deno.Signal): number {
  return SIGNALS.indexOf(name);
}

/** Name of a signal; `SIGRT<n>` for a real-time one, which has none. */
export function signalName(number: number): string {
  return SIGNALS[number] ?? `SIGRT${number}`;
}
