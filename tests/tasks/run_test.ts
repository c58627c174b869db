import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { kindsWithout } from "../../tasks/command/launch.ts";
import { runCommand, startCommand } from "../support/command_process.ts";
import { tempFolder } from "../support/temp_folder.ts";

const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));

async function commandLineOf(pid: number): Promise<string[]> {
  return (await Deno.readTextFile(`/proc/${pid}/cmdline`)).split("\0");
}

Deno.test("run.ts replaces itself by a role that has no password on its command line, and only its grant", async () => {
  await using inputs = await tempFolder();
  await Deno.writeTextFile(join(inputs.path, "a.mp4"), "x");
  // A Redis that takes the connection and never answers: the role waits there.
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const url = `redis://:Wsr%20123@127.0.0.1:${port}/0`;
  const flags = ["--inputs", inputs.path, "--pending", "--redis", url];
  await using role = startCommand(["run", "dispatch", ...flags]);
  using connection = await listener.accept();
  const buffer = new Uint8Array(4096);
  const count = await connection.read(buffer) ?? 0;
  // The role logs in: it got the password, by another way.
  assertMatch(new TextDecoder().decode(buffer.subarray(0, count)), /AUTH[^]*Wsr 123/);
  const line = await commandLineOf(role.pid);
  assertEquals(line.filter((one) => one.includes("Wsr")), []);
  assert(line.includes(`redis://127.0.0.1:${port}/0`), line.join(" "));
  assert(line.includes(`--allow-net=127.0.0.1:${port}`), line.join(" "));
  assertEquals(line.filter((one) => one === "-A" || one === "--allow-all"), []);
  assert(line.includes("--no-prompt"));
});

Deno.test("run.ts refuses an unknown command", async () => {
  const { code, stderr } = await runCommand(["run", "cook"]);
  assertEquals(code, 2);
  assertMatch(stderr, /^tracekit: unknown command "cook", --help lists them\n$/);
});

for (
  const [what, flags, message] of [
    ["an unknown flag", ["--nope"], "dispatch: unknown flag --nope (deno task dispatch --help)"],
    [
      "a broken URL",
      ["--redis", "redis://:Wsr/123@h/0"],
      "dispatch: Cannot use the URL of Redis: HOST:PORT after the password (in a password, / ? # ",
    ],
  ] as const
) {
  Deno.test(`run.ts tells of ${what} in one line, exit code 2`, async () => {
    const { code, stdout, stderr } = await runCommand(["run", "dispatch", ...flags]);
    assertEquals([code, stdout, stderr.split("\n").length], [2, "", 2]);
    assert(stderr.startsWith(message), stderr);
  });
}

Deno.test("run.ts shows a role's help and version without starting it", async () => {
  const help = await runCommand(["run", "dispatch", "--help"]);
  assertEquals([help.code, help.stderr], [0, ""]);
  assertMatch(help.stdout, /^dispatch: .*\n\nUsage: deno task dispatch/);
  const version = await runCommand(["run", "dispatch", "--version"]);
  assertMatch(version.stdout, /^tracekit \d+\.\d+\.\d+ \(deno \d+\.\d+\.\d+, source\)\n$/);
});

Deno.test("deno task works in the folder that it is called from", async () => {
  await using folder = await tempFolder();
  await Deno.mkdir(join(folder.path, "videos"));
  await Deno.writeTextFile(join(folder.path, "videos", "a.mp4"), "x");
  const flags = ["--inputs", "videos", "--dry-run"];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "-q", "--config", CONFIG, "dispatch", ...flags],
    cwd: folder.path,
    // What some caller further up left behind.
    env: { INIT_CWD: folder.path },
  }).output();
  assertEquals(new TextDecoder().decode(stderr), "");
  assertEquals(JSON.parse(new TextDecoder().decode(stdout)).input, "videos/a.mp4");
});

Deno.test("a command started elsewhere does not believe a left-over INIT_CWD", async () => {
  await using folder = await tempFolder();
  await Deno.writeTextFile(join(folder.path, "a.mp4"), "x");
  const { stdout } = await runCommand(["run", "dispatch", "--inputs", ".", "--dry-run"], {
    cwd: folder.path,
    env: { INIT_CWD: "/" },
  });
  assertEquals(JSON.parse(stdout).input, "a.mp4");
});

Deno.test("kindsWithout() names the kinds of permission that a command in place gives up", () => {
  const grant = { net: ["h:6379"], read: ["run_id.env"], env: ["REDIS_URL"], sys: [] };
  assertEquals(kindsWithout(grant), ["write", "sys", "run", "ffi"]);
  assertEquals(kindsWithout({ net: true }).includes("net"), false);
});

Deno.test("run.ts runs status in its own process, unless that has a password on its command line", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  for (const [credentials, isInPlace] of [["", true], [":Wsr%20123@", false]] as const) {
    const url = `redis://${credentials}127.0.0.1:${port}/0`;
    await using role = startCommand(["run", "status", "--redis", url]);
    using _connection = await listener.accept();
    const line = await commandLineOf(role.pid);
    assertEquals(line.some((one) => one.endsWith("run.ts")), isInPlace, line.join(" "));
    assertEquals(line.filter((one) => one.includes("Wsr")), []);
  }
});
