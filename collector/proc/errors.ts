/**
 * The expected ways in which reading a process fails. A process that is gone is normal and counted, one
 * that is denied is reported once, and text that is not what proc(5) promises is a SyntaxError: loud.
 *
 * @module
 */

/** The process ended, before or in the middle of a read. */
export class ProcessGoneError extends Error {
  override readonly name = "ProcessGoneError";
}

/** The process is there but this user may not read it (hidepid, ptrace rules). */
export class ProcessDeniedError extends Error {
  override readonly name = "ProcessDeniedError";
}
