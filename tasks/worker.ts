/** The worker of one node. */

import { availableCores } from "../trace/linux/cores.ts";
import { resolve } from "@std/path";
import { AdapterClient } from "../adapter/client.ts";
import type { Registration } from "../scheduler/queue/queue.ts";
import { TIMING } from "../scheduler/queue/timing.ts";
import { type OwnedLauncher, runWorker } from "../scheduler/worker.ts";
import { type AdapterHello, ANY_COMMAND } from "../trace/adapter_protocol.ts";
import { removeIfThere } from "../trace/atomic_file.ts";
import { parseCpuList } from "../trace/cpu_list.ts";
import { PatientWriter } from "../trace/patient_writer.ts";
import { mibToBytes } from "../trace/units.ts";
import { asUsage, UsageError } from "./command/usage_error.ts";
import type { Parsed } from "./command/parse.ts";
import { ClockLog } from "./role/clock_log.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { openQueue } from "./redis/queue.ts";
import { noteDataLoss } from "./role/loss_record.ts";
import { writeRoleMeta } from "./role/meta.ts";
import { placeOf } from "./flags/groups/run.ts";
import type { RolePlace } from "./command/role.ts";
import { ADAPTER_VARIABLES, adapterCommand, WORKER, type WorkerFlags } from "./flags/worker.ts";

/** Between two measurements of the clock's offset, ms. */
const CLOCK_INTERVAL_MS = 30_000;

/** How long an adapter may take to end its tasks and itself, ms: their own grace is 5 s at most. */
const ADAPTER_CLOSE_MS = 15_000;

/** Run the worker until it is stopped. */
export async function main({ options }: Parsed<typeof WORKER.flags>, io: Io): Promise<number> {
  const place = placeOf(options);
  const { runDir } = place;
  const node = place.nodeId ?? "";
  const registration = registrationOf(options);
  const hello = helloOf(place, options);
  await Deno.mkdir(runDir.path, { recursive: true });
  await Deno.mkdir(resolve(options.outputs), { recursive: true });
  await writeRoleMeta(WORKER.name, {
    place,
    options,
    worker: {
      capacity_units: registration.capacityUnits,
      slots: registration.slots,
      allocation_ratio: registration.allocationRatio,
      cpu_binding: options["cpu-binding"],
    },
  });
  await using redis = await openQueue(options, io);
  await using queue = redis.worker(node, TIMING);
  using results = PatientWriter.open(runDir.results, { report: io.say });
  using clock = new ClockLog(runDir.clock, { time: () => redis.time(), report: io.say });
  const { capacityUnits, physicalCores } = registration;
  io.say(
    `Worker ${node} of run ${place.runId} offers ${capacityUnits} vCPUs on ${physicalCores} cores`,
  );
  if (options["allow-any"]) {
    io.say(
      "Warning: --allow-any: whoever can put tasks into the queue runs any program here, as user " +
        `${Deno.uid()}`,
    );
  }
  let adapter: WorkersAdapter | null = null;
  async function noteClock(): Promise<void> {
    clock.see(await adapter?.readClocks() ?? null);
    await clock.note();
  }
  // Without Redis nobody hears what ended, and on the second signal nobody waits for it.
  io.force.addEventListener("abort", () => {
    if (!redis.isUp) redis[Symbol.asyncDispose]();
  });
  const onDisk = (problem: string | null): void =>
    io.say(
      problem === null
        ? `${node}: there is room on the disk again`
        : `${node} waits for room on the disk: ${problem}`,
    );
  const timer = setInterval(() => redis.isUp && noteClock(), CLOCK_INTERVAL_MS);
  try {
    await runWorker(queue, {
      node,
      registration,
      timing: TIMING,
      openLauncher: async (mayKeepAlive) => {
        const isFirst = adapter === null;
        adapter = await openAdapter(hello, { options, mayKeepAlive, onDisk });
        for (const note of isFirst ? adapter.ready.notes : []) io.say(`${node}: ${note}`);
        if (isFirst) await noteClock();
        return adapter;
      },
      onResult: (result) => results.append([result]),
      onDataLost: () => noteDataLoss(runDir, "worker"),
      report: io.say,
      signal: io.signal,
      force: io.force,
    });
  } finally {
    clearInterval(timer);
  }
  if (redis.isUp) await clock.note();
  await removeIfThere(runDir.role(WORKER.name));
  return 0;
}

function registrationOf(options: WorkerFlags): Registration {
  const { cpus } = options;
  const cores = cpus === null ? availableCores() : asUsage(() => parseCpuList(cpus)).length;
  const ratio = options["allocation-ratio"];
  if (ratio <= 0) throw new UsageError(`--allocation-ratio must be above 0, got ${ratio}`);
  return {
    capacityUnits: options["capacity-units"] || Math.max(1, Math.floor(ratio * cores)),
    slots: options.parallel,
    slotsKey: options["slots-key"],
    physicalCores: cores,
    allocationRatio: ratio,
    clearQueue: options["clear-queue"],
  };
}

function helloOf(
  { runDir, runId, nodeId }: RolePlace,
  options: WorkerFlags,
): Omit<AdapterHello, "type" | "protocol"> {
  return {
    run_id: runId,
    node_id: nodeId ?? "",
    stage: options.stage,
    run_dir: runDir.path,
    inputs_root: Deno.cwd(),
    outputs_dir: resolve(options.outputs),
    uid: Deno.uid(),
    gid: Deno.gid(),
    cpus: options.cpus,
    cpu_binding: options["cpu-binding"],
    cpuweight_per_vcpu: options["cpuweight-per-vcpu"],
    cpu_control: options["cpu-control"],
    task_log_max_bytes: mibToBytes(options["task-log-max-mb"]),
    allowed_variables: options["allow-any"] ? ["*"] : namesIn(options["allow-env"]),
    allowed_commands: options["allow-any"] ? [ANY_COMMAND] : namesIn(options["allow-commands"]),
  };
}

function namesIn(list: string): string[] {
  return list.split(",").filter((name) => name !== "");
}

/** An adapter that also tells the time. */
type WorkersAdapter = OwnedLauncher & Pick<AdapterClient, "readClocks">;

/** Start an adapter of this worker's own. */
async function openAdapter(
  hello: Omit<AdapterHello, "type" | "protocol">,
  { options, mayKeepAlive, onDisk }: {
    readonly options: WorkerFlags;
    readonly mayKeepAlive: () => boolean;
    readonly onDisk: (problem: string | null) => void;
  },
): Promise<WorkersAdapter> {
  const { program, args } = adapterCommand(options);
  const variables = ADAPTER_VARIABLES.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  const command = new Deno.Command(program, {
    args: [...args],
    clearEnv: true,
    env: Object.fromEntries(variables),
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  });
  const child = spawnAdapter(command, program);
  const streams = { requests: child.stdin, replies: child.stdout };
  const client = await AdapterClient.open(streams, hello, { mayKeepAlive, onDisk });
  return {
    ready: client.ready,
    closed: client.closed,
    launch: (task) => client.launch(task),
    readClocks: () => client.readClocks(),
    kill: () => killAdapter(child),
    async [Symbol.asyncDispose](): Promise<void> {
      // One that is stopped (SIGSTOP) would keep this process forever; its tasks die with it.
      const deadline = setTimeout(() => child.kill("SIGKILL"), ADAPTER_CLOSE_MS);
      await client.close();
      await child.status;
      clearTimeout(deadline);
    },
  };
}

/** An adapter behind sudo is not ours to kill; one that has just ended needs no killing. */
function killAdapter(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    const isGone = error instanceof TypeError || error instanceof Deno.errors.NotFound;
    if (!isGone && !(error instanceof Deno.errors.PermissionDenied)) throw error;
  }
}

function spawnAdapter(command: Deno.Command, program: string): Deno.ChildProcess {
  try {
    return command.spawn();
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.PermissionDenied;
    if (!isMissing) throw error;
    throw new CommandError(
      `Cannot start the adapter: a program is required, got "${program}" (--adapter-command)`,
      { cause: error },
    );
  }
}

if (import.meta.main) await runMain(WORKER, main);
