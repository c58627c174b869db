/**
 * From a worker's hello to everything that attempts on its node share.
 *
 * @module
 */

import {
  ADAPTER_PROTOCOL,
  type AdapterHello,
  type AdapterReply,
} from "../trace/adapter_protocol.ts";
import { formatCpuList, parseCpuList } from "../trace/cpu_list.ts";
import { RunDir } from "../trace/run_dir.ts";
import { type CgroupBase, readHierarchies, sweepCgroups } from "./place/cgroup_base.ts";
import { chooseControl, CpuControl, openControl } from "./place/cpu_control.ts";
import { readCpuTopology } from "./cpu/topology.ts";
import { DiskRoom } from "./disk_room.ts";
import { FileRights } from "./file_rights.ts";
import { Journal, sweepJournals } from "./journal.ts";
import { NodeCpus } from "./cpu/node_cpus.ts";
import type { NodeContext } from "./node_context.ts";
import { readAllowedCpus } from "../trace/linux/processes.ts";
import { instanceId, readOwner } from "./owner.ts";
import { RunFiles } from "./run_files.ts";
import { Sweep } from "./sweep.ts";
import type { SystemdAccess } from "./place/scope_place.ts";
import { sweepScopes } from "./place/sweep_scopes.ts";
import { AdapterError, readTasksUser, type TasksUser, userOfTasks } from "./tasks_user.ts";
import type { StartCalls } from "./start/start_calls.ts";
import type { Clock } from "../trace/clock.ts";
import type { Starter } from "./start/starter.ts";

/** The world of an adapter. */
export interface AdapterMeans {
  /** Both clocks of this machine. */
  readonly clock: Clock;
  /** Starts processes. */
  readonly starter: Starter;
  /** Null where FFI is not available. */
  readonly libc: StartCalls | null;
  /** What is missing here and what it costs, a sentence each. */
  readonly notes: readonly string[];
  /** Environment of the adapter, of which tasks get a few variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Where replies go. */
  readonly report: (reply: AdapterReply) => void;
}

/** A node that is ready for attempts. */
export interface OpenNode {
  /** What its attempts share. */
  readonly node: NodeContext;
  /** The adapter's cgroups; null: none can be made. */
  readonly cgroups: CgroupBase | null;
  /** The service manager; null: it does not run, or must not be used. */
  readonly systemd: SystemdAccess | null;
  /** What is missing here and what it costs, a sentence each. */
  readonly notes: readonly string[];
  /** Left-overs of an earlier adapter that were removed. */
  readonly swept: number;
  /** Resolves when a record that nobody waits for cannot be written. */
  readonly failed: Promise<Error>;
}

/**
 * Variables that tasks get from the adapter: what programs need to find themselves and to speak, and
 * no secret that its caller may have.
 */
const PASSED_VARIABLES = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/** Where programs are looked for when the adapter has no PATH (sudo, a service). */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * End what a crashed adapter left, then make cgroups and files.
 *
 * @throws {AdapterError} when the worker asks for what cannot be given.
 * @throws {ControlError} when it forces a control that is not there.
 */
export async function openNode(hello: AdapterHello, means: AdapterMeans): Promise<OpenNode> {
  if (hello.protocol !== ADAPTER_PROTOCOL) {
    throw new AdapterError(
      `Cannot serve protocol ${hello.protocol}: this adapter speaks ${ADAPTER_PROTOCOL}`,
    );
  }
  const { clock, starter } = means;
  const owner = readOwner();
  const id = instanceId(owner);
  const runDir = RunDir.at(hello.run_dir);
  const user = tasksUser(hello, means);
  const env = { PATH: DEFAULT_PATH, ...pick(means.env, PASSED_VARIABLES), ...user?.env };
  const taskRights = user?.rights ?? null;
  const fileRights = new FileRights(means.libc, taskRights);
  if (taskRights !== null) requireWritable(hello.outputs_dir, fileRights);
  const failure = Promise.withResolvers<Error>();
  const room = new DiskRoom((problem) => means.report({ type: "disk", problem }));
  const files = new RunFiles(runDir, { rights: fileRights, room });

  const own = cpusOf(hello);
  const { systemd, cgroups } = await openControl({
    owner,
    control: hello.cpu_control,
    cpus: own,
    isLimiting: true,
    env: means.env,
    libc: means.libc,
  });
  const sweep = new Sweep();
  await sweepCgroups(readHierarchies(), { self: owner, sweep });
  sweep.count += sweepScopes(systemd, owner);
  sweepJournals(runDir, { self: owner, rights: fileRights, sweep });
  const cgroupVersion = cgroups?.limitingVersion ?? null;
  const choice = chooseControl(hello, { systemd, cgroupVersion });
  const node: NodeContext = {
    hello,
    origin: { nodeId: hello.node_id, stage: hello.stage, instanceId: id },
    clock,
    starter,
    cpus: new NodeCpus({
      places: readCpuTopology(own),
      mode: hello.cpu_binding,
      isShareOfMachine: hello.cpus !== null,
      weightPerUnit: hello.cpuweight_per_vcpu,
      onTotalWeight: (weight) => cgroups?.setWeight(weight),
    }),
    control: new CpuControl(choice.kind, { instanceId: id, base: cgroups, systemd, starter }),
    files,
    room,
    onFailure: failure.resolve,
    libc: means.libc,
    journal: new Journal(runDir, { owner, rights: fileRights }),
    fileRights,
    taskRights,
    rules: {
      outputsDir: hello.outputs_dir,
      root: hello.inputs_root,
      searchPath: env.PATH,
      allowedCommands: hello.allowed_commands,
      allowedVariables: hello.allowed_variables,
    },
    env,
  };
  const notes = [
    ...means.notes,
    ...(choice.note === null ? [] : [choice.note]),
    ...sweep.problems,
  ];
  return { node, cgroups, systemd, notes, swept: sweep.count, failed: failure.promise };
}

function pick(
  env: Readonly<Record<string, string>>,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => names.includes(name)));
}

/** Tasks never have the rights of a root adapter: they run as the user who asked for it. */
function tasksUser(hello: AdapterHello, { env, libc }: AdapterMeans): TasksUser | null {
  const user = userOfTasks(hello, { ownUid: Deno.uid() ?? 0, env });
  if (user === null) return null;
  if (libc === null) {
    throw new AdapterError(`Cannot run tasks as user ${user.uid}: FFI is required for that`);
  }
  return readTasksUser(user);
}

/**
 * Make sure that the user may write to the outputs folder: a root adapter must not write for it where it
 * may not itself.
 *
 * @throws {AdapterError} when it may not.
 */
function requireWritable(folder: string, rights: FileRights): void {
  try {
    rights.asUser(() =>
      Deno.removeSync(Deno.makeTempFileSync({ dir: folder, prefix: ".tracekit-" }))
    );
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new AdapterError(`Cannot use "${folder}" for outputs: ${error.message}`, {
      cause: error,
    });
  }
}

function cpusOf({ cpus }: AdapterHello): number[] {
  const allowed = readAllowedCpus();
  const wanted = cpus === null ? allowed : parseCpuList(cpus);
  const missing = wanted.filter((cpu) => !allowed.includes(cpu));
  if (missing.length === 0) return wanted;
  throw new AdapterError(
    `Cannot use CPUs ${formatCpuList(missing)}: this machine allows ${formatCpuList(allowed)}`,
  );
}
