/** Sets the clock before a run, best effort, and writes down in `timesync.log` what came of it. */

import { planTimeSync, TIME_SYNC_PROGRAMS } from "../../collector/time_sync.ts";
import { messageOf } from "../../trace/atomic_file.ts";
import { findPrivilege, missingPrograms } from "./packages.ts";

/** Longest time that the sync may hold up the start, ms. */
const TIME_SYNC_LIMIT_MS = 5000;

/** What the sync needs to know. */
export interface TimeSyncOptions {
  /** NTP_POOL. */
  readonly pool: string;
  /** Why the clock must be left alone; null: it may be set. */
  readonly obstacle: string | null;
  /** `timesync.log`. */
  readonly logFile: string;
}

/** Set the clock if that is possible here; it never fails, the log says what happened. */
export async function syncTime({ pool, obstacle, logFile }: TimeSyncOptions): Promise<void> {
  const lines = [`before ${new Date().toISOString()}`];
  const missing = await missingPrograms(TIME_SYNC_PROGRAMS);
  const programs = TIME_SYNC_PROGRAMS.filter((one) => !missing.includes(one));
  const plan = obstacle === null
    ? planTimeSync({ programs, pool, privilege: await findPrivilege() })
    : { kind: "skip" as const, reason: obstacle };
  if (plan.kind === "skip") lines.push(`skipped: ${plan.reason}`);
  else {
    const signal = AbortSignal.timeout(TIME_SYNC_LIMIT_MS);
    for (const command of plan.commands) lines.push(...await run(command, signal));
  }
  lines.push(`after  ${new Date().toISOString()}`, "");
  await Deno.writeTextFile(logFile, lines.join("\n"), { append: true });
}

async function run(
  [program = "", ...args]: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const lines = [`$ ${[program, ...args].join(" ")}`];
  if (signal.aborted) return [...lines, `not run: ${TIME_SYNC_LIMIT_MS / 1000} s are over`];
  try {
    const command = new Deno.Command(program, { args, signal, stdin: "null" });
    const { code, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    const said = `${decoder.decode(stdout)}${decoder.decode(stderr)}`.trim();
    return [...lines, ...(said === "" ? [] : [said]), `exit code ${code}`];
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return [...lines, messageOf(error)];
  }
}
