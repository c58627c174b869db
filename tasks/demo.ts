/**
 * `deno task demo`: the main job on one machine. Every step is the command that a user would run on a
 * cluster, with the real programs: redis-server, ffmpeg, /proc, parquet.
 */

import { availableCores } from "../trace/linux/cores.ts";
import { join, resolve } from "@std/path";
import { parseMix } from "../scheduler/dispatch/mix.ts";
import { BUILT_IN_PROFILES } from "../scheduler/dispatch/profiles.ts";
import { openRedisQueue } from "../scheduler/queue/open.ts";
import { parseRedisUrl } from "../scheduler/queue/url.ts";
import type { ParseSummary } from "../export/parse.ts";
import { screenLines } from "../export/summary/screen.ts";
import { summarizeRun } from "../export/summary/summary.ts";
import { openTableRun } from "../export/tables/run.ts";
import type { Progress } from "../scheduler/queue/queue.ts";
import { INVOCATION, type Invocation } from "../trace/cts.ts";
import { type BadLine, readRecords } from "../trace/json_lines.ts";
import { RunDir } from "../trace/run_dir.ts";
import { asUsage, UsageError } from "./command/usage_error.ts";
import type { OptionsOf } from "./command/flag_table.ts";
import { parseCommand, type Parsed } from "./command/parse.ts";
import { readWork } from "./dispatch/work.ts";
import { forgetVariables, reserveRunId, writeRunIdEnv } from "./demo/place.ts";
import { reportOf, summaryOf } from "./demo/report.ts";
import { coreShares, type DemoPlan, type Stage, startStage, tasksOf } from "./demo/stage.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { ensurePrograms, findProgram, REQUIRED } from "./machine/packages.ts";
import { paintOf } from "./summary/open.ts";
import { invocationOf, launcherCommand } from "./command/own_program.ts";
import { openProgress } from "./command/progress.ts";
import { Supervisor } from "./machine/supervisor.ts";
import { DEMO } from "./flags/demo.ts";
import { weigherOf } from "./flags/groups/weigher.ts";
import { DISPATCH } from "./flags/dispatch.ts";
import { generateInputs } from "./inputs/generate.ts";

type Options = OptionsOf<typeof DEMO.flags>;

/** How often the queue is asked how far it is, ms: what looks alive to a person. */
const PROGRESS_INTERVAL_MS = 300;

/** Run the demo; 0 when every task is done and the export is verified. */
export async function main(
  { options, given }: Parsed<typeof DEMO.flags>,
  io: Io,
): Promise<number> {
  checkMix(options);
  weigherOf(options);
  await ensurePrograms(REQUIRED, io);
  forgetVariables();
  // What is wrong with inputs, mix or folders is told before anything is started.
  if (!given.has("inputs")) await makeInputs(resolve(options.inputs), io);
  await checkInputs(options, io);
  if (options.out !== null) await makeFolder(resolve(options.out));
  const plan = planOf(options, await reserveRunId(resolve(options.logs)));
  await writeRunIdEnv(plan.runId);
  io.say(`Run ${plan.runId}: ${options.nodes} nodes on this machine (run_id.env written)`);
  const ended = await runBatch(plan, { options, io });
  io.say("Parse, audit, export, verify");
  const exportDir = resolve(options.out ?? `opendc_traces_${plan.runId}`);
  const run = plan.runDir.path;
  const after = (role: string, ...args: readonly string[]): Promise<string> =>
    step([role, ...args], { io, cwd: run });
  const parsed = await after("parse", `--run-id=${plan.runId}`, `--logs=${plan.logs}`, "--json");
  await after("export-opendc", `--input=${run}`, `--output=${exportDir}`);
  const verified = await after("verify-opendc", `--input=${exportDir}`, `--cts=${run}`);
  const report = join(run, "report.html");
  await after("report", run, `--output=${report}`);
  const outcome = {
    runId: plan.runId,
    total: options.total,
    ended,
    invocations: await readInvocations(plan),
    audits: (JSON.parse(parsed) as ParseSummary[]).map(({ audit }) => audit),
    screen: screenLines(await summarizeRun(await openTableRun(run)), paintOf()),
    runDir: run,
    exportDir,
    report,
  };
  if (options.json) {
    io.print(JSON.stringify(summaryOf(outcome)));
  } else {
    io.print(verified.trimEnd());
    for (const line of reportOf(outcome)) io.print(line);
  }
  if (options.open) await openInBrowser(report, io);
  return ended.done === options.total ? 0 : 1;
}

/** Show the page in the user's browser; where there is none, the path was printed above. */
async function openInBrowser(path: string, io: Io): Promise<void> {
  const opener = await findProgram("xdg-open", Deno.env.get("PATH") ?? "");
  if (opener === null) {
    io.say(`Cannot open "${path}": xdg-open is required, got none (Debian: xdg-utils)`);
    return;
  }
  const { success } = await new Deno.Command(opener, { args: [path], stdin: "null" }).output();
  if (!success) io.say(`Cannot open "${path}": xdg-open found no browser`);
}

function planOf(options: Options, runId: string): DemoPlan {
  const logs = resolve(options.logs);
  const shares = coreShares(availableCores(), options.nodes);
  return {
    runId,
    logs,
    runDir: RunDir.of(logs, runId),
    nodes: shares.map((cpus, index) => {
      const id = `cloud${index + 1}`;
      return { id, cpus, runDir: RunDir.of(logs, runId, id) };
    }),
    inputs: resolve(options.inputs),
    outputs: resolve("outputs", runId),
    capacityUnits: options["capacity-units"],
    intervalMs: options["interval-ms"],
    schedulerFlags: (["weigher", "weigher-order", "scan-pending"] as const)
      .map((name) => `--${name}=${options[name]}`),
  };
}

/** Make a few short videos, or use those of an earlier demo. */
async function makeInputs(folder: string, io: Io): Promise<void> {
  const { paths, made } = await generateInputs(
    { out: folder, durationsS: [2], perDuration: 3, width: 640, height: 360, seed: 1, jobs: null },
    io,
  );
  io.say(`${paths.length} test videos in ${folder} (${made} made now)`);
}

/** Refuse a mix that cannot be, or a profile that no node has room for: its tasks would wait forever. */
function checkMix({ mix, "capacity-units": capacity }: Options): void {
  for (const { profile } of asUsage(() => parseMix(mix, BUILT_IN_PROFILES))) {
    const { name, task: { cpu_units: units = 1 } } = profile;
    if (units <= capacity) continue;
    throw new UsageError(
      `a task of profile ${name} needs ${units} vCPUs, a node has ${capacity}: ` +
        `--capacity-units must be ${units} or more, or --mix without ${name}`,
    );
  }
}

/** Refuse inputs of which no tasks can be made, as the dispatcher would. */
async function checkInputs(options: Options, io: Io): Promise<void> {
  const folders = { inputs: resolve(options.inputs), outputs: resolve("outputs") };
  const sources = { env: {}, runIdEnv: {} };
  const dispatch = parseCommand(DISPATCH, dispatchArguments(folders, options), sources);
  await readWork(dispatch.options, io.say);
  if (io.signal.aborted) throw new CommandError("interrupted");
}

async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new CommandError(`Cannot make the folder "${path}": ${error.message}`, { cause: error });
  }
}

/** Start all roles, dispatch the batch, wait for its end, and stop the roles in order. */
async function runBatch(
  plan: DemoPlan,
  { options, io }: { readonly options: Options; readonly io: Io },
): Promise<Progress["ended"]> {
  // Left after the supervisor: when a worker was killed, its adapter still ends the tasks.
  await using _tasks = tasksOf(plan.nodes);
  await using supervisor = new Supervisor(io.signal);
  async function batch(): Promise<Progress["ended"]> {
    const stage = await startStage(plan, supervisor);
    await using queue = await openStageQueue(stage, io);
    await waitForWorkers(queue, { plan, io });
    supervisor.start({
      name: "dispatch",
      command: [...launcherCommand("dispatch"), ...dispatchArguments(plan, options)],
      cwd: plan.runDir.path,
      env: stage.env,
      logFile: join(plan.runDir.path, "dispatch.log"),
      endsByItself: true,
    });
    const ended = await waitUntilEnded(queue, { total: options.total, io });
    // Workers first, so that what they did is complete; the scheduler writes the last results; Redis last.
    const { workers, collectors, scheduler, redis } = stage;
    for (const one of [...workers, ...collectors, scheduler, redis.process]) {
      await supervisor.end(one);
    }
    return ended;
  }
  try {
    return await supervisor.during(batch());
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new CommandError(`${error.message}; what was recorded is in ${plan.runDir.path}`, {
      cause: error,
    });
  }
}

function dispatchArguments(
  { inputs, outputs }: Pick<DemoPlan, "inputs" | "outputs">,
  options: Options,
): string[] {
  return [
    `--inputs=${inputs}`,
    `--outputs=${outputs}`,
    `--mix=${options.mix}`,
    `--total=${options.total}`,
    `--seed=${options.seed}`,
    "--pending",
    ...(options.arrivals === null
      ? [
        "--pending-mode=pulse",
        "--pulse-size=5",
        "--pulse-interval=5",
        "--pulse-stagger=0.2",
      ]
      : [`--arrivals=${options.arrivals}`]),
  ];
}

type StageQueue = Awaited<ReturnType<typeof openRedisQueue>>;

async function openStageQueue({ redis }: Stage, { signal }: Io): Promise<StageQueue> {
  return await openRedisQueue({
    address: parseRedisUrl(redis.url, { password: redis.password }),
    // It is of this process too, which tells why it is gone.
    report: (line) => line,
    signal,
  });
}

/** How long the workers may take to register, ms: a busy machine needs some seconds. */
const WORKERS_START_LIMIT_MS = 60_000;

/** Wait until every worker has registered: the tasks then have all nodes from the first one on. */
async function waitForWorkers(
  queue: StageQueue,
  { plan, io }: { readonly plan: DemoPlan; readonly io: Io },
): Promise<void> {
  const deadline = performance.now() + WORKERS_START_LIMIT_MS;
  while (!io.signal.aborted) {
    const { nodes } = await queue.progress();
    const known = new Set(nodes.map(({ node }) => node));
    const missing = plan.nodes.filter(({ id }) => !known.has(id)).map(({ id }) => id);
    if (missing.length === 0) return;
    if (performance.now() > deadline) {
      throw new CommandError(
        `The workers of ${missing.join(", ")} did not register within ${
          WORKERS_START_LIMIT_MS / 1000
        } s`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, WORKERS_INTERVAL_MS));
  }
}

/** How often the queue is asked for its nodes, ms: a part of what a worker takes to start. */
const WORKERS_INTERVAL_MS = 50;

/** Show how far the batch is until all of its tasks have ended; how many ended in each way. */
async function waitUntilEnded(
  queue: StageQueue,
  { total, io }: { readonly total: number; readonly io: Io },
): Promise<Progress["ended"]> {
  using progress = openProgress(io, "Run");
  for (;;) {
    const { pending, nodes, ended } = await queue.progress();
    const over = Object.values(ended).reduce((sum, count) => sum + count, 0);
    const running = nodes.map(({ node, running }) => `${node} runs ${running}`).join(", ");
    progress.update(
      over / total,
      `${pending} queued, ${running}, ${ended.done} done, ${ended.failed + ended.dead} failed`,
    );
    if (over >= total || io.signal.aborted) return ended;
    await new Promise((resolve) => setTimeout(resolve, PROGRESS_INTERVAL_MS));
  }
}

/**
 * A step on a finished run, `cwd`, its log messages passed on; returns what it printed. When it fails, it has said
 * why, and the run is there for another try.
 */
async function step(
  command: readonly string[],
  { io, cwd }: { readonly io: Io; readonly cwd: string },
): Promise<string> {
  const { success, stdout } = await run(command, { io, cwd });
  const printed = new TextDecoder().decode(stdout);
  if (success) return printed;
  if (printed !== "") io.print(printed.trimEnd());
  const what = io.signal.aborted ? "interrupted" : `${command[0]} failed`;
  throw new CommandError(
    `${what}; the run is whole, to continue: ${invocationOf(command.join(" "))}`,
  );
}

/** Run one of our commands to its end. */
async function run(
  [name = "", ...flags]: readonly string[],
  { io, cwd }: { readonly io: Io; readonly cwd: string },
): Promise<Pick<Deno.CommandOutput, "success" | "stdout">> {
  const [program = "", ...args] = [...launcherCommand(name), ...flags];
  const child = new Deno.Command(program, {
    args,
    cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    signal: io.signal,
  });
  const { success, stdout } = await child.output();
  return { success, stdout };
}

async function readInvocations({ nodes }: DemoPlan): Promise<Invocation[]> {
  const invocations: Invocation[] = [];
  for (const { runDir } of nodes) {
    const path = join(runDir.cts, "invocations.jsonl");
    const onBadLine = ({ line, reason }: BadLine) => {
      throw new CommandError(`Cannot read ${path}:${line}: ${reason}`);
    };
    for await (const one of readRecords(path, { decode: INVOCATION.decode, onBadLine })) {
      invocations.push(one);
    }
  }
  return invocations;
}

if (import.meta.main) await runMain(DEMO, main);
