/** A real adapter as a process of its own, with a folder that is gone afterwards. */

import { join } from "@std/path";
import { AdapterClient, type ClientOptions } from "../../adapter/client.ts";
import type { LaunchOutcome } from "../../trace/launcher.ts";
import type { AdapterHello } from "../../trace/adapter_protocol.ts";
import { INVOCATION_EVENT, type InvocationEvent } from "../../trace/records.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { completeTask, type PartialTask, type Task } from "../../trace/task.ts";
import { recordsIn } from "./records.ts";
import { tempFolder } from "./temp_folder.ts";
import { boundCommand } from "./bound_command.ts";

/** A running adapter. */
export interface TestAdapter extends AsyncDisposable {
  /** Its worker's side. */
  readonly client: AdapterClient;
  /** Its pid. */
  readonly pid: number;
  /** The worker's folder, with `outputs/` and `run/` in it. */
  readonly root: string;
  readonly runDir: RunDir;
  /** Complete a task; each gets an id of its own. */
  task(fields: PartialTask): Task;
  /** Run a task to its end. */
  run(fields: PartialTask): Promise<LaunchOutcome>;
  /** Run a task that must run; its exit event. */
  exitOf(fields: PartialTask): Promise<InvocationEvent>;
  /** The event lines so far. */
  events(moduleId: "ffmpeg" | "command"): Promise<InvocationEvent[]>;
  /** Send it a signal. */
  kill(signal: Deno.Signal): void;
}

/** How an adapter is started. */
export interface AdapterOptions extends Partial<AdapterHello> {
  /** Folder of an earlier adapter, which is not removed. Default: a new one. */
  readonly root?: string;
  /** Program and arguments that start it, as sudo does; it is given the adapter's command to run. */
  readonly through?: readonly string[];
}

/** What applies CPU limits in tests that do not choose: CPU_CONTROL=systemd has systemd do it in all. */
const CONTROL = parseControl(Deno.env.get("CPU_CONTROL") ?? "auto");

function parseControl(text: string): AdapterHello["cpu_control"] {
  if (text === "auto" || text === "systemd" || text === "cgroup" || text === "none") return text;
  throw new RangeError(
    `Cannot use CPU_CONTROL "${text}": auto, systemd, cgroup or none is required`,
  );
}

/** What a worker in `root` asks for. */
export function helloOf(
  { root }: { readonly root: string },
): Omit<AdapterHello, "type" | "protocol"> {
  return {
    run_id: "test",
    node_id: "n1",
    stage: null,
    run_dir: join(root, "run"),
    inputs_root: root,
    outputs_dir: join(root, "outputs"),
    uid: Deno.uid(),
    gid: Deno.gid(),
    cpus: null,
    cpu_binding: "exclusive",
    cpuweight_per_vcpu: 100,
    cpu_control: CONTROL,
    task_log_max_bytes: null,
    allowed_variables: ["OWN"],
    allowed_commands: ["sh", "true", "sleep", "cat"],
  };
}

const ADAPTER = new URL("../../tasks/adapter.ts", import.meta.url).pathname;

/** Start an adapter and say hello to it. */
export async function startAdapter(
  { root: given, through = [], ...hello }: AdapterOptions = {},
  clientOptions: ClientOptions = {},
): Promise<TestAdapter> {
  const folder = given === undefined ? await tempFolder() : null;
  const root = given ?? await Deno.realPath(folder?.path ?? "");
  await Deno.mkdir(join(root, "outputs"), { recursive: true });
  const own = [Deno.execPath(), "run", "-q", "-A", "--no-check", ADAPTER];
  const [program = "", ...args] = [...through, ...own];
  const child = boundCommand(program, {
    args,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const runDir = RunDir.at(hello.run_dir ?? join(root, "run"));
  async function end(): Promise<void> {
    await child.status;
    await folder?.[Symbol.asyncDispose]();
  }
  let client: AdapterClient;
  try {
    const streams = { requests: child.stdin, replies: child.stdout };
    client = await AdapterClient.open(streams, { ...helloOf({ root }), ...hello }, clientOptions);
  } catch (error) {
    await end();
    throw error;
  }
  let tasks = 0;
  const task = (fields: PartialTask): Task => completeTask(fields, "test", `t${++tasks}`);
  const run = (fields: PartialTask): Promise<LaunchOutcome> => client.launch(task(fields)).outcome;
  return {
    client,
    pid: child.pid,
    root,
    runDir,
    task,
    run,
    async exitOf(fields: PartialTask): Promise<InvocationEvent> {
      const outcome = await run(fields);
      if (outcome.kind === "exited") return outcome.event;
      throw new Error(`The task did not run: ${outcome.reason}`);
    },
    events: (moduleId) => readEvents(runDir, moduleId),
    kill: (signal) => child.kill(signal),
    async [Symbol.asyncDispose](): Promise<void> {
      await client.close();
      await end();
    },
  };
}

/** The events of a module in `runDir`. */
export function readEvents(
  runDir: RunDir,
  moduleId: "ffmpeg" | "command",
): Promise<InvocationEvent[]> {
  return recordsIn(runDir.events(moduleId), INVOCATION_EVENT.decode);
}
