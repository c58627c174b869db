/**
 * How near ts_start and ts_end are to what the task itself sees: `deno task bench stamps [tasks=500]
 * [sleep=10] [loops=4]`.
 *
 * A program that stamps its first instruction and its last act is run through a real adapter, one task
 * after the other, on the machine as it is and then beside `loops` busy loops. In turn with it the same
 * program is started bare, by Deno.Command: how long its start-up takes by itself, and how late an end is
 * noticed without anything of ours. All differences are of the boot clock, ms. stdout is one JSON object,
 * stderr a table.
 */

import { join } from "@std/path";
import { type Clock, openClock } from "../../trace/clock.ts";
import { startAdapter, type TestAdapter } from "../support/adapter_process.ts";
import {
  parseStamps,
  SLEEP_PER_ARGUMENT_MS,
  writeStampingProgram,
} from "../support/stamping_program.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { BusyLoops } from "./population.ts";
import { boundCommand } from "../support/bound_command.ts";

/** Differences of one start and one end. */
interface Lags {
  /** From the recorded start to the first stamp. */
  readonly startMs: number;
  /** From the last stamp to the recorded end. */
  readonly endMs: number;
}

interface Spread {
  readonly least_ms: number;
  readonly median_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
  readonly worst_ms: number;
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
    return Math.round(value * 1000) / 1000;
  };
  return {
    least_ms: at(0),
    median_ms: at(0.5),
    p95_ms: at(0.95),
    p99_ms: at(0.99),
    worst_ms: at(1),
  };
}

/** One task through the adapter. */
async function traced(adapter: TestAdapter, argv: readonly string[]): Promise<Lags> {
  const task = adapter.task({ kind: "command", argv: [...argv] });
  const outcome = await adapter.client.launch(task).outcome;
  if (outcome.kind !== "exited") throw new Error(`The task did not run: ${outcome.reason}`);
  const { boot_start_ms, boot_end_ms } = outcome.event;
  const log = join(adapter.runDir.taskLogs, `${task.task_id}.1.log`);
  const { first, last } = parseStamps(await Deno.readFile(log));
  return {
    startMs: first.bootMs - (boot_start_ms ?? NaN),
    endMs: (boot_end_ms ?? NaN) - last.bootMs,
  };
}

/** The same program without an adapter. */
async function bare([program = "", ...args]: readonly string[], clock: Clock): Promise<Lags> {
  const startMs = clock.bootMs();
  const child = boundCommand(program, { args, stdin: "null", stdout: "piped" }).spawn();
  await child.status;
  const endMs = clock.bootMs();
  const { first, last } = parseStamps(await new Response(child.stdout).bytes());
  return { startMs: first.bootMs - startMs, endMs: endMs - last.bootMs };
}

async function measure(
  count: number,
  { adapter, argv, clock }: {
    readonly adapter: TestAdapter;
    readonly argv: readonly string[];
    readonly clock: Clock;
  },
): Promise<Record<string, Spread>> {
  const [ours, alone]: [Lags[], Lags[]] = [[], []];
  for (let index = 0; index < count; index++) {
    ours.push(await traced(adapter, argv));
    alone.push(await bare(argv, clock));
  }
  return {
    start: spreadOf(ours.map(({ startMs }) => startMs)),
    end: spreadOf(ours.map(({ endMs }) => endMs)),
    bare_start: spreadOf(alone.map(({ startMs }) => startMs)),
    bare_end: spreadOf(alone.map(({ endMs }) => endMs)),
  };
}

function tell(title: string, spreads: Readonly<Record<string, Spread>>): void {
  console.error(`${title}, ms`);
  for (const [name, one] of Object.entries(spreads)) {
    const values = Object.entries(one)
      .map(([of, ms]) => `${of.replace("_ms", "")} ${ms.toFixed(3)}`);
    console.error(`  ${name.padEnd(10)} ${values.join("  ")}`);
  }
}

async function main(args: readonly string[]): Promise<void> {
  const numberOf = (name: string, fallback: number) => {
    const given = args.find((one) => one.startsWith(`${name}=`));
    return given === undefined ? fallback : Number(given.slice(name.length + 1));
  };
  const [tasks, loops] = [numberOf("tasks", 500), numberOf("loops", 4)];
  const naps = Math.round(numberOf("sleep", 10) / SLEEP_PER_ARGUMENT_MS);
  const sleep_ms = naps * SLEEP_PER_ARGUMENT_MS;
  await using folder = await tempFolder();
  const program = join(folder.path, "stamps");
  await writeStampingProgram(program);
  using clock = openClock();
  await using adapter = await startAdapter({ allowed_commands: [program] });
  const means = { adapter, argv: [program, ...Array.from({ length: naps }, () => "-")], clock };
  await measure(20, means);
  const idle = await measure(tasks, means);
  tell(`${tasks} tasks of ${sleep_ms} ms`, idle);
  await using _busy = new BusyLoops(loops);
  const busy = await measure(tasks, means);
  tell(`The same beside ${loops} busy loops`, busy);
  const date = new Date().toISOString();
  console.log(JSON.stringify({ date, tasks, sleep_ms, loops, idle, busy }));
}

if (import.meta.main) await main(Deno.args);
