/**
 * The compiled form. Its base runtime is nothing that npm or Debian has, so that what is compiled here
 * cannot be run: tested are the way there, and each entry under the permissions that are baked in.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { bundle } from "../../tasks/build/bundle.ts";
import { type Executable, EXECUTABLES, permissionsOf } from "../../tasks/build/contents.ts";
import { compiledEntry } from "../../tasks/build/entries.ts";
import { processIdentity, readRole } from "../../tasks/command/process.ts";
import { runCommand } from "../support/command_process.ts";
import { startRedisServer } from "../support/redis_server.ts";
import { writeSmallDeno } from "../support/small_deno.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { waitFor } from "../support/wait_for.ts";

/** Nothing listens there: whatever is fetched through it fails. */
const NO_NETWORK = { HTTPS_PROXY: "http://127.0.0.1:1" };

/** Have `deno bundle` fetch what it fetches at its first use on a machine: afterwards it needs no network. */
async function fetchBundler(folder: string): Promise<void> {
  await bundle("collector", join(folder, "bundler.js"));
}

const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));

/** The entry of `executable` under its own permissions, as `deno compile` would bake them in. */
async function baked(
  executable: Executable,
  { folder, args }: { readonly folder: string; readonly args: readonly string[] },
): Promise<Deno.Command> {
  const entry = join(folder, `${executable.role}.ts`);
  await Deno.writeTextFile(entry, compiledEntry(executable));
  const permissions = await permissionsOf(executable);
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--config", CONFIG, "--no-prompt", ...permissions, entry, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

function executableOf(role: string): Executable {
  return EXECUTABLES.find((one) => one.role === role) as Executable;
}

Deno.test("compile makes the portable form where the base runtime cannot be fetched, and says so once", async () => {
  await using folder = await tempFolder();
  await fetchBundler(folder.path);
  const deno = join(folder.path, "deno");
  await writeSmallDeno(deno);
  const { code, stderr } = await runCommand(
    ["compile", "worker", "dispatcher", "--out", folder.path, "--deno", deno],
    { env: NO_NETWORK },
  );
  assertEquals(code, 0, stderr);
  assertEquals(stderr.match(/cannot have its base runtime here/g)?.length, 1, stderr);
  assertStringIncludes(stderr, "2 executables (portable form)");
});

Deno.test("compile --form compile fails where the base runtime cannot be fetched", async () => {
  await using folder = await tempFolder();
  await fetchBundler(folder.path);
  for (const flags of [["--form", "compile"], ["--form=compile", "--target=aarch64"]]) {
    const { code, stderr } = await runCommand(
      ["compile", "worker", "--out", folder.path, ...flags],
      { env: NO_NETWORK },
    );
    assertEquals(code, 1);
    assertMatch(stderr, /cannot have its base runtime here .*DENORT_BIN may name a denort file/);
  }
});

Deno.test("compile packages with a given base, and refuses what that makes of it", async () => {
  await using folder = await tempFolder();
  await fetchBundler(folder.path);
  const { code, stderr } = await runCommand(
    ["compile", "exporter", "--out", folder.path],
    { env: { ...NO_NETWORK, DENORT_BIN: await Deno.realPath(Deno.execPath()) } },
  );
  assertEquals(code, 1);
  // Deno with a program attached still is Deno: it was packaged and started.
  assertMatch(
    stderr,
    /the compiled file calls itself "deno [\d.]+.*DENORT_BIN must name the denort/,
  );
});

Deno.test("compile takes the Deno of another processor, and what it makes says for which one it is", async () => {
  await using folder = await tempFolder();
  const foreign = Deno.build.arch === "x86_64" ? "aarch64" : "x86_64";
  const deno = join(folder.path, "deno");
  await writeSmallDeno(deno, foreign);
  const flags = ["--form=portable", `--deno=${deno}`, `--out=${folder.path}`];
  const wrong = await runCommand(["compile", "worker", ...flags]);
  assertEquals(wrong.code, 2);
  assertStringIncludes(wrong.stderr, `--deno must name a Deno for Linux on ${Deno.build.arch}`);
  const made = await runCommand(["compile", "worker", ...flags, `--target=${foreign}`]);
  assertEquals(made.code, 0, made.stderr);
  const { code, stderr } = await new Deno.Command(join(folder.path, "tracekit-worker"), {
    env: { TRACEKIT_CACHE_DIR: folder.path },
  }).output();
  assertEquals(code, 1);
  assertEquals(
    new TextDecoder().decode(stderr),
    `tracekit-worker: this executable is for ${foreign}, this machine is ${Deno.build.arch}\n`,
  );
});

Deno.test("compile bakes in the variables that flags name, and no others", async () => {
  for (const executable of EXECUTABLES) {
    const { role } = executable;
    const permissions = await permissionsOf(executable);
    if (permissions.includes("--allow-all")) continue;
    const [variables = ""] = permissions;
    assertMatch(variables, /^--allow-env=[A-Z_]+(,[A-Z_]+)*$/, role);
    assert(variables.includes("RUN_ID"), role);
    assertEquals(variables.includes("REDIS_PASSWORD"), role !== "exporter", role);
  }
});

Deno.test("the entry of each executable starts each command of its table, and the first one by default", async () => {
  await using folder = await tempFolder();
  for (const executable of EXECUTABLES) {
    const start = async (...args: readonly string[]) => {
      const command = await baked(executable, { folder: folder.path, args });
      const { code, stdout, stderr } = await command.output();
      assertEquals(code, 0, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout).split(":", 1)[0];
    };
    for (const { name, entry } of executable.commands) {
      assertEquals(await start(name, "--help"), entry.name);
    }
    assertEquals(await start("--help"), executable.commands[0].entry.name);
  }
});

Deno.test("an executable without a command runs the role that it is named for", () => {
  // A worker starts `tracekit-adapter` without a word, and sudoers allows it only so.
  assertEquals(
    Object.fromEntries(EXECUTABLES.map(({ role, commands }) => [role, commands[0].name])),
    {
      controller: "controller",
      dispatcher: "dispatch",
      scheduler: "scheduler",
      worker: "worker",
      adapter: "adapter",
      collector: "collector",
      exporter: "parse",
    },
  );
});

Deno.test("a role under the permissions that are baked in registers, works and ends", async () => {
  await using folder = await tempFolder();
  await using redis = await startRedisServer();
  const logs = join(folder.path, "logs");
  const args = ["--run-id=baked", `--logs=${logs}`, `--redis=${redis.url}`];
  const start = (args: readonly string[]) =>
    baked(executableOf("scheduler"), { folder: folder.path, args });
  await using scheduler = (await start(args)).spawn();
  const record = join(logs, `baked/roles/scheduler.${scheduler.pid}.json`);
  const identity = await waitFor({
    what: "the scheduler's record",
    read: () => readRole(record),
    until: (found) => found !== null,
  });
  assertEquals(identity?.pid, scheduler.pid);
  assertEquals(identity?.start_ticks, processIdentity(scheduler.pid)?.startTicks);
  const status = await (await start(["status", "--json", args[2] ?? ""])).output();
  assertStringIncludes(new TextDecoder().decode(status.stdout), `"nodes"`);
  scheduler.kill("SIGTERM");
  const [{ code }, said] = await Promise.all([
    scheduler.status,
    new Response(scheduler.stderr).text(),
    scheduler.stdout.cancel(),
  ]);
  assertEquals(code, 0, said);
});

Deno.test("only what must read /proc or start anything has every permission", () => {
  const all = EXECUTABLES.filter(({ baked }) => baked === null);
  assertEquals(all.map(({ role }) => role), ["controller", "adapter", "collector"]);
  for (const { commands, baked } of EXECUTABLES) {
    assert(commands.every(({ isPrivileged }) => isPrivileged === (baked === null)));
  }
});
