/** The collector as the benches run it. */

import { fromFileUrl, join } from "@std/path";
import { COLLECTOR_V8_FLAGS } from "../../tasks/command/own_program.ts";
import { parsePidStat } from "../../trace/linux/pid_stat.ts";

/** Its interval, ms: the default. */
export const INTERVAL_MS = 200;

/** The command of a collector that writes below `folder`; its run is called bench. */
export function collectorCommand(folder: string, ...flags: readonly string[]): string[] {
  const entry = fromFileUrl(new URL("../../tasks/collector.ts", import.meta.url));
  const own = [
    "--run-id=bench",
    "--node-id=bench",
    `--logs=${folder}`,
    `--interval-ms=${INTERVAL_MS}`,
  ];
  return [Deno.execPath(), "run", "-A", "-q", COLLECTOR_V8_FLAGS, entry, ...own, ...flags];
}

/** Sentinels as our adapter writes them, for every process. */
export function writeSentinels(folder: string, pids: readonly number[]): void {
  Deno.mkdirSync(folder, { recursive: true });
  for (const pid of pids) {
    const { startTicks } = parsePidStat(Deno.readTextFileSync(`/proc/${pid}/stat`));
    const trace_id = pid.toString(16).padStart(32, "0");
    const sentinel = { trace_id, start_ticks: startTicks };
    Deno.writeTextFileSync(join(folder, String(pid)), JSON.stringify(sentinel));
  }
}
