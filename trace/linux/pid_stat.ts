/**
 * `/proc/<pid>/stat`, proc_pid_stat(5).
 *
 * @module
 */

import { quote } from "../schema.ts";

/** The fields of proc_pid_stat(5) that are in use. */
export interface PidStat {
  /** Process id (field 1). */
  readonly pid: number;
  /** Name, at most 15 bytes of anything, parentheses and newlines included (field 2). */
  readonly comm: string;
  /** State letter; Z is a zombie (field 3). */
  readonly state: string;
  /** Process id of the parent (field 4). */
  readonly ppid: number;
  /** Session, the pid of its leader; -1 while the process ends, 0 outside its namespace (field 6). */
  readonly session: number;
  /** True for a thread of the kernel (PF_KTHREAD of field 9). */
  readonly isKernelThread: boolean;
  /** True for a thread that is not the first of its process: its exit_signal (field 38) is -1. */
  readonly isLaterThread: boolean;
  /** User time, clock ticks (field 14). */
  readonly utimeTicks: number;
  /** System time, clock ticks (field 15). */
  readonly stimeTicks: number;
  /** User time of the children that were waited for, and of theirs, clock ticks (field 16). */
  readonly childrenUtimeTicks: number;
  /** System time of the same, clock ticks (field 17). */
  readonly childrenStimeTicks: number;
  /** Start after boot, clock ticks (field 22). */
  readonly startTicks: number;
  /** Resident memory, pages (field 24). */
  readonly rssPages: number;
}

/** PF_KTHREAD in linux/sched.h: the same bit since Linux 2.6.27. */
const PF_KTHREAD = 0x00200000;

/** Where a field is among those behind comm: field 3 (state) is number 0. */
const STATE = 0;
const PPID = 1;
const SESSION = 3;
const FLAGS = 6;
const UTIME = 11;
const STIME = 12;
const CUTIME = 13;
const CSTIME = 14;
const STARTTIME = 19;
const RSS = 21;
const EXIT_SIGNAL = 35;

/**
 * The content of `/proc/<pid>/stat`.
 *
 * @throws {SyntaxError} when it is not what proc_pid_stat(5) describes.
 */
export function parsePidStat(text: string): PidStat {
  // comm may hold blanks and parentheses: it begins at the first "(" and ends at the last ")".
  const open = text.indexOf(" (");
  const close = text.lastIndexOf(") ");
  if (open < 0 || close < open) throw malformed(text, "a name in parentheses");
  const fields = text.slice(close + 2).split(" ", EXIT_SIGNAL + 1);
  return {
    pid: wholeNumber(text.slice(0, open), text, "pid"),
    comm: text.slice(open + 2, close),
    state: fields[STATE] ?? "",
    ppid: wholeNumber(fields[PPID], text, "ppid"),
    session: fields[SESSION] === "-1" ? -1 : wholeNumber(fields[SESSION], text, "session"),
    isKernelThread: (wholeNumber(fields[FLAGS], text, "flags") & PF_KTHREAD) !== 0,
    isLaterThread: fields[EXIT_SIGNAL] === "-1",
    utimeTicks: wholeNumber(fields[UTIME], text, "utime"),
    stimeTicks: wholeNumber(fields[STIME], text, "stime"),
    childrenUtimeTicks: wholeNumber(fields[CUTIME], text, "cutime"),
    childrenStimeTicks: wholeNumber(fields[CSTIME], text, "cstime"),
    startTicks: wholeNumber(fields[STARTTIME], text, "starttime"),
    rssPages: wholeNumber(fields[RSS], text, "rss"),
  };
}

function wholeNumber(field: string | undefined, text: string, name: string): number {
  const value = field === undefined || field === "" ? NaN : Number(field);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw malformed(text, `a whole number for ${name}`);
}

function malformed(text: string, required: string): SyntaxError {
  return new SyntaxError(
    `Cannot parse /proc/PID/stat: ${required} is required, got ${quote(text)}`,
  );
}
