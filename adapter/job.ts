/**
 * A task made ready to run: what to execute, where, and what it must leave.
 *
 * @module
 */

/** A file that a task must leave. */
export interface JobOutput {
  /** Where it is written while the task runs; the same as `path` where the program chooses the name. */
  readonly writtenTo: string;
  /** Where it is after success. */
  readonly path: string;
}

/** A task made ready to run. */
export interface Job {
  /** The program, an absolute path. */
  readonly program: string;
  /** Its arguments, its own name first. */
  readonly argv: readonly string[];
  /** Environment added to the base. */
  readonly env: Readonly<Record<string, string>>;
  /** Working directory. */
  readonly cwd: string;
  /** Input file whose size is recorded, absolute; null: none. */
  readonly inputPath: string | null;
  /** Files that it must leave. */
  readonly outputs: readonly JobOutput[];
}

/** A task that may not run, or cannot: running it again would not help. */
export class JobRefusedError extends Error {
  /** Of this class, or of the kind of refusal. */
  override readonly name: string = "JobRefusedError";
}

/** A job is refused because its program is there and cannot be executed: a folder, a file of data. */
export class NotExecutableError extends JobRefusedError {
  override readonly name = "NotExecutableError";
}
