/**
 * Start the collector of this node in the background, out of reach of the terminal, and return when it
 * really samples.
 */

import { resolve } from "@std/path";
import { writeJsonAtomic } from "../trace/atomic_file.ts";
import type { RoleIdentity } from "../trace/records.ts";
import type { Flag, Flags } from "./command/flag_table.ts";
import type { Parsed } from "./command/parse.ts";
import { UsageError } from "./command/usage_error.ts";
import { findContainer } from "./machine/container.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { bootId, findRoles, isAlive, processIdentity, readRole } from "./command/process.ts";
import { syncTime } from "./machine/time_sync.ts";
import { collectorLog, describe, lastLine, shown } from "./role/collector_role.ts";
import type { Started } from "./collector.ts";
import { COLLECTOR_V8_FLAGS, programCommand } from "./command/own_program.ts";
import { placeOf } from "./flags/groups/run.ts";
import { grantArguments, type RolePlace, withSources } from "./command/role.ts";
import { COLLECTOR, cpusOf, selectionOf, START_COLLECT } from "./flags/collector.ts";

type StartOptions = Parsed<typeof START_COLLECT.flags>["options"];

/** `deno task start-collect`. */
export async function main(
  { options: given }: Parsed<typeof START_COLLECT.flags>,
  io: Io,
): Promise<number> {
  const options = await withContainer(given);
  const place = placeOf(options);
  const selection = selectionOf(options);
  cpusOf(options);
  if (!options["py-collect"]) {
    io.say("USE_PY_COLLECT=0: there is no shell collector any more, the same collector runs");
  }
  await refuseSecond(place);
  await Deno.mkdir(place.runDir.path, { recursive: true });
  if (options["time-sync"]) {
    await syncTime({
      pool: options["ntp-pool"],
      obstacle: await roleAtWork(options.logs),
      logFile: place.runDir.timesyncLog,
    });
  }
  const child = spawn(place, options);
  if (options.procfs !== "/proc") await registerUnprivileged(place, child.pid);
  const started = await firstLine(child.stdout);
  child.unref();
  if (started !== null) {
    const { mode, interval_ms, file } = JSON.parse(started) as Started;
    const interval = (interval_ms / 1000).toFixed(3);
    io.say(`proc sampler started (mode=${mode}, interval=${interval}s) → ${shown(file)}`);
    return 0;
  }
  const { code } = await child.status;
  if (code === 0) {
    io.say(`node metadata written, no sampling was asked for → ${shown(place.runDir.nodeMeta)}`);
    return 0;
  }
  const log = collectorLog(place.runDir);
  const why = await lastLine(log) ||
    `exit code ${code}, and nothing in ${shown(log)}: a full disk?`;
  throw new CommandError(`the ${selection.mode} collector did not start: ${why}`);
}

/** A container is followed by its cgroup. */
async function withContainer(options: StartOptions): Promise<StartOptions> {
  const { container, cgroup, tree } = options;
  if (container === null) return options;
  if (cgroup !== null || tree !== null) {
    throw new UsageError("--container excludes --cgroup and --tree");
  }
  const { directory } = await findContainer(container, options["engine-socket"]);
  return { ...options, cgroup: directory };
}

/** A collector that may not read /proc cannot tell its own start time. */
async function registerUnprivileged(
  { runDir, runId, nodeId }: RolePlace,
  pid: number,
): Promise<void> {
  const found = processIdentity(pid);
  // It is gone already: its log says why.
  if (found === null) return;
  const identity: RoleIdentity = {
    role: COLLECTOR.name,
    run_id: runId,
    node_id: nodeId,
    pid,
    start_ticks: found.startTicks,
    boot_id: bootId(),
    ts_start: Date.now(),
  };
  await writeJsonAtomic(runDir.role(COLLECTOR.name), identity);
}

async function refuseSecond({ runDir }: RolePlace): Promise<void> {
  const first = await readRole(runDir.role(COLLECTOR.name));
  if (first === null || !isAlive(first)) return;
  throw new CommandError(`the ${describe(first)} is at work: deno task stop-collect ends it`);
}

/** Nobody steps the clock under a role that is at work. */
async function roleAtWork(logs: string): Promise<string | null> {
  const alive = (await findRoles(resolve(logs))).find(({ identity }) => isAlive(identity));
  if (alive === undefined) return null;
  const { role, run_id, pid } = alive.identity;
  return `the ${role} of run ${run_id} (pid ${pid}) is at work`;
}

/** The collector in a session of its own; its log messages go to its log file, its first line of data to us. */
function spawn(place: RolePlace, options: StartOptions): Deno.ChildProcess {
  return new Deno.Command("sh", {
    args: [
      "-c",
      'log=$0; exec "$@" 2>>"$log"',
      collectorLog(place.runDir),
      ...programCommand("collector", [
        "--no-prompt",
        COLLECTOR_V8_FLAGS,
        ...permissionsFor(place, options),
      ]),
      ...argumentsFor(COLLECTOR.flags, options),
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    detached: true,
  }).spawn();
}

/** /proc asks for every permission; a mount of proc elsewhere for reading it. */
function permissionsFor({ runDir }: RolePlace, options: StartOptions): string[] {
  if (options.procfs === "/proc") return ["--allow-all"];
  const selection = selectionOf(options);
  const folder = selection.mode === "whitelist" ? [selection.folder] : [];
  const cgroup = selection.mode === "cgroup" ? [selection.path] : [];
  const grant = {
    read: [resolve(options.procfs), runDir.path, ...folder, ...cgroup],
    write: [runDir.path, ...folder],
    sys: ["hostname"],
  };
  return grantArguments(withSources(grant, COLLECTOR.flags));
}

/** `options` as arguments, those that `flags` has. */
function argumentsFor(flags: Flags, options: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(flags).flatMap(([name, flag]: [string, Flag]) => {
    const value = options[name];
    if (value === null || value === undefined) return [];
    if (flag.kind === "boolean") return [value === true ? `--${name}` : `--no-${name}`];
    return [`--${name}=${value}`];
  });
}

/** The first line of `stream`, which is then let go; null when it ends without one. */
async function firstLine(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string | null> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const end = text.indexOf("\n");
    if (end >= 0) return text.slice(0, end);
  }
  return null;
}

if (import.meta.main) await runMain(START_COLLECT, main);
