/** The controller's Redis: what it lets whom do, tried by strangers and by every real role. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { isThere } from "../../trace/atomic_file.ts";
import { runCommand, startCommand } from "../support/command_process.ts";
import { freePort } from "../support/ports.ts";
import { hasPrograms } from "../support/has_program.ts";
import { startRedisServer } from "../support/redis_server.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { waitFor } from "../support/wait_for.ts";
import { has } from "../support/left_out.ts";

/** Tasks of the batch: the least that passes through every script of a good day. */
const TASKS = 8;

/** A running controller; it is stopped when the test leaves its block. */
interface Controller extends AsyncDisposable {
  readonly dir: string;
  readonly port: number;
  /** Run redis-cli as the administrator. */
  cli(...args: readonly string[]): Promise<string>;
}

async function startController(folder: string, ...flags: readonly string[]): Promise<Controller> {
  const dir = join(folder, "controller");
  const port = freePort();
  const { code, stderr } = await runCommand([
    ...["controller", "start", "--dir", dir, "--port", String(port)],
    ...flags,
  ]);
  assertEquals(code, 0, stderr);
  const password = (await Deno.readTextFile(join(dir, "admin.password"))).trim();
  const tls = flags.includes("--tls") ? ["--tls", "--cacert", join(dir, "ca.crt")] : [];
  return {
    dir,
    port,
    async cli(...args): Promise<string> {
      const { stdout } = await new Deno.Command("redis-cli", {
        args: ["-p", String(port), ...tls, ...args],
        env: { REDISCLI_AUTH: password },
      }).output();
      return new TextDecoder().decode(stdout).trimEnd();
    },
    async [Symbol.asyncDispose](): Promise<void> {
      const stopped = await runCommand(["controller", "stop", "--dir", dir]);
      assertEquals(stopped.code, 0, stopped.stderr);
    },
  };
}

/** Variables of `role`, as its `.env` file has them. */
async function environmentOf(dir: string, role: string): Promise<Record<string, string>> {
  const text = await Deno.readTextFile(join(dir, `${role}.env`));
  return Object.fromEntries(text.trimEnd().split("\n").map((line) => line.split(/=(.*)/s, 2)));
}

const OVER_TLS = "controller lets every role do its work over TLS, and nothing else";

Deno.test(OVER_TLS, { ignore: !await hasPrograms("openssl") }, async (t) => {
  await using folder = await tempFolder();
  await using controller = await startController(folder.path, "--tls");
  const { dir } = controller;
  await t.step("secrets are the owner's alone, and different", async () => {
    const secrets = new Set<string>();
    for (const name of ["admin", "dispatcher", "scheduler", "worker", "operator"]) {
      const path = join(dir, `${name}.password`);
      assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
      secrets.add(await Deno.readTextFile(path));
    }
    assertEquals(secrets.size, 5);
    assertEquals(((await Deno.stat(join(dir, "redis.conf"))).mode ?? 0) & 0o777, 0o600);
  });
  await t.step("check finds nothing to complain of, also of what it did itself", async () => {
    for (let time = 0; time < 2; time++) {
      const { code, stdout, stderr } = await runCommand([
        ...["controller", "check", "--redis", `rediss://127.0.0.1:${controller.port}`],
        ...["--redis-password-file", join(dir, "admin.password"), "--tls-ca", join(dir, "ca.crt")],
      ]);
      assertEquals(code, 0, stdout + stderr);
      assertMatch(stdout, /^PASS {2}plaintext is refused/m);
    }
  });
  await t.step("a batch runs, each role as its own user", async () => {
    await controller.cli("ACL", "LOG", "RESET");
    // The roles find their files beside each other, as on a machine that they were copied to.
    const logs = join(folder.path, "logs");
    const common = { RUN_ID: "acl", LOGS_DIR: logs, NODE_ID: "cloud1", TIME_SYNC: "0" };
    const tasks = join(folder.path, "tasks.jsonl");
    const task = JSON.stringify({ kind: "command", argv: ["true"] });
    await Deno.writeTextFile(tasks, `${task}\n`.repeat(TASKS));
    const start = async (role: string, ...args: readonly string[]) =>
      startCommand(["run", role, ...args], {
        cwd: dir,
        env: {
          ...common,
          ...await environmentOf(dir, role === "dispatch" ? "dispatcher" : role),
        },
      });
    await using scheduler = await start("scheduler");
    const outputs = join(folder.path, "outputs");
    await using worker = await start(
      "worker",
      ...["--outputs", outputs, "--capacity-units", "2", "--allow-commands", "true"],
    );
    await using dispatch = await start(
      "dispatch",
      ...["--tasks", tasks, "--pending", "--pulse-stagger", "0"],
    );
    const dispatched = await dispatch.ended;
    assertEquals(dispatched.code, 0, dispatched.stderr);
    await waitFor({
      what: "all tasks done",
      read: () => controller.cli("HGET", "tk:totals", "done"),
      until: (done) => done === String(TASKS),
    });
    for (const role of [worker, scheduler]) {
      const commandLine = await Deno.readTextFile(`/proc/${role.pid}/cmdline`);
      for (const name of ["scheduler", "worker"]) {
        const password = (await Deno.readTextFile(join(dir, `${name}.password`))).trim();
        assert(!commandLine.includes(password));
      }
      role.kill("SIGTERM");
      const { code, stderr } = await role.ended;
      assertEquals(code, 0, stderr);
    }
    const status = await runCommand(["run", "status", "--json"], {
      cwd: dir,
      env: await environmentOf(dir, "operator"),
    });
    assertEquals(status.code, 0, status.stderr);
    assertEquals(await controller.cli("ACL", "LOG"), "", "Redis refused something to a role");
    for (const name of ["admin", "dispatcher", "scheduler", "worker", "operator"]) {
      const password = (await Deno.readTextFile(join(dir, `${name}.password`))).trim();
      const { stdout } = await new Deno.Command("grep", {
        args: ["-rlF", password, logs, outputs],
      }).output();
      assertEquals(new TextDecoder().decode(stdout), "", `the password of ${name} is in the run`);
    }
  });
  await t.step("a worker's user may not do what its scripts do not", async () => {
    const password = (await Deno.readTextFile(join(dir, "worker.password"))).trim();
    const forbidden = [
      ["FLUSHALL"],
      ["CONFIG", "GET", "*"],
      ["KEYS", "*"],
      ["GET", "somebody:else"],
      ["EVAL", "return redis.call('SET', 'somebody:else', '1')", "0"],
    ];
    for (const command of forbidden) {
      const { stdout } = await new Deno.Command("redis-cli", {
        args: [
          ...["-p", String(controller.port), "--tls", "--cacert", join(dir, "ca.crt")],
          ...["--user", "worker", ...command],
        ],
        env: { REDISCLI_AUTH: password },
      }).output();
      assertMatch(new TextDecoder().decode(stdout), /NOPERM/, command.join(" "));
    }
  });
});

Deno.test("controller leaves a running server alone, and refuses a port that is taken", async () => {
  await using folder = await tempFolder();
  await using controller = await startController(folder.path);
  const again = await runCommand(["controller", "start", "--dir", controller.dir]);
  assertEquals(again.code, 0);
  assertMatch(again.stderr, /runs already \(pid \d+\)/);
  const other = await runCommand([
    ...["controller", "start", "--dir", join(folder.path, "other")],
    ...["--port", String(controller.port)],
  ]);
  assertEquals(other.code, 1);
  assertStringIncludes(other.stderr, "is taken by another server");
  // An address for documentation, RFC 5737: no machine has it.
  const foreign = await runCommand(["controller", "start", "--bind", "192.0.2.1"]);
  assertEquals(foreign.code, 1);
  assertStringIncludes(foreign.stderr, "cannot listen on 192.0.2.1, --bind names own addresses");
});

/** Debian's libfaketime, which shifts the clock of every program that has these variables. */
const FAKETIME_LIBRARY = `/usr/lib/${Deno.build.arch}-linux-gnu/faketime/libfaketime.so.1`;

function shiftedClock(shiftS: number): Record<string, string> {
  return {
    // jemalloc, which Redis uses, asks for the time before the library is ready: libc's malloc goes first.
    LD_PRELOAD: `${FAKETIME_LIBRARY}:libc.so.6`,
    FAKETIME: shiftS > 0 ? `+${shiftS}` : String(shiftS),
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    NO_FAKE_STAT: "1",
  };
}

const HOUR_S = 3600;
const YEAR_S = 365 * 24 * HOUR_S;
const hasFaketime = has({ "libfaketime": await isThere(FAKETIME_LIBRARY) });

Deno.test({
  name: "controller's certificates hold on clocks that are behind, and their end is told" +
    (hasFaketime ? "" : " (skipped: libfaketime is not installed)"),
  ignore: !hasFaketime,
  async fn(): Promise<void> {
    await using folder = await tempFolder();
    const { dir, port } = await (async () => {
      await using running = await startController(folder.path, "--tls");
      const seenBy = async (shiftS: number) => {
        const { stdout } = await runCommand([
          ...["controller", "check", "--redis", `rediss://127.0.0.1:${running.port}`],
          ...["--redis-password-file", join(running.dir, "admin.password")],
          ...["--tls-ca", join(running.dir, "ca.crt")],
        ], { env: shiftedClock(shiftS) });
        return stdout.split("\n", 1)[0];
      };
      assertMatch(await seenBy(-23 * HOUR_S) ?? "", /^PASS {2}its certificate holds/);
      assertMatch(await seenBy(-25 * HOUR_S) ?? "", /^FAIL .*certificate not valid yet/);
      assertMatch(await seenBy(10 * YEAR_S - 72 * HOUR_S) ?? "", /^FAIL .*only until .*, 2 days/);
      assertMatch(await seenBy(11 * YEAR_S) ?? "", /^FAIL .*certificate expired/);
      return running;
    })();
    // In eleven years a new start makes a new authority, and says that it is to be copied.
    const late = { env: shiftedClock(11 * YEAR_S) };
    const before = await Deno.readTextFile(join(dir, "ca.crt"));
    const started = await runCommand(
      ["controller", "start", "--tls", "--dir", dir, "--port", String(port)],
      late,
    );
    await runCommand(["controller", "stop", "--dir", dir], late);
    assertStringIncludes(started.stderr, "copy ca.crt again");
    assert(await Deno.readTextFile(join(dir, "ca.crt")) !== before);
  },
});

Deno.test("controller says how many connections it got", async () => {
  await using folder = await tempFolder();
  const dir = join(folder.path, "controller");
  const flags = ["--dir", dir, "--port", String(freePort())];
  const small = await runCommand(["controller", "start", ...flags, "--max-clients=200"]);
  await runCommand(["controller", "stop", "--dir", dir]);
  assertStringIncludes(small.stderr, "It takes 200 connections: 100 workers\n");
  // Root would raise its own limit.
  const drop = Deno.uid() === 0 ? "setpriv --bounding-set -sys_resource" : "";
  const controller = fromFileUrl(new URL("../../tasks/controller.ts", import.meta.url));
  const { stderr } = await new Deno.Command("sh", {
    args: [
      ...["-c", `ulimit -n 300 && exec ${drop} "$@"`, "sh", Deno.execPath(), "run", "-A", "-q"],
      ...[controller, "start", ...flags],
    ],
  }).output();
  await runCommand(["controller", "stop", "--dir", dir]);
  const said = new TextDecoder().decode(stderr);
  // Redis keeps 32 descriptors for itself.
  assertStringIncludes(said, "It takes 268 connections: 134 workers; for 20100 raise the limit on");
});

Deno.test("controller check says what is wrong with a server that was set up by hand", async () => {
  await using redis = await startRedisServer({
    config: ["protected-mode no", "appendfsync no", "user worker on nopass ~* &* +@all"],
  });
  await redis.cli("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
  await redis.cli("--user", "worker", "--pass", "any", "ACL", "SETUSER", "nobody", "on", ">x");
  await redis.cli("--user", "nobody", "--pass", "x", "--no-auth-warning", "FLUSHALL");
  const { code, stdout } = await runCommand(["controller", "check", "--redis", redis.url]);
  assertEquals(code, 1);
  for (
    const line of [
      "PASS  no password is refused",
      "PASS  a wrong user is refused",
      "FAIL  appendonly is safe",
      "FAIL  appendfsync is safe",
      "FAIL  maxmemory-policy is safe",
      "FAIL  protected-mode is safe",
      "PASS  connections are left",
      "FAIL  each role has its own, confined user",
      "FAIL  dangerous commands are off for roles  open to worker: FLUSHALL",
      "FAIL  nobody was refused anything           1 × nobody flushall (command)",
    ]
  ) assertStringIncludes(stdout, line);
  await redis.cli("CONFIG", "SET", "requirepass", "");
  const opened = await runCommand(["controller", "check", "--redis", redis.url]);
  assertStringIncludes(opened.stdout, "FAIL  no password is refused");
});

Deno.test("controller check tells what listens there from a Redis", async () => {
  const local = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  await using web = Deno.serve(local, () => new Response("hello"));
  const cases = [
    [`redis://127.0.0.1:${web.addr.port}`, "it is not a Redis server, or one that speaks TLS"],
    [`rediss://127.0.0.1:${web.addr.port}`, "it speaks no TLS"],
  ] as const;
  for (const [url, line] of cases) {
    const { code, stdout } = await runCommand(["controller", "check", "--redis", url]);
    assertEquals(code, 1);
    assertStringIncludes(stdout, line);
  }
  const { code, stderr } = await runCommand(["controller", "check", "--redis=redis://127.0.0.1:1"]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "Cannot reach 127.0.0.1 port 1: Connection refused");
});
