/**
 * The HTTP adapter: a transparent proxy before a service that records each request and what it cost.
 * It runs with every permission, because cgroups and CPU clocks ask for that, and so has no third-party
 * code but the Deno standard library.
 */

import { availableCores } from "../trace/linux/cores.ts";
import { adaptHttp } from "../adapter/http/adapter.ts";
import { CgroupMeter, type CpuMeter, MeterError } from "../adapter/http/cpu_meter.ts";
import { ListenError } from "../adapter/http/proxy.ts";
import { TreeMeter } from "../adapter/http/tree_meter.ts";
import { removeIfThere, writeJsonAtomic } from "../trace/atomic_file.ts";
import { containerName, containerOfPath, containerOfProcess } from "../trace/container.ts";
import { FORMAT_VERSION, type RunMeta } from "../trace/records.ts";
import type { Parsed } from "./command/parse.ts";
import { UsageError } from "./command/usage_error.ts";
import { findCgroup, findContainer } from "./machine/container.ts";
import { CommandError, type Io, runMain, VERSION } from "./command/main.ts";
import { ensureNodeMeta } from "./role/node_meta.ts";
import { registerRole } from "./command/process.ts";
import { placeOf } from "./flags/groups/run.ts";
import type { RolePlace } from "./command/role.ts";
import {
  ADAPT_HTTP,
  type AdaptHttpOptions,
  listenAddress,
  targetAddress,
} from "./flags/adapt_http.ts";

/** What is measured. */
interface Service {
  readonly meter: CpuMeter | null;
  /** Its container, as ENGINE://ID. */
  readonly container: string | null;
}

/** `deno task adapt-http`. */
export async function main(
  { options }: Parsed<typeof ADAPT_HTTP.flags>,
  io: Io,
): Promise<number> {
  const place = placeOf(options);
  const listen = listenAddress(options.listen);
  const target = targetAddress(options.target);
  const { meter, container } = await openService(options);
  using _meter = meter;
  const { runDir, nodeId } = place;
  await Deno.mkdir(runDir.path, { recursive: true });
  await ensureNodeMeta(place, options.stage);
  await writeJsonAtomic(runDir.runMeta(ADAPT_HTTP.name), runMeta(place, options));
  const record = await registerRole(place, `${ADAPT_HTTP.name}-${Deno.pid}`);
  try {
    const { requestCount, lostCount } = await adaptHttp({
      listen,
      target,
      meter,
      container,
      cores: availableCores(),
      stallMs: options["stall-timeout-s"] * 1000,
      intervalMs: options["interval-ms"],
      graceMs: options["grace-s"] * 1000,
      runDir,
      nodeId: nodeId ?? Deno.hostname(),
      stage: options.stage,
      signal: io.signal,
      force: io.force,
      onListening: (port) => {
        const what = meter === null ? "not known" : `from ${meter.source}`;
        const where = container === null ? "" : ` of ${container}`;
        io.say(`requests are forwarded to ${options.target}; CPU time${where} ${what}`);
        io.print(`http://${hostPart(listen.hostname)}:${port}`);
      },
      report: io.say,
    });
    io.say(`${requestCount} requests recorded in ${runDir.events("http")}`);
    if (lostCount > 0) throw new CommandError(`${lostCount} records could not be written`);
    return 0;
  } catch (error) {
    if (error instanceof ListenError) throw new CommandError(error.message);
    throw error;
  } finally {
    await removeIfThere(record);
  }
}

function runMeta({ runId, nodeId }: RolePlace, options: AdaptHttpOptions): RunMeta {
  const given = Object.entries(options).filter(([, value]) => value !== null);
  return {
    format_version: FORMAT_VERSION,
    run_id: runId,
    node_id: nodeId,
    role: ADAPT_HTTP.name,
    version: VERSION,
    deno_version: Deno.version.deno,
    ts_start: Date.now(),
    flags: Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
    capacity_units: null,
    slots: null,
    allocation_ratio: null,
    cpu_binding: null,
  };
}

function hostPart(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

/** What `options` say the service is. */
async function openService(options: AdaptHttpOptions): Promise<Service> {
  const given = [options.pid, options.cgroup, options.container].filter((one) => one !== null);
  if (given.length > 1) throw new UsageError("--pid, --cgroup and --container exclude each other");
  try {
    if (options.pid !== null) return serviceOfProcess(options.pid);
    if (options.cgroup !== null) {
      const directory = findCgroup(options.cgroup);
      const container = containerOfPath(directory);
      return {
        meter: new CgroupMeter(directory),
        container: container === null ? null : containerName(container),
      };
    }
    if (options.container !== null) {
      const found = await findContainer(options.container, options["engine-socket"]);
      return {
        meter: new CgroupMeter(found.directory),
        container: containerName(found.container),
      };
    }
  } catch (error) {
    if (error instanceof MeterError) throw new CommandError(error.message);
    throw error;
  }
  return { meter: null, container: null };
}

function serviceOfProcess(pid: number): Service {
  const meter = new TreeMeter(pid);
  const container = containerOfProcess(Deno.readTextFileSync(`/proc/${pid}/cgroup`));
  return { meter, container: container === null ? null : containerName(container) };
}

if (import.meta.main) await runMain(ADAPT_HTTP, main);
