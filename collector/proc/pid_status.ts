/**
 * `/proc/<pid>/status`, proc_pid_status(5).
 *
 * @module
 */

/**
 * Peak resident memory of the process since its last exec, kB: VmHWM. Null for a zombie and for a
 * thread of the kernel, which have no memory of their own.
 *
 * @throws {SyntaxError} when the line is there but is not a number of kB.
 */
export function parseVmHwm(text: string): number | null {
  const start = text.indexOf("\nVmHWM:");
  if (start < 0) return null;
  const line = text.slice(start + 1, text.indexOf("\n", start + 1));
  const [, kb] = /^VmHWM:\s*(\d+) kB$/.exec(line) ?? [];
  if (kb !== undefined) return Number(kb);
  throw new SyntaxError(`Cannot parse /proc/PID/status: VmHWM in kB is required, got "${line}"`);
}
