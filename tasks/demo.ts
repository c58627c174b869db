/**
 * `deno task demo`: the main job on one machine. Every step is the command that a user would run on a
 * cluster, with the real programs: redis-server, ffmpeg, /proc, parquet.
 */

import { join, resolve } from "@std/path";
import { parseMix } from "../scheduler/mix.ts";
import { BUILT_IN_PROFILES } from "../scheduler/profiles.ts";
import { RedisQueue } from "../scheduler/redis_queue.ts";
import { parseRedisUrl } from "../scheduler/redis_url.ts";
import type { ParseSummary } from "../export/parse.ts";
import type { Progress } from "../scheduler/queue.ts";
import { writeFileAtomic } from "../trace/atomic_file.ts";
import { INVOCATION, type Invocation } from "../trace/cts.ts";
import { type BadLine, readRecords } from "../trace/json_lines.ts";
import { RunDir, runIdAt } from "../trace/run_dir.ts";
import { asUsage, type OptionsOf, type Parsed } from "./_command.ts";
import { reportOf, summaryOf } from "./_demo_report.ts";
import { coreShares, type DemoPlan, roleCommand, type Stage, startStage } from "./_demo_stage.ts";
import { CommandError, type Io, runMain } from "./_main.ts";
import { ensurePrograms, REQUIRED } from "./_programs.ts";
import { openProgress } from "./_progress.ts";
import { Supervisor } from "./_supervisor.ts";
import { DEMO } from "./flags/demo.ts";
import { generateInputs } from "./generate_inputs.ts";

type Options = OptionsOf<typeof DEMO.flags>;

/** How often the queue is asked how far it is, ms: what looks alive to a person. */
const PROGRESS_INTERVAL_MS = 300;

/** Run the demo; 0 when every task is done and the export is verified. */
export async function main(
  { options, given }: Parsed<typeof DEMO.flags>,
  io: Io,
): Promise<number> {
  asUsage(() => parseMix(options.mix, BUILT_IN_PROFILES));
  await ensurePrograms(REQUIRED, io);
  const plan = planOf(options);
  await writeFileAtomic("run_id.env", `RUN_ID=${plan.runId}\n`);
  io.say(`Run ${plan.runId}: ${options.nodes} nodes on this machine (run_id.env written)`);
  if (!given.has("inputs")) await makeInputs(plan, io);
  // What is wrong with inputs or mix is told before anything is started.
  await step(io, "dispatch", "--dry-run", ...dispatchArguments(plan, options));
  const ended = await runBatch(plan, { options, io });
  io.say("Parse, audit, export, verify");
  const exportDir = resolve(options.out ?? `opendc_traces_${plan.runId}`);
  const run = plan.runDir.path;
  const parsed = await step(io, "parse", `--run-id=${plan.runId}`, `--logs=${plan.logs}`, "--json");
  await step(io, "export-opendc", `--input=${run}`, `--output=${exportDir}`);
  const verified = await step(io, "verify-opendc", `--input=${exportDir}`, `--cts=${run}`);
  const outcome = {
    runId: plan.runId,
    total: options.total,
    ended,
    invocations: await readInvocations(plan),
    audits: (JSON.parse(parsed) as ParseSummary[]).map(({ audit }) => audit),
    runDir: run,
    exportDir,
  };
  if (options.json) {
    io.print(JSON.stringify(summaryOf(outcome)));
  } else {
    io.print(verified.trimEnd());
    for (const line of reportOf(outcome)) io.print(line);
  }
  return ended.done === options.total ? 0 : 1;
}

function planOf(options: Options): DemoPlan {
  const runId = runIdAt(Date.now());
  const logs = resolve(options.logs);
  const shares = coreShares(navigator.hardwareConcurrency, options.nodes);
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
  };
}

/** Make a few short videos, or use those of an earlier demo. */
async function makeInputs({ inputs }: DemoPlan, io: Io): Promise<void> {
  const { paths, made } = await generateInputs(
    { out: inputs, durationsS: [2], perDuration: 3, width: 640, height: 360, seed: 1, jobs: null },
    io,
  );
  io.say(`${paths.length} test videos in ${inputs} (${made} made now)`);
}

/** Start all roles, dispatch the batch, wait for its end, and stop the roles in order. */
async function runBatch(
  plan: DemoPlan,
  { options, io }: { readonly options: Options; readonly io: Io },
): Promise<Progress["ended"]> {
  await using supervisor = new Supervisor(io.signal);
  async function batch(): Promise<Progress["ended"]> {
    const stage = await startStage(plan, supervisor);
    supervisor.start({
      name: "dispatch",
      command: roleCommand("run.ts", "dispatch", ...dispatchArguments(plan, options)),
      env: stage.env,
      logFile: join(plan.runDir.path, "dispatch.log"),
      endsByItself: true,
    });
    const ended = await waitUntilEnded(stage, { total: options.total, io });
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

function dispatchArguments(plan: DemoPlan, options: Options): string[] {
  return [
    `--inputs=${plan.inputs}`,
    `--outputs=${plan.outputs}`,
    `--mix=${options.mix}`,
    `--total=${options.total}`,
    `--seed=${options.seed}`,
    "--pending",
    "--pending-mode=pulse",
    "--pulse-size=5",
    "--pulse-interval=5",
    "--pulse-stagger=0.2",
  ];
}

/** Show how far the batch is until all of its tasks have ended; how many ended in each way. */
async function waitUntilEnded(
  { redis }: Stage,
  { total, io }: { readonly total: number; readonly io: Io },
): Promise<Progress["ended"]> {
  await using queue = await RedisQueue.open({
    address: parseRedisUrl(redis.url, { password: redis.password }),
    report: io.say,
    signal: io.signal,
  });
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

/** Run one of our commands to its end, its talk passed on; returns what it printed. */
async function step(io: Io, role: string, ...args: readonly string[]): Promise<string> {
  const [program = "", ...rest] = roleCommand("run.ts", role, ...args);
  const { success, code, stdout } = await new Deno.Command(program, {
    args: rest,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    signal: io.signal,
  }).output();
  const printed = new TextDecoder().decode(stdout);
  if (success) return printed;
  throw new CommandError(`${role} failed with exit code ${code}\n${printed}`);
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
