/**
 * Passwords in arguments: every user of a machine can read the command line of every process on it
 * (/proc/PID/cmdline), but its environment only the user that runs it.
 */

import { parseRedisUrl, urlWithoutPassword } from "../../scheduler/queue/url.ts";

/** A URL of Redis, as an argument of its own or behind `--redis=` and `REDIS_URL=`. */
const REDIS_URL = /rediss?:\/\/.*/s;

/** What is said to who gives a password as an argument. */
export const PASSWORD_ADVICE =
  "a password on the command line can be read by every user of this machine while it is there, " +
  "and in the shell's history later: REDIS_PASSWORD or --redis-password-file keep it";

/** Arguments without their password. */
export interface Redacted {
  /** The arguments, with the password taken out of each URL. */
  readonly args: readonly string[];
  /** The password of the last URL that had one; null: none had. */
  readonly password: string | null;
}

/**
 * Take the passwords out of `args`.
 *
 * @throws {RangeError} when what looks like a URL of Redis is none; it is not repeated in the message.
 */
export function redactArguments(args: readonly string[]): Redacted {
  let password: string | null = null;
  const redacted = args.map((argument) =>
    argument.replace(REDIS_URL, (text) => {
      const address = parseRedisUrl(text);
      password = address.password ?? password;
      return urlWithoutPassword(address);
    })
  );
  return { args: redacted, password };
}
