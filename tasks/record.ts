/**
 * Record one command, or what runs already, without a queue or a cluster: start a collector, follow, stop,
 * parse and show.
 */

import { basename, join, resolve } from "@std/path";
import { JobRefusedError, NotExecutableError } from "../adapter/job.ts";
import { findProgram } from "../adapter/job_paths.ts";
import { parseNode } from "../export/parse.ts";
import { INVOCATION, type Invocation } from "../trace/cts.ts";
import { readRecords } from "../trace/json_lines.ts";
import { INVOCATION_EVENT } from "../trace/records.ts";
import { RunDir, runIdAt } from "../trace/run_dir.ts";
import { asUsage } from "./command/usage_error.ts";
import type { Parsed } from "./command/parse.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { COLLECTOR_V8_FLAGS, programCommand } from "./command/own_program.ts";
import { sleep } from "./command/sleep.ts";
import { findContainer } from "./machine/container.ts";
import { collectorLog, lastLine, shown } from "./role/collector_role.ts";
import { recordLines } from "./operator/record_report.ts";
import { RECORD, type RecordFlags, type RecordTarget, recordTarget } from "./flags/record.ts";

/** `deno task record`. */
export async function main(
  { options, operands }: Parsed<typeof RECORD.flags>,
  io: Io,
): Promise<number> {
  const target = recordTarget(options, operands);
  const runId = options["run-id"] ?? `record-${runIdAt(Date.now())}`;
  const runDir = asUsage(() => RunDir.of(resolve(options.logs), runId));
  await refuseOther(runDir);
  const refusal = target.kind === "command" ? commandRefusal(target.argv) : null;
  if (refusal !== null) {
    io.say(`record: ${refusal.message}`);
    return refusal instanceof NotExecutableError ? 126 : 127;
  }
  const selection = await selectionArguments(target, options);
  // Ctrl-C reaches the command by the terminal, and here only ends the waiting.
  const { signal } = io;
  const collector = await startCollector(runDir, { runId, selection, options });
  let code = 0;
  try {
    if (target.kind === "command") code = await runCommand(target.argv, { runId, options });
    else await watch(runDir, { collector, seconds: options.for, signal, io });
  } finally {
    await stopCollector(collector, runDir);
  }
  await parseNode(runDir.path);
  const invocations = await invocationsIn(runDir);
  if (options.json) { for (const one of invocations) io.print(JSON.stringify(one)); }
  else {
    const name = target.kind === "command" ? basename(target.argv[0] ?? "") : null;
    for (const line of recordLines(invocations, name)) io.print(line);
  }
  io.say(`Recorded in ${shown(runDir.path)}; more: deno task show ${runId}`);
  if (target.kind !== "command" && invocations.length === 0) return 1;
  return code;
}

/** Records of two runs in one folder would be one run. */
async function refuseOther(runDir: RunDir): Promise<void> {
  try {
    const names = await Array.fromAsync(Deno.readDir(runDir.path), ({ name }) => name);
    if (names.length === 0) return;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  throw new CommandError(`there is a run in ${shown(runDir.path)}: give another --run-id`);
}

/** Why the command cannot start, asked before anything is written; null when it can. */
function commandRefusal([name = ""]: readonly string[]): JobRefusedError | null {
  try {
    findProgram(name, { searchPath: Deno.env.get("PATH") ?? "", cwd: Deno.cwd() });
    return null;
  } catch (error) {
    if (error instanceof JobRefusedError) return error;
    throw error;
  }
}

/** How the collector finds what is recorded; a command is found by its sentinel. */
async function selectionArguments(
  target: RecordTarget,
  options: RecordFlags,
): Promise<readonly string[]> {
  switch (target.kind) {
    case "command":
      return [];
    case "pid":
      return [`--tree=${target.pid}`];
    case "cgroup":
      return [`--cgroup=${target.path}`];
    case "container": {
      const { directory } = await findContainer(target.name, options["engine-socket"]);
      return [`--cgroup=${directory}`];
    }
    case "unit":
      return [`--cgroup=${await cgroupOfUnit(target.name)}`];
  }
}

/** Directory of the cgroup of a systemd unit. */
async function cgroupOfUnit(name: string): Promise<string> {
  try {
    const { success, stdout, stderr } = await new Deno.Command("systemctl", {
      args: ["show", "--property=ControlGroup", "--value", "--", name],
      stdin: "null",
    }).output();
    const path = new TextDecoder().decode(stdout).trim();
    if (success && path.startsWith("/")) return join("/sys/fs/cgroup", path);
    const reason = new TextDecoder().decode(stderr).trim() || "it has no cgroup: it does not run";
    throw new CommandError(`cannot follow the unit "${name}": ${reason}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new CommandError(`cannot follow the unit "${name}": there is no systemctl here`, {
      cause: error,
    });
  }
}

/** The arguments that name the run, for programs that are started. */
function placeArguments(runId: string, options: RecordFlags): string[] {
  const node = options["node-id"];
  return [
    `--run-id=${runId}`,
    `--logs=${resolve(options.logs)}`,
    ...node === null ? [] : [`--node-id=${node}`],
  ];
}

async function startCollector(
  runDir: RunDir,
  { runId, selection, options }: {
    readonly runId: string;
    readonly selection: readonly string[];
    readonly options: RecordFlags;
  },
): Promise<Deno.ChildProcess> {
  await Deno.mkdir(runDir.path, { recursive: true });
  const [program = "", ...args] = programCommand("collector", ["-A", COLLECTOR_V8_FLAGS]);
  const child = new Deno.Command("sh", {
    args: [
      "-c",
      'log=$0; exec "$@" 2>>"$log"',
      collectorLog(runDir),
      program,
      ...args,
      ...placeArguments(runId, options),
      `--interval-ms=${options["interval-ms"]}`,
      `--argv=${options.argv}`,
      ...options.host ? ["--host"] : [],
      ...selection,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    // Out of the terminal's process group: Ctrl-C is for the command, and stopping is for this program.
    detached: true,
  }).spawn();
  const reader = child.stdout.getReader();
  const { done } = await reader.read();
  reader.releaseLock();
  await child.stdout.cancel();
  if (!done) return child;
  await child.status;
  const reason = await lastLine(collectorLog(runDir));
  // Nothing was recorded, and the name of the run stays free.
  await Deno.remove(runDir.path, { recursive: true });
  throw new CommandError(`the collector did not start: ${reason}`);
}

async function stopCollector(child: Deno.ChildProcess, runDir: RunDir): Promise<void> {
  try {
    child.kill("SIGTERM");
  } catch (error) {
    // It ended by itself: its status says how.
    if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
  }
  const { success } = await child.status;
  if (success) return;
  throw new CommandError(`the collector failed: ${await lastLine(collectorLog(runDir))}`);
}

/** Run the command under `adapt`; returns its exit code. */
async function runCommand(
  argv: readonly string[],
  { runId, options }: { readonly runId: string; readonly options: RecordFlags },
): Promise<number> {
  const [program = "", ...args] = programCommand("adapt", ["-A"]);
  const child = new Deno.Command(program, {
    args: [...args, ...placeArguments(runId, options), "--", ...argv],
  }).spawn();
  const { code } = await child.status;
  return code;
}

/** Wait for the time to pass, Ctrl-C, the end of what is followed, or that of the collector. */
async function watch(
  runDir: RunDir,
  { collector, seconds, signal, io }: {
    readonly collector: Deno.ChildProcess;
    readonly seconds: number | null;
    readonly signal: AbortSignal;
    readonly io: Io;
  },
): Promise<void> {
  io.say(seconds === null ? "Recording until Ctrl-C" : `Recording for ${seconds} s`);
  const deadlineMs = performance.now() + (seconds ?? Infinity) * 1000;
  const ended = new AbortController();
  collector.status.then(() => ended.abort());
  const either = AbortSignal.any([signal, ended.signal]);
  while (!either.aborted && performance.now() < deadlineMs && !await hasEnded(runDir)) {
    await sleep(Math.min(POLL_INTERVAL_MS, deadlineMs - performance.now()), either);
  }
}

/** Interval at which the end of what is followed is asked for, ms. */
const POLL_INTERVAL_MS = 250;

/** True when the collector has written the end of the only subject that it follows. */
async function hasEnded(runDir: RunDir): Promise<boolean> {
  const events = readRecords(runDir.events("service"), {
    decode: INVOCATION_EVENT.decode,
    // A line that is being written is read at the next poll.
    onBadLine: () => {},
  });
  for await (const { event } of events) if (event === "exit") return true;
  return false;
}

async function invocationsIn(runDir: RunDir): Promise<Invocation[]> {
  const path = join(runDir.cts, "invocations.jsonl");
  return await Array.fromAsync(readRecords(path, {
    decode: INVOCATION.decode,
    onBadLine: ({ line, reason }) => {
      throw new CommandError(`cannot read "${path}" line ${line}: ${reason}`);
    },
  }));
}

if (import.meta.main) await runMain(RECORD, main);
