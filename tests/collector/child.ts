/** Real processes to observe. */

import { parsePidStat } from "../../trace/linux/pid_stat.ts";
import { boundCommand } from "../support/bound_command.ts";

/** What a script may run by `eval "$BURN"`: it takes some tens of milliseconds of CPU. */
const BURN = "i=0; while [ $i -lt 40000 ]; do i=$((i+1)); done";

/** A shell that runs a script and obeys lines on its stdin; disposing of it kills its whole session. */
export class Child implements AsyncDisposable {
  readonly pid: number;
  readonly status: Promise<Deno.CommandStatus>;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #text = "";

  private constructor(process: Deno.ChildProcess) {
    this.pid = process.pid;
    this.status = process.status;
    this.#stdin = process.stdin.getWriter();
    this.#lines = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Run `script` in a session of its own. By default it waits for a line. */
  static start(script = "read line"): Child {
    const process = boundCommand("setsid", {
      args: ["sh", "-c", script],
      env: { BURN },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    return new Child(process);
  }

  /** Start of the process, clock ticks. */
  get startTicks(): number {
    return parsePidStat(Deno.readTextFileSync(`/proc/${this.pid}/stat`)).startTicks;
  }

  /** Write a line to it. */
  async tell(line = ""): Promise<void> {
    await this.#stdin.write(new TextEncoder().encode(`${line}\n`));
  }

  /** The next line that it writes. */
  async nextLine(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return line;
      }
      const { value, done } = await this.#lines.read();
      if (done) throw new Error(`Process ${this.pid} ended without a line`);
      this.#text += value;
    }
  }

  /** Kill it with all that it started. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Until it has made its session there is no group of its pid, then the process itself is enough.
    for (const target of [-this.pid, this.pid]) {
      try {
        Deno.kill(target, "SIGKILL");
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    await this.status;
    await this.#lines.cancel();
    try {
      await this.#stdin.close();
    } catch (error) {
      // It closed the other end of the pipe first.
      if (!(error instanceof Deno.errors.BrokenPipe || error instanceof TypeError)) throw error;
    }
  }
}
