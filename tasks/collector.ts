/**
 * The collector in the foreground. It runs with every permission, because /proc asks for that, and so has
 * no third-party code but the Deno standard library; with `--procfs` elsewhere, reading that mount and
 * writing the run directory is enough.
 */

import { availableCores } from "../trace/linux/cores.ts";
import { join } from "@std/path";
import { collect } from "../collector/collect.ts";
import { removeIfThere, writeJsonAtomic } from "../trace/atomic_file.ts";
import { FORMAT_VERSION, type RunMeta } from "../trace/records.ts";
import type { Parsed } from "./command/parse.ts";
import { CommandError, type Io, runMain, VERSION } from "./command/main.ts";
import { registerRole } from "./command/process.ts";
import { nodeIdOf, placeOf } from "./flags/groups/run.ts";
import type { RolePlace } from "./command/role.ts";
import { COLLECTOR, type CollectorOptions, cpusOf, selectionOf } from "./flags/collector.ts";

/** What the collector writes to stdout, one line of JSON, once it samples. */
export interface Started {
  readonly mode: string;
  readonly interval_ms: number;
  readonly file: string;
}

/** Run the collector until SIGTERM or SIGINT. */
export async function main(
  { options }: Parsed<typeof COLLECTOR.flags>,
  io: Io,
): Promise<number> {
  const place = placeOf(options);
  const selection = selectionOf(options);
  const cpus = cpusOf(options);
  const { runDir } = place;
  await Deno.mkdir(runDir.roles, { recursive: true });
  using lock = Deno.openSync(join(runDir.roles, "collector.lock"), { write: true, create: true });
  if (!lock.tryLockSync(true)) {
    throw new CommandError(`another collector writes to ${runDir.path}: stop it first`);
  }
  const isPrivileged = options.procfs === "/proc";
  if (isPrivileged) await registerRole(place, COLLECTOR.name);
  await writeJsonAtomic(runDir.runMeta(COLLECTOR.name), runMeta(place, options));
  const { samples } = await collect({
    runDir,
    procfs: options.procfs,
    isFfiWanted: options.ffi,
    isRealtimeWanted: options.realtime,
    node: {
      runId: place.runId,
      nodeId: nodeIdOf(options),
      stage: options.stage,
      sysfs: options.sysfs,
      cpus,
      availableCores: availableCores(),
      frequencyMhz: options["cpu-freq-mhz"],
      address: options["vm-ip"],
      interface: options.iface,
    },
    selection,
    argv: options.argv,
    intervalMs: options["interval-ms"],
    isHostWanted: options.host,
    isRefreshing: options.refresh,
    isSampling: options.sampling,
    signal: io.signal,
    onStarted: () => {
      const started: Started = {
        mode: selection.mode,
        interval_ms: options["interval-ms"],
        file: runDir.procMetrics,
      };
      io.print(JSON.stringify(started));
      io.say(`proc sampler started (mode=${started.mode}, file=${started.file})`);
    },
    report: io.say,
  });
  io.say(`proc sampler stopped: ${samples} samples`);
  // After a failure the record stays, and so stop-collect learns that there was one.
  await removeIfThere(runDir.role(COLLECTOR.name));
  return 0;
}

function runMeta({ runId, nodeId }: RolePlace, options: CollectorOptions): RunMeta {
  const flags = Object.entries(options).filter(([, value]) => value !== null);
  return {
    format_version: FORMAT_VERSION,
    run_id: runId,
    node_id: nodeId,
    role: COLLECTOR.name,
    version: VERSION,
    deno_version: Deno.version.deno,
    ts_start: Date.now(),
    flags: Object.fromEntries(flags.map(([name, value]) => [name, String(value)])),
    capacity_units: null,
    slots: null,
    allocation_ratio: null,
    cpu_binding: null,
  };
}

if (import.meta.main) await runMain(COLLECTOR, main);
