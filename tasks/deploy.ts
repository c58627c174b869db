/** Bring a run to a cluster: copy executables, start and stop roles, fetch the records. */

import { join, resolve } from "@std/path";
import { messageOf } from "../trace/atomic_file.ts";
import type { OptionsOf } from "./command/flag_table.ts";
import type { Parsed } from "./command/parse.ts";
import { UsageError } from "./command/usage_error.ts";
import { fetchRecords } from "./deploy/fetch.ts";
import { type Host, parseHosts } from "./deploy/hosts.ts";
import {
  type FoundRole,
  parseRoles,
  ROLES_SCRIPT,
  shellWord,
  startScript,
  sumsScript,
} from "./deploy/scripts.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { RemoteHost } from "./deploy/ssh.ts";
import { requireRunId } from "./flags/groups/run.ts";
import { DEPLOY } from "./flags/deploy.ts";

type Options = OptionsOf<typeof DEPLOY.flags>;

/** The executables that each kind of host needs. */
const EXECUTABLES_OF: Readonly<Record<Host["role"], readonly string[]>> = {
  controller: ["controller", "scheduler", "dispatcher"],
  worker: ["collector", "adapter", "worker"],
};

/** A deployment: its hosts and where things are. */
interface Deployment {
  readonly runId: string;
  readonly options: Options;
  readonly controller: RemoteHost;
  readonly workers: readonly RemoteHost[];
  readonly io: Io;
}

/** `deno task deploy`. */
export async function main(
  { options, operands }: Parsed<typeof DEPLOY.flags>,
  io: Io,
): Promise<number> {
  const [action = "", ...rest] = operands;
  const act = ACTIONS[action];
  if (act === undefined) {
    throw new UsageError(`one of ${Object.keys(ACTIONS).join(", ")} is required, got "${action}"`);
  }
  const deployment = await read(options, io);
  await act(deployment, rest);
  return 0;
}

const ACTIONS: Readonly<
  Record<string, (deployment: Deployment, operands: readonly string[]) => Promise<void>>
> = { up, down, status, logs, fetch };

async function read(options: Options, io: Io): Promise<Deployment> {
  const runId = requireRunId(options);
  if (!/^[\w./-]+$/.test(options["remote-dir"]) || options["remote-dir"].startsWith("-")) {
    throw new UsageError("--remote-dir must be a plain path below the home");
  }
  let hosts: Host[];
  try {
    hosts = parseHosts(await Deno.readTextFile(options.hosts), options.hosts);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new UsageError(messageOf(error), { cause: error });
  }
  const remotes = hosts.map((host) => new RemoteHost(host, { config: options["ssh-config"] }));
  const controller = remotes.find(({ host }) => host.role === "controller");
  if (controller === undefined) throw new UsageError(`${options.hosts} names no controller`);
  const workers = remotes.filter(({ host }) => host.role === "worker");
  return { runId, options, controller, workers, io };
}

/**
 * Do `work` on `hosts`, all at once. Those where it fails do not keep it from the others.
 *
 * @returns the failures.
 */
async function onAll(
  hosts: readonly RemoteHost[],
  work: (host: RemoteHost) => Promise<void>,
): Promise<CommandError[]> {
  const outcomes = await Promise.allSettled(hosts.map(work));
  return outcomes.flatMap((outcome) => {
    if (outcome.status === "fulfilled") return [];
    if (outcome.reason instanceof CommandError) return [outcome.reason];
    throw outcome.reason;
  });
}

/** Tell of `failures` together, when there are any; `then` says what that means for the user. */
function throwThese(failures: readonly CommandError[], then: string): void {
  if (failures.length === 0) return;
  const reasons = failures.map(({ message }) => `\n  ${message.replaceAll("\n", "\n  ")}`).join("");
  throw new CommandError(`${then}:${reasons}`, { cause: failures[0] });
}

/** Say what a host said, line by line. */
function sayFor({ io }: Deployment, host: RemoteHost, text: string): void {
  for (const line of text.trimEnd().split("\n")) io.say(`${host}: ${line}`);
}

/** Start what does not run: Redis, scheduler, then on each worker collector and worker. */
async function up(deployment: Deployment): Promise<void> {
  const { controller, workers, options, runId, io } = deployment;
  const folder = options["remote-dir"];
  const sums = await readSums(options.dist);
  throwThese(
    await onAll([controller, ...workers], (host) => copyExecutables(host, deployment, sums)),
    `nothing is started; fix these hosts, or take them out of ${options.hosts}`,
  );
  const address = await addressForWorkers(deployment);
  const { flags, variables } = controller.host;
  const bind = [...new Set([address, "127.0.0.1"])].join(",");
  const tls = options.tls ? "--tls" : "";
  sayFor(
    deployment,
    controller,
    await controller.run(
      folder,
      `./tracekit-controller start --bind ${bind} --port ${options.port} ${tls} 2>&1`,
    ),
  );
  // One that ran already keeps its settings.
  const isTls =
    await controller.run(folder, "grep -s ^tls-port controller/redis.conf || true") !== "";
  if (options.tls && !isTls) {
    throw new CommandError(
      `${controller}: Redis runs there without TLS: deploy down, then up --tls`,
    );
  }
  await writeVariables(controller, deployment, { RUN_ID: runId, ...variables });
  await controller.run(
    folder,
    "for role in scheduler dispatcher operator worker; do" +
      " cp -f controller/$role.env controller/$role.password .; done;" +
      " [ ! -e controller/ca.crt ] || cp -f controller/ca.crt .",
  );
  const atController = await rolesOf(controller, deployment);
  if (!runs(atController, runId, "scheduler")) {
    await start(controller, deployment, { role: "scheduler", user: "scheduler", args: flags });
  }
  // The secrets of a worker go through this machine's memory alone.
  const secrets = await controller.run(folder, "cat worker.env; echo; cat worker.password");
  const [env = "", password = ""] = secrets.split("\n\n");
  const ca = isTls ? await controller.run(folder, "cat ca.crt") : null;
  throwThese(
    await onAll(workers, (worker) => startWorker(worker, deployment, { env, password, ca })),
    "the others are started; a second deploy up starts the rest",
  );
  await waitForWorkers(deployment);
  io.say(`${workers.length} workers take tasks. On ${controller}, in ~/${folder}:`);
  io.say("  set -a; . ./dispatcher.env; set +a; ./tracekit-dispatcher --inputs … --pending …");
}

/** What a worker needs to enter Redis. */
interface WorkerSecrets {
  /** Its variables. */
  readonly env: string;
  readonly password: string;
  /** Certificate of the authority; null: no TLS. */
  readonly ca: string | null;
}

async function startWorker(
  worker: RemoteHost,
  deployment: Deployment,
  { env, password, ca }: WorkerSecrets,
): Promise<void> {
  const { options, runId } = deployment;
  const folder = options["remote-dir"];
  await worker.run(folder, "cat >worker.env", `${env}\n`);
  await worker.run(folder, "cat >worker.password", password);
  if (ca !== null) await worker.run(folder, "cat >ca.crt", ca);
  await writeVariables(worker, deployment, { RUN_ID: runId, ...worker.host.variables });
  const roles = await rolesOf(worker, deployment);
  if (!runs(roles, runId, "collector")) {
    sayFor(deployment, worker, await worker.run(folder, "./tracekit-collector start 2>&1"));
  }
  if (runs(roles, runId, "worker")) return;
  await start(worker, deployment, { role: "worker", user: "worker", args: worker.host.flags });
}

/**
 * Where workers reach the controller: as its line says, else the address of its own at which ssh arrived
 * (sshd(8), SSH_CONNECTION). The name in the file may be one that ssh alone knows, or the outer address
 * of a network that the machine itself has no interface in.
 */
async function addressForWorkers({ controller, workers, options }: Deployment): Promise<string> {
  const { clusterAddress, address: name } = controller.host;
  if (clusterAddress !== null) return clusterAddress;
  const said = await controller.run(options["remote-dir"], 'set -- $SSH_CONNECTION; echo "$3"');
  const address = said.trim() || name;
  const isLocal = /^(127\.|::1$)/.test(address);
  const stranger = workers.find(({ host }) => host.address !== name);
  if (!isLocal || stranger === undefined) return address;
  throw new CommandError(
    `${stranger} cannot reach the controller at ${address}: give its line ADDRESS=… in ${options.hosts}`,
  );
}

async function rolesOf(host: RemoteHost, { options }: Deployment): Promise<FoundRole[]> {
  return parseRoles(await host.run(options["remote-dir"], ROLES_SCRIPT));
}

function runs(roles: readonly FoundRole[], runId: string, role: string): boolean {
  return roles.some((one) => one.isRunning && one.runId === runId && one.role === role);
}

/** Copy the executables that are not there, or are others. */
async function copyExecutables(
  host: RemoteHost,
  { options, io }: Deployment,
  wanted: ReadonlyMap<string, string>,
): Promise<void> {
  const names = EXECUTABLES_OF[host.host.role].map((role) => `tracekit-${role}`);
  const folder = options["remote-dir"];
  const there = await host.run(folder, sumsScript(names));
  const stale = names.filter((name) => !there.includes(`${wanted.get(name)}  ${name}\n`));
  await host.copy(folder, stale.map((name) => ({ from: join(resolve(options.dist), name), name })));
  if (stale.length > 0) {
    const copied = await host.run(folder, sumsScript(stale));
    const broken = stale.find((name) => !copied.includes(`${wanted.get(name)}  ${name}\n`));
    if (broken !== undefined) {
      const path = join(options.dist, broken);
      throw new CommandError(`${host}: ${await damageOf(path, wanted.get(broken))}`);
    }
    await host.run(folder, `chmod 755 ${stale.join(" ")}`);
  }
  io.say(`${host}: ${stale.length} of ${names.length} executables copied`);
}

/** Why what arrived has another sum than SHA256SUMS says. */
async function damageOf(path: string, wanted: string | undefined): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(digest).toHex() === wanted
    ? `${path} arrived damaged; another deploy up copies it again`
    : `${path} is not what SHA256SUMS beside it says: deno task compile makes both`;
}

/** The sum of every executable that hosts need. */
async function readSums(dist: string): Promise<ReadonlyMap<string, string>> {
  let text: string;
  try {
    text = await Deno.readTextFile(join(dist, "SHA256SUMS"));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new CommandError(`there are no executables in ${dist}: deno task compile makes them`, {
      cause: error,
    });
  }
  const sums = new Map(
    text.trimEnd().split("\n").map((line) => {
      const [sum = "", name = ""] = line.split("  ");
      return [name, sum];
    }),
  );
  const missing = Object.values(EXECUTABLES_OF).flat().find((role) =>
    !sums.has(`tracekit-${role}`)
  );
  if (missing === undefined) return sums;
  throw new CommandError(
    `${dist} has no tracekit-${missing}: deno task compile ${missing} makes it`,
  );
}

async function writeVariables(
  host: RemoteHost,
  { options }: Deployment,
  variables: Readonly<Record<string, string>>,
): Promise<void> {
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${shellWord(value)}\n`);
  await host.run(options["remote-dir"], "cat >run_id.env", lines.join(""));
}

async function start(
  host: RemoteHost,
  { options, runId }: Deployment,
  { role, user, args }: { role: string; user: string; args: readonly string[] },
): Promise<void> {
  const environment = ["run_id.env", `${user}.env`];
  await host.run(options["remote-dir"], startScript({ role, args, environment, runId }));
}

/** How long workers may take to unpack, start and register, ms. */
const START_LIMIT_MS = 60_000;

async function waitForWorkers({ controller, workers, options, io }: Deployment): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  for (;;) {
    const alive = await aliveNodes(controller, options);
    if (alive >= workers.length) return;
    io.signal.throwIfAborted();
    if (performance.now() > deadline) {
      throw new CommandError(
        `${alive} of ${workers.length} workers have registered: deno task deploy logs HOST says why`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function aliveNodes(controller: RemoteHost, options: Options): Promise<number> {
  const script = "set -a; . ./operator.env; set +a; ./tracekit-scheduler status --json";
  const status = JSON.parse(await controller.run(options["remote-dir"], script)) as {
    readonly nodes: readonly { readonly state: string }[];
  };
  return status.nodes.filter(({ state }) => state !== "late").length;
}

/** End what runs: workers finish their tasks, collectors write their last samples, Redis keeps its data. */
async function down(deployment: Deployment): Promise<void> {
  const { controller, workers, options } = deployment;
  const end = async (host: RemoteHost, line: string) => {
    const first = line.split(" ", 1);
    const script = `if [ -x ${first} ]; then ${line}; else echo nothing is deployed here; fi 2>&1`;
    sayFor(deployment, host, await host.run(options["remote-dir"], script));
  };
  const failures = [
    ...await onAll(workers, (host) => end(host, "./tracekit-collector stop-all")),
    ...await onAll(
      [controller],
      (host) => end(host, "./tracekit-controller stop-all; ./tracekit-controller stop"),
    ),
  ];
  throwThese(failures, "what runs there is not stopped; another deploy down does it");
}

async function status(deployment: Deployment): Promise<void> {
  const { controller, workers, options, runId, io } = deployment;
  const found = new Map<RemoteHost, FoundRole[]>();
  const hosts = [controller, ...workers];
  const failures = await onAll(hosts, async (host) => {
    const roles = await rolesOf(host, deployment);
    found.set(host, roles.filter((role) => role.isRunning || role.runId === runId));
  });
  for (const host of hosts) {
    io.print(`${host}`);
    const lines = found.get(host)?.map((role) => roleLine(role, runId)) ?? ["not reachable"];
    for (const line of lines.length === 0 ? ["no role runs"] : lines) io.print(`  ${line}`);
  }
  if (found.get(controller)?.some(({ role }) => role === "redis")) {
    const script = "set -a; . ./operator.env; set +a; ./tracekit-scheduler status 2>&1 || true";
    io.print((await controller.run(options["remote-dir"], script)).trimEnd());
  }
  throwThese(failures, "not all hosts have answered");
}

function roleLine({ role, pid, isRunning, runId }: FoundRole, thisRun: string): string {
  const state = isRunning ? "runs" : "has ended without being stopped: deploy logs says why";
  const other = runId === thisRun || runId === "" ? "" : `, of run ${runId}`;
  return `${role.padEnd(9)}  pid ${String(pid).padEnd(7)}  ${state}${other}`;
}

/** The last lines of what the roles said, of one host or of all. */
async function logs(deployment: Deployment, operands: readonly string[]): Promise<void> {
  const { controller, workers, options, runId, io } = deployment;
  const hosts = [controller, ...workers].filter(({ host }) =>
    operands.length === 0 || operands.includes(host.address) || operands.includes(host.destination)
  );
  if (hosts.length === 0) throw new UsageError(`${options.hosts} names no ${operands.join(", ")}`);
  const texts = new Map<RemoteHost, string>();
  const files = `*.log controller/redis.log logs/${runId}/collector.log`;
  const failures = await onAll(hosts, async (host) => {
    texts.set(
      host,
      await host.run(options["remote-dir"], `tail -n 20 ${files} 2>/dev/null || true`),
    );
  });
  for (const host of hosts) {
    io.print(`${host}`);
    io.print((texts.get(host) ?? "not reachable").trimEnd().replace(/^/gm, "  "));
  }
  throwThese(failures, "not all hosts have answered");
}

/** The records of all hosts together: the controller's in `logs/RUN_ID/`, each node's in a folder there. */
async function fetch({ controller, workers, options, runId, io }: Deployment): Promise<void> {
  const failures: CommandError[] = [];
  // One by one: what is cut off is one host's, and the network is one anyway.
  for (const host of [controller, ...workers]) {
    io.signal.throwIfAborted();
    failures.push(
      ...await onAll([host], async () => {
        const remote = { host, folder: options["remote-dir"], runId };
        const { fetched, node } = await fetchRecords(remote, resolve(options.logs));
        io.say(`${host}: ${fetched} files fetched${node === null ? "" : ` to ${node}/`}`);
      }),
    );
  }
  throwThese(failures, "the records of the others are here; another deploy fetch brings the rest");
  io.say(`Next: deno task parse --align controller RUN_ID=${runId}`);
}

if (import.meta.main) await runMain(DEPLOY, main);
