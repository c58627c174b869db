/** The Redis of a cluster: set up with its own configuration, run, stopped, checked from outside. */

import { join, resolve } from "@std/path";
import { QUEUE_USERS, type QueueUser } from "../scheduler/queue/access.ts";
import { parseRedisUrl } from "../scheduler/queue/url.ts";
import { messageOf, writeFileAtomic } from "../trace/atomic_file.ts";
import type { OptionsOf } from "./command/flag_table.ts";
import type { Parsed } from "./command/parse.ts";
import { UsageError } from "./command/usage_error.ts";
import { checkController } from "./controller/check.ts";
import { makeCertificates, type TlsFiles } from "./controller/tls.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { processIdentity } from "./command/process.ts";
import { ensurePrograms } from "./machine/packages.ts";
import { redisAddress } from "./redis/address.ts";
import { redisConf } from "./redis/conf.ts";
import { RedisWire } from "./redis/wire.ts";
import { CONTROLLER } from "./flags/controller.ts";

type Options = OptionsOf<typeof CONTROLLER.flags>;

/** How long the server may take to start or to stop, ms: it reads or writes its append-only file. */
const SERVER_LIMIT_MS = 60_000;

/** How long a server that was sent to the background may take to write its pid, ms. */
const PID_LIMIT_MS = 2000;

/** Permission bits of everything secret: the owner alone. */
const SECRET = { mode: 0o600 };

/** `deno task controller`. */
export async function main(
  { options, operands }: Parsed<typeof CONTROLLER.flags>,
  io: Io,
): Promise<number> {
  const [action, ...rest] = operands;
  if (rest[0] !== undefined) throw new UsageError(`unexpected argument "${rest[0]}"`);
  if (action === "start") return await start(options, io);
  if (action === "stop") return await stop(options, io);
  if (action === "check") return await check(options, io);
  throw new UsageError(`start, stop or check is required, got "${action ?? ""}"`);
}

async function start(options: Options, io: Io): Promise<number> {
  await ensurePrograms(options.tls ? ["redis-server", "openssl"] : ["redis-server"], io);
  const dir = resolve(options.dir);
  const running = await serverPid(dir);
  if (running !== null) {
    io.say(`Redis of ${dir} runs already (pid ${running}); stop it first to change its settings`);
    return 0;
  }
  const bind = options.bind.split(",").map((one) => one.trim()).filter((one) => one !== "");
  if (bind.length === 0) throw new UsageError("--bind must name an address");
  for (const host of bind) requireFree(host, options.port);
  await Deno.mkdir(join(dir, "data"), { recursive: true, mode: 0o700 });
  await Deno.chmod(dir, 0o700);
  const tls = options.tls ? await makeCertificates(dir, bind) : null;
  await writeFileAtomic(
    join(dir, "redis.conf"),
    await configuration(dir, { options, bind, tls }),
    SECRET,
  );
  await writeRoleEnvironments(dir, { options, bind, tls });
  await launch(dir, { host: connectHost(bind), port: options.port });
  io.say(
    `Redis of ${dir} runs on ${bind.join(", ")} port ${options.port}${tls ? ", TLS only" : ""}`,
  );
  io.say(await roomForClients(dir, { options, bind, tls }));
  if (tls?.isAuthorityRenewed) io.say("The authority had expired and is new: copy ca.crt again");
  const files = tls === null ? "ROLE.env and ROLE.password" : "ROLE.env, ROLE.password and ca.crt";
  io.say(`For each role copy ${files} of ${dir} to where it runs`);
  return 0;
}

interface Setup {
  readonly options: Options;
  readonly bind: readonly string[];
  readonly tls: TlsFiles | null;
}

/** Connections of each worker: one for commands, one that is woken. */
const CONNECTIONS_PER_WORKER = 2;

/** How many connections Redis got: it takes fewer than asked for where open files are limited. */
async function roomForClients(dir: string, { options, bind, tls }: Setup): Promise<string> {
  using wire = await RedisWire.open({
    ...parseRedisUrl(`redis://${urlHost(connectHost(bind))}:${options.port}`),
    isTls: tls !== null,
    tlsCa: tls === null ? null : await Deno.readTextFile(tls.ca),
  });
  await wire.ask("AUTH", await secret(dir, "admin"));
  const reply = await wire.ask("CONFIG", "GET", "maxclients");
  const [, got] = reply.kind === "list" ? reply.items : [];
  const count = got?.kind === "text" ? Number(got.text) : 0;
  const room = `It takes ${count} connections: ${
    Math.floor(count / CONNECTIONS_PER_WORKER)
  } workers`;
  return count >= options["max-clients"]
    ? room
    : `${room}; for ${options["max-clients"]} raise the limit on open files (ulimit -n)`;
}

async function configuration(dir: string, { options, bind, tls }: Setup): Promise<string> {
  const passwordHashes = Object.fromEntries(
    await Promise.all(
      QUEUE_USERS.map(async (user) => [user, await sha256(await secret(dir, user))] as const),
    ),
  ) as Record<QueueUser, string>;
  return redisConf({
    bind,
    port: options.port,
    maxClients: options["max-clients"],
    dataDir: join(dir, "data"),
    pidFile: join(dir, "redis.pid"),
    logFile: join(dir, "redis.log"),
    adminPassword: await secret(dir, "admin"),
    passwordHashes,
    keyPrefix: options["key-prefix"],
    slotsKeys: options["slots-keys"].split(",").filter((name) => name !== ""),
    tls,
  });
}

/** The password of `name`, made at the first start: 256 random bits. */
async function secret(dir: string, name: string): Promise<string> {
  const path = join(dir, `${name}.password`);
  try {
    return (await Deno.readTextFile(path)).trim();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const made = crypto.getRandomValues(new Uint8Array(32)).toHex();
    await writeFileAtomic(path, `${made}\n`, SECRET);
    return made;
  }
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex();
}

/** What a role needs to know: variables for `run_id.env`, without the secret itself. */
async function writeRoleEnvironments(dir: string, { options, bind, tls }: Setup): Promise<void> {
  const everywhere = bind.every((one) => ["0.0.0.0", "*", "::"].includes(one));
  const host = everywhere
    ? Deno.hostname()
    : bind.find((one) => !/^(127\.|::1)/.test(one)) ?? connectHost(bind);
  const scheme = tls === null ? "redis" : "rediss";
  for (const user of QUEUE_USERS) {
    const lines = [
      `REDIS_URL=${scheme}://${user}@${urlHost(host)}:${options.port}/0`,
      `REDIS_PASSWORD_FILE=${user}.password`,
      ...tls === null ? [] : ["REDIS_TLS_CA=ca.crt"],
      ...options["key-prefix"] === "" ? [] : [`KEY_PREFIX=${options["key-prefix"]}`],
    ];
    await writeFileAtomic(join(dir, `${user}.env`), `${lines.join("\n")}\n`);
  }
}

function connectHost(bind: readonly string[]): string {
  const [first = "127.0.0.1"] = bind;
  return ["0.0.0.0", "*", "::"].includes(first) ? "127.0.0.1" : first;
}

/** `host` as it is in a URL. */
function urlHost(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** @throws {CommandError} when Redis could not listen there. */
function requireFree(host: string, port: number): void {
  try {
    Deno.listen({ hostname: host === "*" ? "0.0.0.0" : host, port }).close();
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new CommandError(`port ${port} of ${host} is taken by another server`, {
        cause: error,
      });
    }
    if (!(error instanceof Error)) throw error;
    throw new CommandError(
      `cannot listen on ${host}, --bind names own addresses: ${error.message}`,
      {
        cause: error,
      },
    );
  }
}

/** Start the server in the background and wait until it listens. */
async function launch(dir: string, at: { host: string; port: number }): Promise<void> {
  const { success, stderr } = await new Deno.Command("redis-server", {
    args: [join(dir, "redis.conf")],
    stdin: "null",
  }).output();
  if (!success) throw new CommandError(`redis-server: ${new TextDecoder().decode(stderr).trim()}`);
  const started = performance.now();
  while (!await listens(at)) {
    const waitedMs = performance.now() - started;
    const isDead = waitedMs > PID_LIMIT_MS && await serverPid(dir) === null;
    if (isDead || waitedMs > SERVER_LIMIT_MS) {
      const log = join(dir, "redis.log");
      const last = (await Deno.readTextFile(log)).trimEnd().split("\n").at(-1);
      throw new CommandError(`redis-server does not listen on port ${at.port}: ${last} (${log})`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function listens({ host, port }: { host: string; port: number }): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: host, port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw new CommandError(`Cannot reach ${host} port ${port}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Pid of the server that was started from `dir` and still runs, or null. */
async function serverPid(dir: string): Promise<number | null> {
  let pid: number;
  try {
    pid = Number(await Deno.readTextFile(join(dir, "redis.pid")));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  const found = processIdentity(pid);
  if (found === null || found.state === "Z") return null;
  // A stale file may name a pid that is another program's by now.
  const name = await Deno.readTextFile(`/proc/${pid}/comm`);
  return name.trim() === "redis-server" ? pid : null;
}

async function stop(options: Options, io: Io): Promise<number> {
  const dir = resolve(options.dir);
  const pid = await serverPid(dir);
  if (pid === null) {
    io.say(`no Redis of ${dir} to stop`);
    return 0;
  }
  Deno.kill(pid, "SIGTERM");
  const deadline = performance.now() + SERVER_LIMIT_MS;
  while (await serverPid(dir) === pid) {
    if (performance.now() > deadline) {
      throw new CommandError(`redis-server (pid ${pid}) did not end within 60 s: see its log`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  io.say(`Redis of ${dir} is stopped; its data stay in ${join(dir, "data")}`);
  return 0;
}

async function check(options: Options, io: Io): Promise<number> {
  const findings = await checkController(await redisAddress(options));
  for (const { check, isOk, detail } of findings) {
    io.print(`${isOk ? "PASS" : "FAIL"}  ${check.padEnd(36)}  ${detail}`);
  }
  return findings.every(({ isOk }) => isOk) ? 0 : 1;
}

if (import.meta.main) await runMain(CONTROLLER, main);
