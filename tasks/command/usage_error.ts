/** Usage error of a command, told apart from failure. */

/** Usage error of a command: exit code 2, one line, and where to find help. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Run `check`; a RangeError of it is a usage error. */
export function asUsage<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
