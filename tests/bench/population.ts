/** Processes to be measured, and programs that measure them. */

import { boundCommand } from "../support/bound_command.ts";

/**
 * Processes that wait, all children of one shell. Dispose of it to end them; they end too when this process
 * does, because they wait for the end of a pipe that it holds.
 */
export class Population implements AsyncDisposable {
  /** Their pids. */
  readonly pids: readonly number[];
  readonly #shell: Deno.ChildProcess;

  private constructor(shell: Deno.ChildProcess, pids: readonly number[]) {
    this.#shell = shell;
    this.pids = pids;
  }

  /** Start `count` of them. */
  static async start(count: number): Promise<Population> {
    const script = `exec 3<&0; i=0; while [ $i -lt ${count} ]; do` +
      " cat <&3 >/dev/null & echo $!; i=$((i+1)); done; echo end; wait";
    const shell = boundCommand("setsid", {
      args: ["sh", "-c", script],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let text = "";
    for await (const chunk of shell.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.endsWith("end\n")) break;
    }
    const pids = text.split("\n").map(Number).filter((pid) => pid > 0);
    return new Population(shell, pids);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    Deno.kill(-this.#shell.pid, "SIGKILL");
    await this.#shell.stdin.close();
    await this.#shell.status;
  }
}

/** Shells that use all the CPU they can get. */
export class BusyLoops implements AsyncDisposable {
  readonly #shells: readonly Deno.ChildProcess[];

  /** Start `count` of them. */
  constructor(count: number) {
    this.#shells = Array.from(
      { length: count },
      () => boundCommand("sh", { args: ["-c", "while :; do :; done"], stdin: "null" }).spawn(),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const shell of this.#shells) {
      shell.kill("SIGKILL");
      await shell.status;
    }
  }
}

/** A program that runs. Dispose of it to kill it. */
export interface RunningProgram extends AsyncDisposable {
  readonly pid: number;
  /** End it by SIGTERM, and wait. */
  stop(): Promise<void>;
}

/** Start `command`; what it says is lost. */
export function startProgram([program = "", ...args]: readonly string[]): RunningProgram {
  const child = boundCommand(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const end = async (signal: Deno.Signal): Promise<void> => {
    try {
      child.kill(signal);
    } catch (error) {
      // It has ended already.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
    await child.status;
  };
  return {
    pid: child.pid,
    stop: () => end("SIGTERM"),
    [Symbol.asyncDispose]: () => end("SIGKILL"),
  };
}
