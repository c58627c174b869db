/** The programs of OpenDC: which one was given, and how an experiment is run with it. */

import { basename, dirname, join, resolve } from "@std/path";
import type { ManifestExperiment } from "../../export/opendc/written.ts";
import { CommandError, type Io } from "../command/main.ts";

/** The forms of an experiment. */
export const FORM_CHOICES = ["legacy", "sdk"] as const;

/** A form of an experiment. */
export type Form = typeof FORM_CHOICES[number];

/** A program of OpenDC. */
export interface Runner {
  /** Its path. */
  readonly path: string;
  /** OpenDCExperimentRunner of v2.4f and later, or `opendc` of 2026. */
  readonly program: "OpenDCExperimentRunner" | "opendc";
}

/** Where a built distribution has its programs; the newer one first. */
const PROGRAMS = ["bin/opendc", "bin/OpenDCExperimentRunner", "opendc", "OpenDCExperimentRunner"];

/** Runs a program and ends it with all that it started, timeout(1) of GNU coreutils. */
export const TIMEOUT_PROGRAM = "timeout";

/** A Java program says its usage within a second; this is a machine that is stuck, s. */
const HELP_TIMEOUT_S = 60;

/**
 * The program that `given` is, or holds as a folder of a built distribution. One of another name is
 * asked for its usage.
 *
 * @throws {CommandError} when it is neither.
 */
export async function findRunner(given: string): Promise<Runner> {
  const path = await programAt(resolve(given));
  const name = basename(path);
  if (name === "opendc" || name === "OpenDCExperimentRunner") return { path, program: name };
  const { code, stdout, stderr } = await new Deno.Command(TIMEOUT_PROGRAM, {
    args: ["--signal=KILL", String(HELP_TIMEOUT_S), path, "--help"],
    stdin: "null",
  }).output();
  if (code === NOT_EXECUTABLE || code === NOT_FOUND) throw notExecutable(path);
  const usage = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (/--experiment-path/.test(usage)) return { path, program: "OpenDCExperimentRunner" };
  if (/\bopendc\b.*command/i.test(usage)) return { path, program: "opendc" };
  throw new CommandError(
    `Cannot run OPENDC_RUNNER "${path}": OpenDCExperimentRunner or opendc is required, but its ` +
      `--help names neither`,
  );
}

async function programAt(path: string): Promise<string> {
  if (!await isFolder(path)) return path;
  for (const name of PROGRAMS) {
    const program = join(path, name);
    if (await exists(program)) return program;
  }
  throw new CommandError(
    `Cannot run OPENDC_RUNNER "${path}": a program, or a folder with bin/opendc or ` +
      `bin/OpenDCExperimentRunner, is required`,
  );
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw notExecutable(path);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function notExecutable(path: string): CommandError {
  return new CommandError(`Cannot run OPENDC_RUNNER "${path}": an executable file is required`);
}

/**
 * The command that runs `experiment`, whose folder is the working directory. Without a form: the one
 * that the program was made for.
 *
 * @throws {CommandError} when the program does not read the form, or the export has none of it.
 */
export function runnerCommand(
  { path, program }: Runner,
  { experiment, form }: { readonly experiment: ManifestExperiment; readonly form: Form | null },
): string[] {
  if (program === "OpenDCExperimentRunner") {
    if (form !== "sdk") return [path, "--experiment-path", experiment.file];
    throw new CommandError(
      `Cannot run ${experiment.name} in the form sdk: the program opendc is required, got ${path}`,
    );
  }
  const options = ["-o", "output", "--no-progress", "--no-summary"];
  if (form === "legacy") return [path, "--legacy", "run", experiment.file, ...options];
  if (experiment.sdk_file !== null) return [path, "run", experiment.sdk_file, ...options];
  throw new CommandError(
    `Cannot run ${experiment.name} with ${path}: the export has no file in the SDK's form; export ` +
      `again, or use --form legacy`,
  );
}

/** What sh answers for a program that cannot be executed, and for one that is not there. */
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;

/** Writes all that a program says to a file, so that no pipe outlives it: `sh -c … sh LOG PROGRAM …`. */
const LOGGED = 'log="$1"; shift; exec "$@" >"$log" 2>&1';

/** A run of a simulator. */
export interface SimulatorRun {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** Working directory. */
  readonly folder: string;
  /** Name of the experiment, for messages. */
  readonly name: string;
  /** File for all that the program says; its folder is made. */
  readonly log: string;
  /** A simulator that takes longer is ended, s. */
  readonly limitS: number;
  /** Ends it when aborted. */
  readonly io: Pick<Io, "signal">;
}

/**
 * Run a simulator to its end.
 *
 * @throws {CommandError} when it fails, is stuck, or cannot be started.
 */
export async function runSimulator(
  { command, folder, name, log, limitS, io }: SimulatorRun,
): Promise<void> {
  await Deno.mkdir(dirname(log), { recursive: true });
  const child = new Deno.Command(TIMEOUT_PROGRAM, {
    // By force, for all that it started: a stuck simulator has nothing to save.
    args: ["--signal=KILL", String(limitS), "sh", "-c", LOGGED, "sh", log, ...command],
    cwd: folder,
    stdin: "null",
    stdout: "null",
  }).spawn();
  const stop = () => child.kill("SIGTERM");
  io.signal.addEventListener("abort", stop);
  const { success, code, signal } = await child.status;
  io.signal.removeEventListener("abort", stop);
  if (io.signal.aborted) throw new CommandError("Interrupted");
  if (success) return;
  if (signal === "SIGKILL") {
    throw new CommandError(
      `OpenDC did not finish ${name} within ${limitS} s and was ended; whether it was slow or stuck is ` +
        `not known: --timeout-s gives it longer; see ${log}`,
    );
  }
  if (code === NOT_EXECUTABLE || code === NOT_FOUND) throw notExecutable(command[0] ?? "");
  const reason = reasonIn(await Deno.readTextFile(log));
  throw new CommandError(`OpenDC failed with exit code ${code}: ${reason}; see ${log}`);
}

/** The exception in what a Java program wrote, without its stack; else its last line. */
function reasonIn(text: string): string {
  const exception = /(?:\w+\.)*\w*(?:Exception|Error)\b.*/.exec(text);
  return exception?.[0] ?? (text.trimEnd().split("\n").at(-1) || "it said nothing");
}
