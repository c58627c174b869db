/**
 * A handful of processes that live and die together: each is started with its log, watched while the
 * others work, and ended in the reverse order. None outlives this process, however it ends.
 */

import { messageOf } from "../../trace/atomic_file.ts";
import { CommandError } from "../command/main.ts";

/** What to start. */
export interface ProcessSpec {
  /** Name for messages. */
  readonly name: string;
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Its folder: of another than this process's it reads no `run_id.env`. Default: this process's. */
  readonly cwd?: string;
  /** Environment added to this process's own; secrets go here, never on the command line. */
  readonly env?: Readonly<Record<string, string>>;
  /** File that takes stdout and stderr, appended. */
  readonly logFile: string;
  /** True for a process that is to end by itself: only its failure is one. Default false. */
  readonly endsByItself?: boolean;
}

/** A process under supervision. */
export interface Supervised {
  /** Its name. */
  readonly name: string;
  /** Its pid. */
  readonly pid: number;
  /** Its end; resolves once, whatever the reason. */
  readonly status: Promise<Deno.CommandStatus>;
  /** Send a signal; nothing happens when it has ended. */
  kill(signal: Deno.Signal): void;
}

/** Time between SIGTERM and SIGKILL when everything is torn down, ms: longer than any role's own grace. */
const TEARDOWN_GRACE_MS = 10_000;

/** Starts processes, notices when one ends too early, and ends all. */
export class Supervisor implements AsyncDisposable {
  readonly #running: (Supervised & { isExpectedToEnd: boolean; logFile: string })[] = [];
  readonly #failure = Promise.withResolvers<never>();
  #isDisposed = false;

  /** @param signal Aborted when the user interrupts: what runs {@linkcode during} then fails. */
  constructor(signal: AbortSignal) {
    // A failure that nobody awaits yet must not end the program as unhandled: `during` reports it.
    this.#failure.promise.catch((error: unknown) => error);
    const interrupt = () => this.#failure.reject(new CommandError("interrupted"));
    if (signal.aborted) interrupt();
    signal.addEventListener("abort", interrupt, { once: true });
  }

  /** Start a process; from now on its end is a failure, until {@linkcode end} asks for it. */
  start(spec: ProcessSpec): Supervised {
    // Work that lost the race against a failure may still be under way: it starts nothing more.
    if (this.#isDisposed) throw new CommandError(`${spec.name} is not started: all is being ended`);
    // The shell opens the log and becomes the program. Should this process be killed, the kernel kills
    // the program (PR_SET_PDEATHSIG): nobody is left to whom it could be of use.
    const child = new Deno.Command("setpriv", {
      args: [
        "--pdeathsig=KILL",
        "sh",
        "-c",
        'log=$0; exec "$@" >>"$log" 2>&1 </dev/null',
        spec.logFile,
        ...spec.command,
      ],
      cwd: spec.cwd ?? ".",
      env: spec.env ?? {},
      stdin: "null",
      stdout: "null",
      stderr: "null",
      // Its own session: Ctrl-C reaches this process alone, which then ends the others in order.
      detached: true,
    }).spawn();
    const supervised = {
      name: spec.name,
      pid: child.pid,
      status: child.status,
      logFile: spec.logFile,
      isExpectedToEnd: false,
      kill: (signal: Deno.Signal) => killIfThere(child, signal),
    };
    this.#running.push(supervised);
    child.status.then(async (status) => {
      if (supervised.isExpectedToEnd || (spec.endsByItself && status.success)) return;
      const how = status.signal ?? `exit code ${status.code}`;
      const last = await lastLine(spec.logFile) || "it said nothing, as on a full disk";
      this.#failure.reject(
        new CommandError(
          `${spec.name} ended unexpectedly (${how}), last lines: ${last} (log: ${spec.logFile})`,
        ),
      );
    });
    return supervised;
  }

  /** The result of `work`, or the interruption or the failure of a process that came before it. */
  during<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failure.promise]);
  }

  /** End one process with SIGTERM and wait for it. */
  async end(one: Supervised): Promise<void> {
    this.#expectEnd(one);
    one.kill("SIGTERM");
    await one.status;
    this.#running.splice(this.#running.findIndex(({ pid }) => pid === one.pid), 1);
  }

  /** End everything that still runs, the youngest first: asked twice to stop, then killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    for (const one of this.#running.toReversed()) {
      this.#expectEnd(one);
      one.kill("SIGTERM");
      // The second signal means "do not finish what runs".
      one.kill("SIGINT");
      const timer = setTimeout(() => one.kill("SIGKILL"), TEARDOWN_GRACE_MS);
      await one.status;
      clearTimeout(timer);
    }
    this.#running.length = 0;
  }

  #expectEnd(one: Supervised): void {
    for (const running of this.#running) {
      if (running.pid === one.pid) running.isExpectedToEnd = true;
    }
  }
}

function killIfThere(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    // Already reaped: a TypeError of the runtime, or ESRCH.
    if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function lastLine(path: string): Promise<string> {
  try {
    return (await Deno.readTextFile(path)).trimEnd().split("\n").at(-1) ?? "";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return `its log could not be read: ${messageOf(error)}`;
    }
    throw error;
  }
}
