/**
 * What every runnable file shares: arguments, help, exit codes, signals. stdout is data, stderr is
 * talk; exit code 0 done, 1 failed, 2 wrong use.
 */

import config from "../deno.json" with { type: "json" };
import denoVersion from "../.deno-version" with { type: "text" };
import { messageOf } from "../trace/atomic_file.ts";
import {
  type Command,
  type Flags,
  helpOf,
  parseCommand,
  type Parsed,
  parseEnvFile,
  type Sources,
  UsageError,
} from "./_command.ts";

/** Version of Tracekit. */
export const VERSION: string = config.version;

/** The version of Deno that this project is pinned to. */
export const PINNED_DENO_VERSION: string = denoVersion.trim();

/** An expected failure with a message for the user: exit code 1, one line, no stack. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** The world of a command: what it may talk to. */
export interface Io {
  /** Write data, a newline added. */
  readonly print: (line: string) => void;
  /** Write talk, a newline added. */
  readonly say: (line: string) => void;
  /** Aborted by the first SIGINT or SIGTERM: finish what runs. */
  readonly signal: AbortSignal;
  /** Aborted by the second one: stop what runs. */
  readonly force: AbortSignal;
  /** True when stderr is a terminal, where progress may be drawn. */
  readonly isTerminal: boolean;
}

/** What a command does: returns its exit code. */
export type Main<F extends Flags> = (parsed: Parsed<F>, io: Io) => Promise<number>;

/** Values from the environment (those that `flags` name) and from `run_id.env` in this folder. */
export function readSources(flags: Flags): Sources {
  const env: Record<string, string> = {};
  for (const flag of Object.values(flags)) {
    const value = flag.env === null ? undefined : Deno.env.get(flag.env);
    if (flag.env !== null && value !== undefined) env[flag.env] = value;
  }
  return { env, runIdEnv: parseEnvFile(readIfThere("run_id.env")) };
}

function readIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** Run `main` on this process's arguments and end the process with its exit code. */
export async function runMain<F extends Flags>(command: Command<F>, main: Main<F>): Promise<never> {
  Deno.exit(await exitCodeOf(command, main, Deno.args));
}

async function exitCodeOf<F extends Flags>(
  command: Command<F>,
  main: Main<F>,
  args: readonly string[],
): Promise<number> {
  const own = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
  if (own.includes("--help") || own.includes("-h")) {
    console.log(helpOf(command));
    return 0;
  }
  if (own.includes("--version")) {
    console.log(`tracekit ${VERSION} (deno ${Deno.version.deno})`);
    return 0;
  }
  try {
    return await main(parseCommand(command, args, readSources(command.flags)), openIo());
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${command.name}: ${error.message} (deno task ${command.name} --help)`);
      return 2;
    }
    // What a user can mend needs one line; everything else is a defect, and then the stack is wanted.
    const isExpected = error instanceof CommandError || error instanceof RangeError ||
      error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied;
    console.error(`${command.name}: ${isExpected ? messageOf(error) : describeDefect(error)}`);
    return 1;
  }
}

function describeDefect(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return Deno.env.get("TRACEKIT_DEBUG") === "1" ? error.stack ?? error.message : error.message;
}

function openIo(): Io {
  const first = new AbortController();
  const second = new AbortController();
  let signals = 0;
  const onSignal = () => {
    signals++;
    if (signals === 1) first.abort();
    else if (signals === 2) second.abort();
    else Deno.exit(130);
  };
  Deno.addSignalListener("SIGINT", onSignal);
  Deno.addSignalListener("SIGTERM", onSignal);
  return {
    print: (line) => console.log(line),
    say: (line) => console.error(line),
    signal: first.signal,
    force: second.signal,
    isTerminal: Deno.stderr.isTerminal(),
  };
}
