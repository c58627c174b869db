/** A command of ours as a process of its own, as a user starts it. */

import { fromFileUrl } from "@std/path";
import { waitFor } from "./wait_for.ts";
import { boundCommand } from "./bound_command.ts";

/** What a process left behind. */
export interface Ended {
  /** Exit code; 128 + signal for a killed process. */
  readonly code: number;
  /** All of stdout. */
  readonly stdout: string;
  /** All of stderr. */
  readonly stderr: string;
}

/** How a command is started. */
export interface CommandOptions {
  /** Working directory. Default: the project's. */
  readonly cwd?: string;
  /** Environment added. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A running command; dispose of it to kill it, when it still runs. */
export interface CommandProcess extends AsyncDisposable {
  /** Its pid: that of the role itself, which takes the starter's place. */
  readonly pid: number;
  /** Its end. */
  readonly ended: Promise<Ended>;
  /** The first line of stderr that matches; rejects when it ends without one, or after two minutes. */
  says(pattern: RegExp): Promise<string>;
  /** All that it wrote to stderr so far. */
  said(): string;
  /** Send a signal. */
  kill(signal: Deno.Signal): void;
}

/**
 * Start `args`: the file under `tasks/` without its ending, then the flags. `["run", "dispatch", …]` is
 * the role under its own grant.
 */
export function startCommand(
  args: readonly string[],
  { cwd, env }: CommandOptions = {},
): CommandProcess {
  const [file = "", ...flags] = args;
  const program = file === "run" ? "command/run" : file;
  const path = fromFileUrl(new URL(`../../tasks/${program}.ts`, import.meta.url));
  const child = boundCommand(Deno.execPath(), {
    args: ["run", "-A", "-q", path, ...flags],
    cwd: cwd ?? fromFileUrl(new URL("../..", import.meta.url)),
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const talk = new Talk();
  const ended = endOf(child, talk);
  return {
    pid: child.pid,
    ended,
    says: (pattern) => talk.lineLike(pattern),
    said: () => talk.text,
    kill: (signal) => child.kill(signal),
    async [Symbol.asyncDispose](): Promise<void> {
      try {
        child.kill("SIGKILL");
      } catch (error) {
        // Already gone.
        if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
      }
      await ended;
    },
  };
}

/** Run `args` to the end; see {@linkcode startCommand}. */
export async function runCommand(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Ended> {
  await using running = startCommand(args, options);
  return await running.ended;
}

/** A start on a loaded machine takes seconds; what is not said by then is never said, ms. */
const SAYS_LIMIT_MS = 120_000;

/** What a process has said so far. */
class Talk {
  text = "";
  #isOver = false;

  async follow(stderr: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const chunk of stderr.pipeThrough(new TextDecoderStream())) this.text += chunk;
    this.#isOver = true;
  }

  async lineLike(pattern: RegExp): Promise<string> {
    const said = () => this.text.split("\n").find((one) => pattern.test(one));
    await waitFor({
      what: `it to say ${pattern}`,
      read: () => this.text,
      until: () => said() !== undefined || this.#isOver,
      limitMs: SAYS_LIMIT_MS,
    });
    const line = said();
    if (line === undefined) throw new Error(`It ended without saying ${pattern}:\n${this.text}`);
    return line;
  }
}

async function endOf(child: Deno.ChildProcess, talk: Talk): Promise<Ended> {
  const [{ code }, stdout] = await Promise.all([
    child.status,
    new Response(child.stdout).text(),
    talk.follow(child.stderr),
  ]);
  return { code, stdout, stderr: talk.text };
}
