/** Bring a run to a cluster: copy executables, start and stop roles, fetch the records. */

import { join, resolve } from "@std/path";
import { messageOf } from "../trace/atomic_file.ts";
import { type OptionsOf, type Parsed, UsageError } from "./_command.ts";
import { fetchRecords } from "./_deploy_fetch.ts";
import { type Host, parseHosts } from "./_deploy_hosts.ts";
import { ROLES_SCRIPT, shellWord, startScript, sumsScript } from "./_deploy_scripts.ts";
import { CommandError, type Io, runMain } from "./_main.ts";
import { RemoteHost } from "./_ssh.ts";
import { requireRunId } from "./flags/_run_flags.ts";
import { DEPLOY } from "./flags/deploy.ts";

type Options = OptionsOf<typeof DEPLOY.flags>;

/** The executables that each kind of host needs. */
const EXECUTABLES_OF: Readonly<Record<Host["role"], readonly string[]>> = {
  controller: ["controller", "scheduler", "dispatcher"],
  worker: ["collector", "adapter", "worker"],
};

/** A deployment: its hosts and where things lie. */
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

/** Start what does not run: Redis, scheduler, then on each worker collector and worker. */
async function up(deployment: Deployment): Promise<void> {
  const { controller, workers, options, runId, io } = deployment;
  const folder = options["remote-dir"];
  await Promise.all([controller, ...workers].map((host) => copyExecutables(host, deployment)));
  const { address, flags, variables } = controller.host;
  const tls = options.tls ? "--tls" : "";
  io.say(
    (await controller.run(
      folder,
      `./tracekit-controller start --bind ${address},127.0.0.1 --port ${options.port} ${tls} 2>&1`,
    )).trimEnd(),
  );
  await writeVariables(controller, deployment, { RUN_ID: runId, ...variables });
  await controller.run(
    folder,
    "for role in scheduler dispatcher operator worker; do" +
      " cp -f controller/$role.env controller/$role.password .; done;" +
      " [ ! -e controller/ca.crt ] || cp -f controller/ca.crt .",
  );
  await start(controller, deployment, { role: "scheduler", user: "scheduler", args: flags });
  // The secrets of a worker go through this machine's memory alone.
  const secrets = await controller.run(folder, "cat worker.env; echo; cat worker.password");
  const [workerEnv = "", password = ""] = secrets.split("\n\n");
  const ca = options.tls ? await controller.run(folder, "cat ca.crt") : null;
  await Promise.all(workers.map(async (worker) => {
    await worker.run(folder, "cat >worker.env", `${workerEnv}\n`);
    await worker.run(folder, "cat >worker.password", password);
    if (ca !== null) await worker.run(folder, "cat >ca.crt", ca);
    await writeVariables(worker, deployment, { RUN_ID: runId, ...worker.host.variables });
    io.say(
      `${worker}: ${
        (await worker.run(folder, "./tracekit-collector start 2>&1 || true")).trimEnd()
      }`,
    );
    await start(worker, deployment, { role: "worker", user: "worker", args: worker.host.flags });
  }));
  await waitForWorkers(deployment);
  io.say(`${workers.length} workers take tasks. On ${controller}, in ~/${folder}:`);
  io.say("  set -a; . ./dispatcher.env; set +a; ./tracekit-dispatcher --inputs … --pending …");
}

/** Copy the executables that are not there, or are others. */
async function copyExecutables(host: RemoteHost, { options, io }: Deployment): Promise<void> {
  const names = EXECUTABLES_OF[host.host.role].map((role) => `tracekit-${role}`);
  const folder = options["remote-dir"];
  const there = await host.run(folder, sumsScript(names));
  const wanted = await readSums(options.dist);
  const stale = names.filter((name) => {
    const sum = wanted.get(name);
    if (sum === undefined) {
      throw new CommandError(`${options.dist} has no ${name}: deno task compile makes it`);
    }
    return !there.includes(`${sum}  ${name}\n`);
  });
  await host.copy(folder, stale.map((name) => ({ from: join(resolve(options.dist), name), name })));
  if (stale.length > 0) {
    const copied = await host.run(folder, sumsScript(stale));
    const broken = stale.find((name) => !copied.includes(`${wanted.get(name)}  ${name}\n`));
    if (broken !== undefined) throw new CommandError(`${host}: ${broken} arrived damaged`);
    await host.run(folder, `chmod 755 ${stale.join(" ")}`);
  }
  io.say(`${host}: ${stale.length} of ${names.length} executables copied`);
}

async function readSums(dist: string): Promise<Map<string, string>> {
  let text: string;
  try {
    text = await Deno.readTextFile(join(dist, "SHA256SUMS"));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new CommandError(`there are no executables in ${dist}: deno task compile makes them`, {
      cause: error,
    });
  }
  return new Map(
    text.trimEnd().split("\n").map((line) => {
      const [sum = "", name = ""] = line.split("  ");
      return [name, sum];
    }),
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
  const running = await host.run(options["remote-dir"], ROLES_SCRIPT);
  const place = `logs/${runId}/roles/${role}.json pid `;
  const isRunning = running.split("\n").some((line) =>
    line.startsWith(place) && line.endsWith(" running")
  );
  if (isRunning) return;
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
    readonly nodes: readonly unknown[];
  };
  return status.nodes.length;
}

/** End what runs: workers finish their tasks, collectors write their last samples, Redis keeps its data. */
async function down({ controller, workers, options, io }: Deployment): Promise<void> {
  const folder = options["remote-dir"];
  await Promise.all(workers.map(async (host) => {
    io.say(`${host}: ${(await host.run(folder, "./tracekit-collector stop-all 2>&1")).trimEnd()}`);
  }));
  const stopped = await controller.run(
    folder,
    "./tracekit-controller stop-all 2>&1; ./tracekit-controller stop 2>&1",
  );
  io.say(`${controller}: ${stopped.trimEnd()}`);
}

async function status({ controller, workers, options, io }: Deployment): Promise<void> {
  const folder = options["remote-dir"];
  for (const host of [controller, ...workers]) {
    io.print(`${host}`);
    const roles = (await host.run(folder, ROLES_SCRIPT)).trimEnd();
    io.print(roles === "" ? "  no role runs" : roles.replace(/^/gm, "  "));
  }
  const script = "set -a; . ./operator.env; set +a; ./tracekit-scheduler status 2>&1 || true";
  io.print((await controller.run(folder, script)).trimEnd());
}

/** The last lines of what the roles said, of one host or of all. */
async function logs(deployment: Deployment, operands: readonly string[]): Promise<void> {
  const { controller, workers, options, io } = deployment;
  const hosts = [controller, ...workers].filter(({ host }) =>
    operands.length === 0 || operands.includes(host.address) || operands.includes(host.destination)
  );
  if (hosts.length === 0) throw new UsageError(`${options.hosts} names no ${operands.join(", ")}`);
  for (const host of hosts) {
    io.print(`${host}`);
    const script = `tail -n 20 *.log logs/*/collector.log 2>/dev/null || true`;
    io.print((await host.run(options["remote-dir"], script)).trimEnd().replace(/^/gm, "  "));
  }
}

/** The records of all hosts together: the controller's in `logs/RUN_ID/`, each node's in a folder there. */
async function fetch({ controller, workers, options, runId, io }: Deployment): Promise<void> {
  for (const host of [controller, ...workers]) {
    const remote = { host, folder: options["remote-dir"], runId };
    const { fetched, node } = await fetchRecords(remote, resolve(options.logs));
    io.say(`${host}: ${fetched} files fetched${node === null ? "" : ` to ${node}/`}`);
  }
  io.say(`Next: deno task parse RUN_ID=${runId}`);
}

if (import.meta.main) await runMain(DEPLOY, main);
