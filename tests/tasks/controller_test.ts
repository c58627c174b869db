/** The controller's Redis: what it lets whom do, tried by strangers and by every real role. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { runCommand, startCommand } from "../support/command_process.ts";
import { freePort } from "../support/ports.ts";
import { startRedisServer } from "../support/redis_server.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { waitFor } from "../support/wait_for.ts";

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

Deno.test("controller lets every role do its work over TLS, and nothing else", async (t) => {
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
  await t.step("check finds nothing to complain of", async () => {
    const { code, stdout, stderr } = await runCommand([
      ...["controller", "check", "--redis", `rediss://127.0.0.1:${controller.port}`],
      ...["--redis-password-file", join(dir, "admin.password"), "--tls-ca", join(dir, "ca.crt")],
    ]);
    assertEquals(code, 0, stdout + stderr);
    assertMatch(stdout, /^PASS {2}plaintext is refused/m);
  });
  await t.step("a batch runs, each role as its own user", async () => {
    // The check before tried a wrong password, which stands there.
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
});

Deno.test("controller check says what is wrong with a server that was set up by hand", async () => {
  await using redis = await startRedisServer({ config: ["protected-mode no"] });
  await redis.cli("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
  const { code, stdout } = await runCommand(["controller", "check", "--redis", redis.url]);
  assertEquals(code, 1);
  for (
    const line of [
      "PASS  no password is refused",
      "FAIL  appendonly is safe",
      "FAIL  maxmemory-policy is safe",
      "FAIL  protected-mode is safe",
      "FAIL  each role has its own, confined user",
    ]
  ) assertStringIncludes(stdout, line);
  await redis.cli("CONFIG", "SET", "requirepass", "");
  const opened = await runCommand(["controller", "check", "--redis", redis.url]);
  assertStringIncludes(opened.stdout, "FAIL  no password is refused");
});
