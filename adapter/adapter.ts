/**
 * The adapter of one node: starts the attempts that its worker asks for, and ends them when asked, or
 * when the worker is gone.
 *
 * @module
 */

import {
  ADAPTER_PROTOCOL,
  type AdapterHello,
  type AdapterReady,
  type AdapterReply,
  type LaunchRequest,
} from "../trace/adapter_protocol.ts";
import { formatCpuList, parseCpuList } from "../trace/cpu_list.ts";
import type { Clock } from "../trace/clock.ts";
import { RunDir } from "../trace/run_dir.ts";
import { Attempt } from "./attempt.ts";
import { CgroupBase, readHierarchies, sweepCgroups } from "./cgroup_base.ts";
import { CoreBook } from "./core_book.ts";
import { FileRights } from "./file_rights.ts";
import { Journal, sweepJournal } from "./journal.ts";
import type { Libc } from "./libc.ts";
import type { StopOptions } from "./lifetime.ts";
import type { NodeContext } from "./node_context.ts";
import { readAllowedCpus, readSelf } from "./proc_pid.ts";
import { RunFiles } from "./run_files.ts";
import type { Rights } from "./spawn_plan.ts";
import type { Starter } from "./starter.ts";
import { parseUserGroups } from "./user_groups.ts";

/** The world of an adapter. */
export interface AdapterMeans {
  readonly clock: Clock;
  readonly starter: Starter;
  /** Null where FFI is not to be had. */
  readonly libc: Libc | null;
  /** What is missing here and what it costs, a sentence each. */
  readonly notes: readonly string[];
  /** Environment of the adapter, of which tasks get {@linkcode PASSED_VARIABLES}. */
  readonly env: Readonly<Record<string, string>>;
  /** Where replies go. */
  readonly report: (reply: AdapterReply) => void;
}

/** The worker asked for what this adapter cannot do. */
export class AdapterError extends Error {
  override readonly name = "AdapterError";
}

/**
 * Variables that tasks get from the adapter: what programs need to find themselves and to speak, and
 * no secret that its caller may have.
 */
const PASSED_VARIABLES = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/** Where programs are looked for when the adapter has no PATH (sudo, a service). */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The adapter of one node. */
export class Adapter implements Disposable {
  /** The answer to hello. */
  readonly ready: AdapterReady;
  readonly #node: NodeContext;
  readonly #report: (reply: AdapterReply) => void;
  readonly #running = new Map<string, { attempt: Attempt; over: Promise<void> }>();
  readonly #failure = Promise.withResolvers<never>();

  private constructor(node: NodeContext, options: AdapterMeans & { readonly swept: number }) {
    this.#node = node;
    this.#report = options.report;
    this.ready = {
      type: "ready",
      protocol: ADAPTER_PROTOCOL,
      pid: Deno.pid,
      launcher: options.starter.kind,
      accounting: [node.cgroups?.description, options.libc && "wait4 rusage"]
        .filter(Boolean).join(", ") || "none",
      cpu_control: "affinity",
      notes: options.notes,
      swept: options.swept,
    };
  }

  /**
   * Begin the service that `hello` asks for: end what a crashed adapter left, then make cgroups and
   * files.
   *
   * @throws {AdapterError} when it cannot be given.
   */
  static async open(hello: AdapterHello, means: AdapterMeans): Promise<Adapter> {
    if (hello.protocol !== ADAPTER_PROTOCOL) {
      throw new AdapterError(
        `Cannot serve protocol ${hello.protocol}: this adapter speaks ${ADAPTER_PROTOCOL}`,
      );
    }
    const owner = readSelf();
    const runDir = RunDir.at(hello.run_dir);
    const hierarchies = readHierarchies();
    const swept = sweepCgroups(hierarchies) + await sweepJournal(runDir, owner.bootId);
    const taskRights = rightsOf(hello, means);
    const fileRights = new FileRights(means.libc, taskRights);
    const files = new RunFiles(runDir, fileRights);
    const env = { PATH: DEFAULT_PATH, ...pick(means.env, PASSED_VARIABLES) };
    const node: NodeContext = {
      hello,
      origin: {
        nodeId: hello.node_id,
        stage: hello.stage,
        instanceId: `${owner.pid}-${owner.startTicks}`,
      },
      clock: means.clock,
      starter: means.starter,
      cgroups: CgroupBase.create(hierarchies, owner),
      cores: coresOf(hello),
      files,
      journal: fileRights.asUser(() => new Journal(runDir, owner)),
      fileRights,
      taskRights,
      rules: {
        outputsDir: hello.outputs_dir,
        root: hello.inputs_root,
        searchPath: env.PATH,
        allowedCommands: hello.allowed_commands,
      },
      env,
    };
    return new Adapter(node, { ...means, swept });
  }

  /** Rejects when the adapter cannot go on: its files can no longer be written. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /** Start an attempt; replies tell of it. */
  launch({ launch_id, task }: LaunchRequest): void {
    const attempt = new Attempt(task, {
      node: this.#node,
      onStarted: (started) => this.#report({ type: "started", launch_id, ...started }),
    });
    const over = this.#follow(launch_id, attempt);
    this.#running.set(launch_id, { attempt, over });
  }

  /** End one attempt, or all. */
  stop(launchId: string | null, options: StopOptions): void {
    const wanted = launchId === null ? this.#running.values() : [this.#running.get(launchId)];
    for (const running of wanted) running?.attempt.stop(options);
  }

  /** End all attempts and wait for them. */
  async stopAll(options: StopOptions): Promise<void> {
    this.stop(null, options);
    await Promise.all([...this.#running.values()].map(({ over }) => over));
  }

  [Symbol.dispose](): void {
    this.#node.cgroups?.[Symbol.dispose]();
    this.#node.journal[Symbol.dispose]();
    this.#node.files[Symbol.dispose]();
  }

  async #follow(launchId: string, attempt: Attempt): Promise<void> {
    try {
      const result = await attempt.run();
      this.#report(
        result.kind === "refused"
          ? { type: "refused", launch_id: launchId, reason: result.reason }
          : { type: "exited", launch_id: launchId, is_done: result.isDone, event: result.event },
      );
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#failure.reject(error);
    }
    this.#running.delete(launchId);
  }
}

function pick(
  env: Readonly<Record<string, string>>,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => names.includes(name)));
}

/** Tasks never have the rights of a root adapter: they run as the worker's user. */
function rightsOf({ uid, gid }: AdapterHello, { libc }: AdapterMeans): Rights | null {
  if (uid === null || gid === null || uid === Deno.uid()) return null;
  if (Deno.uid() !== 0) {
    throw new AdapterError(`Cannot run tasks as user ${uid}: the adapter is user ${Deno.uid()}`);
  }
  if (libc === null) {
    throw new AdapterError(`Cannot run tasks as user ${uid}: FFI is required for that`);
  }
  const [passwd, group] = ["/etc/passwd", "/etc/group"].map((path) => Deno.readTextFileSync(path));
  const groups = parseUserGroups({ passwd: passwd ?? "", group: group ?? "" }, { uid, gid });
  return { uid, gid, groups };
}

function coresOf({ cpus, cpu_binding }: AdapterHello): CoreBook {
  const allowed = readAllowedCpus();
  const wanted = cpus === null ? allowed : parseCpuList(cpus);
  const missing = wanted.filter((cpu) => !allowed.includes(cpu));
  if (missing.length > 0) {
    throw new AdapterError(
      `Cannot use CPUs ${formatCpuList(missing)}: this machine allows ${formatCpuList(allowed)}`,
    );
  }
  return new CoreBook(wanted, { mode: cpu_binding, isShareOfMachine: cpus !== null });
}
