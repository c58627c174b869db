/** Traces one command: `adapt -- COMMAND ARGUMENT…`. */

import type { CpuLimits } from "../adapter/cpu/limits.ts";
import { JobRefusedError, NotExecutableError } from "../adapter/job.ts";
import type { StartCalls } from "../adapter/start/start_calls.ts";
import { PR_SET_DUMPABLE, signalNumber } from "../trace/linux/abi.ts";
import { openMachine } from "../adapter/start/machine.ts";
import { readAllowedCpus, readIgnoredSignals } from "../trace/linux/processes.ts";
import { SpawnError } from "../adapter/start/spawn_plan.ts";
import type { Exit } from "../adapter/start/starter.ts";
import { traceCommand } from "../adapter/traced_command.ts";
import { formatCpuList, parseCpuList } from "../trace/cpu_list.ts";
import type { InvocationEvent } from "../trace/records.ts";
import type { RunDir } from "../trace/run_dir.ts";
import { kbToMib, MS_PER_S } from "../trace/units.ts";
import { asUsage, UsageError } from "./command/usage_error.ts";
import type { OptionsOf } from "./command/flag_table.ts";
import type { Parsed } from "./command/parse.ts";
import { type Io, runMain } from "./command/main.ts";
import { ADAPT } from "./flags/adapter.ts";
import { nodeIdOf, runDirOf } from "./flags/groups/run.ts";

/** Signals that somebody may send to this process instead of the command. */
const PASSED_ON: readonly Deno.Signal[] = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGWINCH",
];

/** Signals that a terminal sends to the command as well: it is in the same process group. */
const FROM_TERMINAL: readonly Deno.Signal[] = ["SIGINT", "SIGQUIT", "SIGWINCH"];

/** What shells answer for a command that is not there, and for one that cannot be executed. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** Added to a signal's number in the status of a killed process. */
const SIGNAL_STATUS = 128;

/** Largest cpu.weight, cgroup-v2.rst. */
const CPU_WEIGHT_MAX = 10_000;

/** `deno task adapt`. */
export async function main(
  { options, operands }: Parsed<typeof ADAPT.flags>,
  io: Io,
): Promise<number> {
  if (operands.length === 0) {
    throw new UsageError("a command is required: deno task adapt -- COMMAND [ARGUMENT…]");
  }
  const machine = openMachine();
  // Before any is listened to. The runtime ignores SIGPIPE, whose default a program expects.
  const ignored = readIgnoredSignals().filter((signal) => signal !== signalNumber("SIGPIPE"));
  try {
    const runDir = runDirOf(options);
    const { exit, event } = await traceCommand({
      argv: operands,
      env: Deno.env.toObject(),
      cwd: Deno.cwd(),
      runDir,
      nodeId: nodeIdOf(options),
      stage: options.stage,
      tsEnqueue: options["ts-enqueue"],
      limits: limitsOf(options),
      cpuControl: options["cpu-control"],
      unitName: options["unit-name"],
      onNote: (note) => io.say(`adapt: ${note}`),
      ignoredSignals: ignored,
      onStarted: catchSignals(ignored),
    }, machine);
    if (!options.quiet) io.say(`adapt: ${summaryOf(event, runDir)}`);
    return endAs(exit, machine.libc);
  } catch (error) {
    if (!(error instanceof JobRefusedError || error instanceof SpawnError)) throw error;
    io.say(`adapt: ${error.message}`);
    const isThere = error instanceof SpawnError || error instanceof NotExecutableError;
    return isThere ? NOT_EXECUTABLE : NOT_FOUND;
  }
}

/** What the command took, in one line, and where its record is. */
function summaryOf(event: InvocationEvent, runDir: RunDir): string {
  const wallMs = (event.boot_end_ms ?? 0) - (event.boot_start_ms ?? 0);
  const { user_ms: userMs, system_ms: systemMs, max_rss_kb: rssKb } = event;
  const cpu = userMs === null || systemMs === null
    ? "CPU time not known"
    : `${inSeconds(userMs + systemMs)} CPU`;
  const memory = rssKb === null
    ? "peak memory not known"
    : `${kbToMib(rssKb).toFixed(1)} MiB at most (${event.max_rss_source})`;
  return `${inSeconds(wallMs)}, ${cpu}, ${memory}; recorded in ${runDir.events(event.module_id)}`;
}

function inSeconds(ms: number): string {
  return `${(ms / MS_PER_S).toFixed(3)} s`;
}

function limitsOf(options: OptionsOf<typeof ADAPT.flags>): CpuLimits {
  const { cpuset, "cpu-quota": quotaPercent, "cpu-weight": weight } = options;
  if (weight !== null && weight > CPU_WEIGHT_MAX) {
    throw new UsageError(`--cpu-weight must be at most ${CPU_WEIGHT_MAX}, got ${weight}`);
  }
  const cpus = cpuset === null ? null : asUsage(() => parseCpuList(cpuset));
  const allowed = readAllowedCpus();
  if (cpus?.some((cpu) => !allowed.includes(cpu))) {
    throw new UsageError(
      `--cpuset ${cpuset}: only CPUs ${formatCpuList(allowed)} may be used here`,
    );
  }
  return {
    cpus,
    quotaCores: quotaPercent === null ? null : quotaPercent / 100,
    weight,
  };
}

/**
 * Pass signals on to the command; those that come before it runs are kept for it. What the caller
 * ignores (nohup, a shell's background job), the command ignores by itself.
 *
 * @returns To be called when the command runs.
 */
function catchSignals(ignored: readonly number[]): (send: (name: Deno.Signal) => void) => void {
  const hasTerminal = Deno.stdin.isTerminal() || Deno.stderr.isTerminal();
  const isDelivered = (name: Deno.Signal) => hasTerminal && FROM_TERMINAL.includes(name);
  const early: Deno.Signal[] = [];
  let pass = (name: Deno.Signal): unknown => early.push(name);
  for (const name of PASSED_ON) {
    if (ignored.includes(signalNumber(name))) continue;
    Deno.addSignalListener(name, () => isDelivered(name) || pass(name));
  }
  return (send) => {
    pass = send;
    early.forEach(send);
  };
}

/** End as the command did: a caller that asks which signal it was gets the same answer. */
function endAs({ status, signal }: Exit, libc: StartCalls | null): number {
  if (signal !== null && libc !== null) {
    // The core would be this program's, and nobody asked for it.
    libc.prctl(PR_SET_DUMPABLE, 0);
    libc.resetSignal(status - SIGNAL_STATUS);
    Deno.kill(Deno.pid, signal as Deno.Signal);
  }
  return status;
}

if (import.meta.main) await runMain(ADAPT, main);
