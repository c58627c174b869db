/**
 * What every runnable file shares: arguments, help, exit codes, signals. stdout is data, stderr is
 * log messages; exit code 0 done, 1 failed, 2 usage error.
 */

import config from "../../deno.json" with { type: "json" };
import denoVersion from "../../.deno-version" with { type: "text" };
import { messageOf } from "../../trace/atomic_file.ts";
import { findUserPrograms } from "./user_programs.ts";
import { buildName, invocationOf } from "./own_program.ts";
import type { Command, Flags } from "./flag_table.ts";
import { helpOf } from "./help.ts";
import { parseCommand, type Parsed, type Sources } from "./parse.ts";
import { parseEnvFile } from "./env_file.ts";
import { UsageError } from "./usage_error.ts";
import { readInputTextSync } from "../../trace/input_file.ts";

/** Version of Tracekit. */
export const VERSION: string = config.version;

/** The version of Deno that this project is pinned to. */
export const PINNED_DENO_VERSION: string = denoVersion.trim();

/** An expected failure with a message for the user: exit code 1, one line, no stack. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** The world of a command: where it may write and what may interrupt it. */
export interface Io {
  /** Write data, a newline added. */
  readonly print: (line: string) => void;
  /** Write a log message, a newline added. */
  readonly say: (line: string) => void;
  /** Aborted by the first SIGINT or SIGTERM, from its first use: finish what runs. */
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
    return readInputTextSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/**
 * `deno task` starts a command in the project's folder and leaves the caller's in INIT_CWD: go back
 * there, so that paths mean what they mean to any program. INIT_CWD is used up by that; where this
 * process was started elsewhere, it is left over from some caller's caller and says nothing.
 */
export function enterCallersFolder(): void {
  if (Deno.build.standalone) return;
  // A role under a narrow grant is in the right folder already: its launcher went there.
  const { state } = Deno.permissions.querySync({ name: "env", variable: "INIT_CWD" });
  const folder = state === "granted" ? Deno.env.get("INIT_CWD") : undefined;
  if (folder === undefined) return;
  Deno.env.delete("INIT_CWD");
  const project = Deno.realPathSync(new URL("../..", import.meta.url));
  if (Deno.realPathSync(Deno.cwd()) === project) Deno.chdir(folder);
}

/** True when `args` ask for help or version, not for work; what is behind `--` is another's. */
export function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  const own = end < 0 ? args : args.slice(0, end);
  return ["--help", "-h", "--version"].some((one) => own.includes(one));
}

/** Print the help of `command`, or the version, whichever `args` ask for. */
export function printHelp(command: Command, args: readonly string[]): void {
  console.log(args.includes("--version") ? versionLine() : helpOf(command));
}

/** Versions of Tracekit and of Deno, and the form of this build. */
export function versionLine(): string {
  return `tracekit ${VERSION} (deno ${Deno.version.deno}, ${buildName()})`;
}

/** Tell the user of `error`, and return the exit code that it stands for. */
export function tell(name: string, error: unknown): number {
  if (error instanceof UsageError) {
    console.error(`${name}: ${error.message} (${invocationOf(name)} --help)`);
    return 2;
  }
  console.error(`${name}: ${messageOf(error)}`);
  // These two are never meant for a user: they are defects of this program.
  const isDefect = error instanceof Error && ["TypeError", "ReferenceError"].includes(error.name);
  if (isDefect) console.error(error.stack);
  return 1;
}

/** Run `main` on `args`, by default this process's, and end the process with its exit code. */
export async function runMain<F extends Flags>(
  command: Command<F>,
  main: Main<F>,
  { args = Deno.args }: { readonly args?: readonly string[] } = {},
): Promise<never> {
  Deno.exit(await exitCodeOf(command, { main, args }));
}

async function exitCodeOf<F extends Flags>(
  command: Command<F>,
  { main, args }: { readonly main: Main<F>; readonly args: readonly string[] },
): Promise<number> {
  try {
    if (asksForHelp(args)) {
      printHelp(command, args);
      return 0;
    }
    enterCallersFolder();
    findUserPrograms();
    return await main(parseCommand(command, args, readSources(command.flags)), openIo());
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return tell(command.name, error);
  }
}

function openIo(): Io {
  // A command that never asks for signals keeps those of its caller: `adapt` passes them on.
  let stops: Stops | null = null;
  return {
    print: (line) => console.log(line),
    say: (line) => console.error(line),
    get signal() {
      return (stops ??= listenForStops()).first;
    },
    get force() {
      return (stops ??= listenForStops()).second;
    },
    isTerminal: Deno.stderr.isTerminal(),
  };
}

interface Stops {
  readonly first: AbortSignal;
  readonly second: AbortSignal;
}

function listenForStops(): Stops {
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
  return { first: first.signal, second: second.signal };
}
