/** Stop the collector of this node, wait until it has written everything, and say what there is. */

import { COLLECTOR_STATS } from "../trace/records.ts";
import { readRecords } from "../trace/json_lines.ts";
import { RunDir } from "../trace/run_dir.ts";
import { dirname } from "@std/path";
import type { Parsed } from "./command/parse.ts";
import { type Io, runMain } from "./command/main.ts";
import { findRoles, type FoundRole, isAlive, readRole, stopRole } from "./command/process.ts";
import { collectorLog, describe, lastLine, shown } from "./role/collector_role.ts";
import { runDirOf } from "./flags/groups/run.ts";
import { COLLECTOR, STOP_COLLECT } from "./flags/collector.ts";

/** Time for the last tick and the last write, ms: a disk that takes longer has failed. */
const FLUSH_LIMIT_MS = 10_000;

/** `deno task stop-collect`. */
export async function main(
  { options }: Parsed<typeof STOP_COLLECT.flags>,
  io: Io,
): Promise<number> {
  const found = options.all
    ? (await findRoles(options.logs)).filter(({ identity }) => identity.role === COLLECTOR.name)
    : await roleAt(runDirOf(options));
  if (found.length === 0) io.say("no collector to stop");
  const outcomes = await Promise.all(found.map((role) => stop(role, io)));
  return outcomes.every((isWhole) => isWhole) ? 0 : 1;
}

async function roleAt(runDir: RunDir): Promise<FoundRole[]> {
  const path = runDir.role(COLLECTOR.name);
  const identity = await readRole(path);
  return identity === null ? [] : [{ path, identity }];
}

/** Stop one collector; true when it ended as it should and all its samples are on the disk. */
async function stop(role: FoundRole, io: Io): Promise<boolean> {
  const { identity, path } = role;
  const runDir = RunDir.at(dirname(dirname(path)));
  const wasAlive = isAlive(identity);
  const askedMs = Date.now();
  const outcome = await stopRole(role, { graceMs: FLUSH_LIMIT_MS });
  const isWhole = outcome === "stopped" && await lastAccountMs(runDir) >= askedMs;
  const samples = `${await countLines(runDir.procMetrics)} samples in ${shown(runDir.procMetrics)}`;
  if (isWhole) {
    io.say(`stopped the ${describe(identity)}: ${samples}`);
    return true;
  }
  const how = wasAlive ? "did not stop as it should" : "had ended by itself";
  const last = await lastLine(collectorLog(runDir));
  io.say(`the ${describe(identity)} ${how}: ${last || "it left no message"} (${samples})`);
  return false;
}

/** When the collector wrote its last account of itself, epoch ms: its last act but closing. */
async function lastAccountMs({ collectorStats }: RunDir): Promise<number> {
  let lastMs = -Infinity;
  try {
    const options = { decode: COLLECTOR_STATS.decode, onBadLine: () => {} };
    for await (const { ts_ms } of readRecords(collectorStats, options)) lastMs = ts_ms;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return lastMs;
}

const NEWLINE = 10;

async function countLines(path: string): Promise<number> {
  let lines = 0;
  try {
    using file = await Deno.open(path);
    const buffer = new Uint8Array(256 * 1024);
    for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
      for (let at = 0; at < count; at++) if (buffer[at] === NEWLINE) lines++;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return lines;
}

if (import.meta.main) await runMain(STOP_COLLECT, main);
