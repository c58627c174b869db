/**
 * A run on a cluster: a controller and workers with networks, host names and homes of their own; the
 * executables come by scp, Redis asks for a password and speaks TLS; then the records of all nodes come
 * together and become one verified workload.
 */

import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import type { QueueStatus } from "../../scheduler/queue/status.ts";
import type { Invocation } from "../../trace/cts.ts";
import type { ClockOffset, InvocationEvent, TaskResult } from "../../trace/records.ts";
import {
  CAN_BUILD_CLUSTER,
  type Cluster,
  type ClusterHost,
  startCluster,
} from "../support/cluster.ts";
import { runCommand } from "../support/command_process.ts";
import { blocksOf } from "../support/markdown.ts";
import { ROOT } from "../support/module_graph.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { waitFor } from "../support/wait_for.ts";
import { watchCommandLines } from "../support/watch_command_lines.ts";

const RUN_ID = "cluster";
const WORKERS = 2;

/** Tasks of the tutorial's batch, at half its size. */
const TASKS = 10;

/**
 * The controller's clock is this far behind those of the workers, ms: whatever is on the wrong clock is
 * off by more than the whole run takes. (Ahead of them, its certificate would not be valid yet.)
 */
const CONTROLLER_SHIFT_MS = -600_000;

/** Half a step of the clock in which offsets are measured, and the turn in which it is read, ms. */
const CLOCK_STEP_MS = 1;
const CAPACITY_UNITS = 4;
const TASKS_FOLDER = fromFileUrl(new URL("../../tasks", import.meta.url));

/** The deployment of one test: its hosts, and `deploy` in the cluster's network. */
class Deployment {
  readonly cluster: Cluster;
  readonly #folder: string;

  constructor(cluster: Cluster, folder: string) {
    this.cluster = cluster;
    this.#folder = folder;
  }

  get controller(): ClusterHost {
    return this.cluster.hosts[0] as ClusterHost;
  }

  get workers(): readonly ClusterHost[] {
    return this.cluster.hosts.slice(1);
  }

  /** Run `deno task deploy ACTION`; what it said. */
  async deploy(action: string): Promise<string> {
    const { code, stdout, stderr } = await this.cluster.exec([
      ...[Deno.execPath(), "run", "-A", "-q", join(TASKS_FOLDER, "deploy.ts"), action],
      ...["--tls", `--run-id=${RUN_ID}`, `--ssh-config=${this.cluster.sshConfig}`],
      ...["--hosts=hosts.conf", "--dist=dist", "--logs=logs"],
    ], { cwd: this.#folder });
    assertEquals(code, 0, stdout + stderr);
    return stdout + stderr;
  }

  /** Dispatch on the controller with these flags. */
  async dispatch(flags: string): Promise<void> {
    await this.on(
      this.controller,
      `set -a; . ./run_id.env; . ./dispatcher.env; set +a; ./tracekit-dispatcher --pending ${flags}`,
    );
  }

  /** Wait until `done` tasks are done and all nodes are live. */
  async waitForDone(done: number): Promise<void> {
    await waitFor({
      what: `${done} tasks done and ${this.workers.length} live nodes`,
      read: async () =>
        JSON.parse(
          await this.on(
            this.controller,
            "set -a; . ./operator.env; set +a; ./tracekit-scheduler status --json",
          ),
        ) as QueueStatus,
      until: ({ ended, nodes }) =>
        ended.done === done &&
        nodes.filter(({ state }) => state === "live").length === this.workers.length,
      limitMs: 240_000,
      // Each read is an ssh session and a start of the program.
      everyMs: 1000,
    });
  }

  /** Run a shell line in the deployment's folder on `host`. */
  async on(host: ClusterHost, line: string): Promise<string> {
    const { code, stdout, stderr } = await this.cluster.exec([
      ...["ssh", "-F", this.cluster.sshConfig, host.address],
      `cd tracekit && ${line}`,
    ]);
    assertEquals(code, 0, `${line}: ${stderr}`);
    return stdout;
  }
}

async function setUp(folder: string): Promise<Deployment> {
  const names = Array.from({ length: WORKERS }, (_, index) => ({ name: `cloud${index + 1}` }));
  const compiled = await runCommand([
    "compile",
    "--form=portable",
    `--out=${join(folder, "dist")}`,
  ]);
  assertEquals(compiled.code, 0, compiled.stderr);
  const inputs = join(folder, "inputs");
  const generated = await runCommand([
    ...["generate_inputs", "--out", inputs, "--durations", "1"],
    ...["--per-duration", "2", "--size", "320x180", "--seed", "1"],
  ]);
  assertEquals(generated.code, 0, generated.stderr);
  const cluster = await startCluster(folder, [
    { name: "cloud0", clockShiftS: CONTROLLER_SHIFT_MS / 1000 },
    ...names,
  ]);
  const [controller, ...workers] = cluster.hosts;
  const lines = workers.map(({ address }) =>
    `root@${address} worker CPU_FREQ_MHZ=2000 --capacity-units ${CAPACITY_UNITS} --allow-commands sleep,sha256sum`
  );
  await Deno.writeTextFile(
    join(folder, "hosts.conf"),
    [`root@${controller?.address} controller`, ...lines, ""].join("\n"),
  );
  for (const { home } of cluster.hosts) await copyFiles(inputs, join(home, "tracekit/inputs"));
  return new Deployment(cluster, folder);
}

async function copyFiles(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFiles(join(from, name), join(to, name));
    else await Deno.copyFile(join(from, name), join(to, name));
  }
}

/** Tasks of each batch of sleepers, and how long each sleeps, s. */
const SLEEPERS = 12;
const SLEEP_S = 2;

/** Longer than a lease: the queue has given the tasks of the host to others by then. */
const UNPLUGGED_MS = 12_000;

/** Tasks of the README's batch. */
const README_TASKS = 20;

const ALL_TASKS = TASKS + 2 * SLEEPERS + README_TASKS;

/**
 * What `document` has run on the controller by ssh: the words between quotes behind `ssh`, in the block
 * that contains `part`.
 */
async function remoteLine(document: string, part: string): Promise<string> {
  const blocks = blocksOf(await Deno.readTextFile(join(ROOT, document)), ["bash"]);
  const block = blocks.find((one) => one.includes(part)) ?? "";
  const [, line] = /^ssh \S+ '(.*?)'$/ms.exec(block) ?? [];
  assert(line !== undefined, `${document}: no ssh line in the block with ${part}`);
  return line.replace(/^cd tracekit && /, "");
}

const BATCH = "a cluster runs batches from deploy to a verified export";

Deno.test(BATCH, { ignore: !CAN_BUILD_CLUSTER }, async (t) => {
  await using folder = await tempFolder();
  const deployment = await setUp(folder.path);
  await using _cluster = deployment.cluster;
  const { controller, workers } = deployment;

  // Command lines of all hosts, from the first step to the last: all are processes of this machine.
  using seen = watchCommandLines();
  await t.step("deploy up copies, starts, and waits for the workers", async () => {
    const said = await deployment.deploy("up");
    assertStringIncludes(said, `${WORKERS} workers take tasks`);
  });
  await t.step("a second deploy up copies and starts nothing", async () => {
    const roles = await deployment.on(workers[0] as ClusterHost, "cat logs/*/roles/worker.json");
    const said = await deployment.deploy("up");
    assertEquals(said.match(/: 0 of \d executables copied/g)?.length, WORKERS + 1, said);
    assertEquals(
      await deployment.on(workers[0] as ClusterHost, "cat logs/*/roles/worker.json"),
      roles,
    );
  });
  await t.step("the controller lets nobody in without a password and TLS", async () => {
    const { stdout } = await deployment.cluster.exec([
      ...["redis-cli", "-h", controller.address, "--tls", "--insecure", "ping"],
    ]);
    assertStringIncludes(stdout, "NOAUTH");
    const plain = await deployment.cluster.exec(["redis-cli", "-h", controller.address, "ping"]);
    assertMatch(plain.stdout + plain.stderr, /closed|reset/i);
  });
  await t.step("the tutorial's batch is done by all workers when the command returns", async () => {
    const line = (await remoteLine("docs/tutorials/cluster.md", "tracekit-dispatcher --pending"))
      .replace("--inputs inputs/ffmpeg", "--inputs inputs")
      .replace("--total 20", `--total ${TASKS} --pulse-stagger 0`);
    await deployment.on(controller, line);
    await deployment.waitForDone(TASKS);
  });
  await t.step(
    "a worker that is unplugged loses no task, and works again when plugged in",
    () => unplug(deployment),
  );
  await t.step("the README's batch is done when the command returns", async () => {
    const line = await remoteLine("README.md", "tracekit-dispatcher submit");
    assertStringIncludes(line, `--count ${README_TASKS} `);
    await deployment.on(controller, line);
    await deployment.waitForDone(ALL_TASKS);
  });
  await t.step("deploy status and logs tell what runs", async () => {
    const said = await deployment.deploy("status");
    assertEquals(
      said.match(/^ {2}(worker|collector) +pid \d+ +runs$/gm)?.length,
      2 * WORKERS,
      said,
    );
    assertEquals(said.match(/^ {2}(scheduler|redis) +pid \d+ +runs$/gm)?.length, 2, said);
    assertStringIncludes(await deployment.deploy("logs"), "root@");
  });
  await t.step("deploy down leaves no process of ours on any host", async () => {
    await deployment.deploy("down");
    for (const { namespace, name } of deployment.cluster.hosts) {
      const { stdout } = await deployment.cluster.exec([
        ...["sh", "-c"],
        `for pid in $(ip netns pids ${namespace}); do cat /proc/$pid/comm; done`,
      ]);
      assertEquals(
        stdout.split("\n").filter((comm) => !["sshd", "sh", ""].includes(comm)),
        [],
        name,
      );
    }
  });
  await t.step("deploy fetch brings the records together, once", async () => {
    await deployment.deploy("fetch");
    const again = await deployment.deploy("fetch");
    assertEquals(again.match(/: 0 files fetched/g)?.length, WORKERS + 1, again);
  });
  await t.step("the run parses, exports and verifies", async () => {
    const logs = join(folder.path, "logs");
    const parsed = await runCommand([
      ...["parse", `--run-id=${RUN_ID}`, `--logs=${logs}`, "--align=controller", "--json"],
    ]);
    assertEquals(parsed.code, 0, parsed.stderr);
    const summaries = JSON.parse(parsed.stdout) as { audit: Record<string, unknown> }[];
    assertEquals(summaries.map(({ audit }) => audit["node"]), workers.map(({ name }) => name));
    assertEquals(summaries.map(({ audit }) => audit["cpu_residual_max_ms"]), workers.map(() => 0));
    await checkClocks(join(logs, RUN_ID), workers);
    const out = join(folder.path, "opendc");
    const exported = await runCommand([
      ...["export_opendc", `--input=${join(logs, RUN_ID)}`, `--output=${out}`, "--json"],
    ]);
    assertEquals(exported.code, 0, exported.stderr);
    assertEquals(JSON.parse(exported.stdout).tasks, ALL_TASKS);
    const verified = await runCommand([
      ...["verify_opendc", `--input=${out}`, `--cts=${join(logs, RUN_ID)}`],
    ]);
    assertEquals(verified.code, 0, verified.stdout);
  });
  await t.step(
    "each task is done once, and what the unplugged worker began ended before",
    () => checkAttempts(join(folder.path, "logs", RUN_ID), workers),
  );
  await t.step("no password was on a command line, in a log, a record or an export", async () => {
    const secrets = await readSecrets(join(controller.home, "tracekit/controller"));
    const lines = [...seen.lines].join("\n");
    for (const program of SEEN_PROGRAMS) assertStringIncludes(lines, program);
    for (const secret of secrets) assert(!lines.includes(secret));
    const places = [controller, ...workers].map(({ home }) => join(home, "tracekit"));
    const list = join(folder.path, "secrets");
    await Deno.writeTextFile(list, secrets.join("\n"));
    const { stdout } = await new Deno.Command("grep", {
      args: [
        ...["-rlFf", list, "--exclude=*.password", "--exclude=redis.conf", "--exclude=tracekit-*"],
        ...[...places, join(folder.path, "logs"), join(folder.path, "opendc")],
      ],
    }).output();
    assertEquals(new TextDecoder().decode(stdout), "");
  });
});

/** What must have been seen for the watch to mean anything: the roles that last as long as the batch. */
const SEEN_PROGRAMS = ["redis-server", "scheduler.js", "worker.js", "adapter.js", "collector"];

/** The passwords of the administrator and of every role. */
async function readSecrets(folder: string): Promise<string[]> {
  const secrets: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".password")) continue;
    const password = (await Deno.readTextFile(join(folder, name))).trim();
    assert(password.length >= 32, name);
    secrets.push(password);
  }
  assertGreater(secrets.length, 3);
  return secrets;
}

/**
 * Each worker measured the shift within the error that it states, and its times are on the controller's
 * clock: the host's own stamp of each start, corrected by the true shift.
 */
async function checkClocks(run: string, workers: readonly ClusterHost[]): Promise<void> {
  let starts = 0;
  for (const { name } of workers) {
    const offsets = await linesOf<ClockOffset>(join(run, name, "clock.jsonl"));
    const boundMs = CLOCK_STEP_MS + Math.max(...offsets.map(({ error_ms }) => error_ms));
    assertGreater(offsets.length, 0, name);
    for (const { offset_ms } of offsets) {
      assertLess(Math.abs(offset_ms - CONTROLLER_SHIFT_MS), boundMs, name);
    }
    const exits = (await linesOf<InvocationEvent>(join(run, name, "events.ffmpeg.jsonl")))
      .filter(({ event }) => event === "exit");
    const invocations = await linesOf<Invocation>(join(run, name, "CTS/invocations.jsonl"));
    for (const { span_id, ts_enqueue, ts_start } of invocations) {
      const exit = exits.find((one) => one.span_id === span_id);
      if (exit === undefined) continue;
      const own = exit.ts_start;
      assert(own !== null && ts_enqueue !== null && ts_start !== null);
      assertLess(Math.abs(ts_start - (own + CONTROLLER_SHIFT_MS)), boundMs, name);
      assertGreaterOrEqual(ts_start, ts_enqueue - boundMs, name);
      // On its own clock the task would have waited for ten minutes.
      assertLess(ts_start - ts_enqueue, -CONTROLLER_SHIFT_MS, name);
      starts++;
    }
  }
  assertEquals(starts, TASKS);
}

async function linesOf<T>(path: string): Promise<T[]> {
  const text = await Deno.readTextFile(path).catch(emptyWhenAbsent);
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as T);
}

/** How many events of this kind are in `text`. */
function countOf(text: string, event: "launch" | "exit"): number {
  return text.split(`"event":"${event}"`).length - 1;
}

/** Pull the cable of the first worker while it has tasks, longer than its lease, and plug it in again. */
async function unplug(deployment: Deployment): Promise<void> {
  const { cluster, controller, workers } = deployment;
  const [unplugged] = workers as [ClusterHost, ClusterHost];
  const task = JSON.stringify({ kind: "command", argv: ["sleep", String(SLEEP_S)], cpu_units: 1 });
  await Deno.writeTextFile(
    join(controller.home, "tracekit/tasks.jsonl"),
    `${task}\n`.repeat(SLEEPERS),
  );
  await deployment.dispatch("--tasks tasks.jsonl --pulse-size 100 --pulse-stagger 0");
  const events = join(unplugged.home, "tracekit/logs", RUN_ID, "events.command.jsonl");
  await waitFor({
    what: "a task at work on the host to be unplugged",
    read: () => Deno.readTextFile(events).catch(emptyWhenAbsent),
    until: (text) => countOf(text, "launch") > countOf(text, "exit"),
  });
  await cluster.setLink(unplugged, "down");
  await new Promise((resolve) => setTimeout(resolve, UNPLUGGED_MS));
  const whileAway = (await Deno.readTextFile(events)).match(/"event":"exit"/g)?.length ?? 0;
  await cluster.setLink(unplugged, "up");
  await deployment.waitForDone(TASKS + SLEEPERS);
  // It takes tasks again: a second batch is large enough for both.
  await deployment.dispatch("--tasks tasks.jsonl --pulse-size 100 --pulse-stagger 0");
  await deployment.waitForDone(TASKS + 2 * SLEEPERS);
  const after = (await Deno.readTextFile(events)).match(/"event":"exit"/g)?.length ?? 0;
  assertGreater(after, whileAway, "the host that was plugged in again took no task");
}

/** Every task is done once; each lost attempt was on the unplugged host and over before the next began. */
async function checkAttempts(run: string, workers: readonly ClusterHost[]): Promise<void> {
  const [unplugged, other] = workers as [ClusterHost, ClusterHost];
  const results = await linesOf<TaskResult>(join(run, "results.jsonl"));
  assertEquals(results.filter(({ state }) => state === "done").length, ALL_TASKS);
  assertEquals(new Set(results.map(({ task_id }) => task_id)).size, ALL_TASKS);
  const attempts = (await Promise.all(
    workers.map(({ name }) => linesOf<Invocation>(join(run, name, "CTS/invocations.jsonl"))),
  )).flat();
  const counted = attempts.filter(({ state }) => state === "done");
  assertEquals(counted.length, ALL_TASKS);
  const lostAttempts = attempts.filter(({ state }) => state !== "done");
  assertGreater(lostAttempts.length, 0, "nothing ran on the host when its cable was pulled");
  for (const lost of lostAttempts) {
    assertEquals(lost.node, unplugged.name);
    const again = counted.find(({ task_id }) => task_id === lost.task_id);
    assert(again !== undefined && lost.ts_end !== null && again.ts_start !== null);
    assert(lost.ts_end <= again.ts_start);
  }
  assert(counted.some(({ node }) => node === other.name));
}

function emptyWhenAbsent(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "";
  throw error;
}
