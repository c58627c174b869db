/** The parts of a deployment that need no cluster: the file of hosts, the scripts, a fetch cut off. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { isThere, writeJsonAtomic } from "../../trace/atomic_file.ts";
import { parseHosts } from "../../tasks/deploy/hosts.ts";
import { parseRoles, ROLES_SCRIPT, shellWord, startScript } from "../../tasks/deploy/scripts.ts";
import { processIdentity } from "../../tasks/command/process.ts";
import { runCommand } from "../support/command_process.ts";
import { tempFolder } from "../support/temp_folder.ts";

Deno.test("parseHosts() reads destinations, roles, variables and flags", () => {
  const hosts = parseHosts(
    "# a cluster\nubuntu@10.0.0.5 controller ADDRESS=10.1.0.5 --weigher vcpu # the first\n\n" +
      "w1.lan:2222  worker NODE_ID=cloud1 CPU_FREQ_MHZ=2400 --capacity-units 4\n",
    "hosts.conf",
  );
  assertEquals(hosts, [
    {
      destination: "ubuntu@10.0.0.5",
      address: "10.0.0.5",
      port: null,
      role: "controller",
      nodeId: null,
      clusterAddress: "10.1.0.5",
      variables: {},
      flags: ["--weigher", "vcpu"],
    },
    {
      destination: "w1.lan",
      address: "w1.lan",
      port: 2222,
      role: "worker",
      nodeId: "cloud1",
      clusterAddress: null,
      variables: { NODE_ID: "cloud1", CPU_FREQ_MHZ: "2400" },
      flags: ["--capacity-units", "4"],
    },
  ]);
});

for (
  const [line, message] of [
    ["-oProxyCommand=x worker", "hosts.conf line 2: [user@]host[:port] is required"],
    ["a;b worker", "hosts.conf line 2: [user@]host[:port] is required"],
    ["host", "hosts.conf line 2: controller or worker is required"],
    ["host boss", 'hosts.conf line 2: controller or worker is required, got "boss"'],
    ["host worker capacity=4", "hosts.conf line 2: NAME=value or --flag is required"],
    ["host worker NODE_ID=../x", "hosts.conf line 2: "],
    ["host worker ADDRESS=10.0.0.5", "hosts.conf line 2: ADDRESS is one address of the controller"],
    ["first worker", 'each line must have a host and user of its own, got "first" twice'],
    ["a worker NODE_ID=x\nb worker NODE_ID=x", 'must have a NODE_ID of its own, got "x" twice'],
    ["host controller", "exactly one controller is required, got 2"],
  ] as const
) {
  Deno.test(`parseHosts() refuses "${line.replace("\n", ", ")}"`, () => {
    assertThrows(
      () => parseHosts(`first controller\n${line}\n`, "hosts.conf"),
      SyntaxError,
      message,
    );
  });
}

Deno.test("parseHosts() wants a controller", () => {
  assertThrows(() => parseHosts("a worker\n", "hosts.conf"), SyntaxError, "got 0");
});

Deno.test("startScript() starts a unit where systemd runs, else a session", () => {
  const script = startScript({
    role: "worker",
    args: ["--capacity-units", "4"],
    environment: ["run_id.env", "worker.env"],
    runId: "r1",
  });
  assertEquals(
    script,
    `if [ -d /run/systemd/system ] && [ "$(id -u)" = 0 ]; then
  systemd-run --quiet --collect --unit=tracekit-worker-r1 \\
    --property=KillMode=mixed --property=Delegate=yes --working-directory="$PWD" \\
    sh -c 'set -a; . ./run_id.env; . ./worker.env; set +a; exec ./tracekit-worker --capacity-units 4 >>worker.log 2>&1 </dev/null'
else
  setsid sh -c 'set -a; . ./run_id.env; . ./worker.env; set +a; exec ./tracekit-worker --capacity-units 4 >>worker.log 2>&1 </dev/null' &
fi`,
  );
});

Deno.test("shellWord() is the same word to a shell", async () => {
  for (const word of ["plain", "a b", "it's", "$HOME", "`id`", "a\nb", ""]) {
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", `printf '%s|' ${shellWord(word)} end`],
    }).output();
    assertEquals(new TextDecoder().decode(stdout), `${word}|end|`);
  }
});

Deno.test("parseRoles() knows which of the roles on record still run", async () => {
  await using folder = await tempFolder();
  const startTicks = processIdentity(Deno.pid)?.startTicks ?? 0;
  const records = [
    ["logs/r1/roles/scheduler.7.json", Deno.pid, startTicks],
    ["logs/r1/cloud1/roles/worker.json", Deno.pid, startTicks],
    // Its pid is another process's by now.
    ["logs/r0/roles/collector.json", Deno.pid, startTicks - 1],
    ["logs/r0/roles/worker.json", 2 ** 22 + 1, 1],
  ] as const;
  for (const [path, pid, start_ticks] of records) {
    await writeJsonAtomic(join(folder.path, path), { pid, start_ticks });
  }
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", ROLES_SCRIPT],
    cwd: folder.path,
  }).output();
  const found = parseRoles(new TextDecoder().decode(stdout));
  assertEquals(found.map(({ runId, role, isRunning }) => [runId, role, isRunning]), [
    ["r0", "collector", false],
    ["r0", "worker", false],
    ["r1", "scheduler", true],
    ["r1", "worker", true],
  ]);
});

/**
 * An ssh without a network: the last argument is run here, its output cut after CUT bytes if given; the
 * hosts in DOWN do not answer.
 */
const STAND_IN = `#!/bin/sh
last=
for word; do host=$last last=$word; done
case " $STAND_IN_DOWN " in
  *" $host "*) echo "ssh: no route to $host" >&2; exit 255 ;;
esac
case $last in
  *tar*) cd "$STAND_IN_HOME" && sh -c "$last" | head -c "\${STAND_IN_CUT:-1000000000}"
    exit "\${STAND_IN_EXIT:-0}" ;;
  *) cd "$STAND_IN_HOME" && exec sh -c "$last" ;;
esac
`;

Deno.test("deploy fetch that was cut off continues, and the same bytes arrive", async () => {
  await using folder = await tempFolder();
  const { path } = folder;
  const run = join(path, "home/tracekit/logs/r1");
  await Deno.mkdir(run, { recursive: true });
  await Deno.mkdir(join(path, "bin"));
  await Deno.writeTextFile(join(path, "bin/ssh"), STAND_IN, { mode: 0o755 });
  await Deno.writeTextFile(join(path, "hosts.conf"), "a controller\nb worker\n");
  const names = ["node_meta.json", "proc_metrics.jsonl", "results.jsonl"];
  await Deno.writeTextFile(join(run, "node_meta.json"), `{"node_id": "cloud1"}\n`);
  for (const name of names.slice(1)) {
    await Deno.writeTextFile(join(run, name), `{"of":"${name}"}\n`.repeat(10_000));
  }
  const fetch = (env: Readonly<Record<string, string>>) =>
    runCommand(
      ["deploy", "fetch", "--run-id=r1", `--hosts=${path}/hosts.conf`, `--logs=${path}/logs`],
      { env: { PATH: `${path}/bin:/usr/bin:/bin`, STAND_IN_HOME: `${path}/home`, ...env } },
    );
  const cut = await fetch({ STAND_IN_CUT: "100000", STAND_IN_EXIT: "255" });
  assertEquals(cut.code, 1, cut.stderr);
  const standing = await Array.fromAsync(Deno.readDir(join(path, "logs/r1")), ({ name }) => name);
  assertEquals(standing, [".fetch"], "nothing half-written is under its own name");
  const staged = join(path, "logs/r1/.fetch/cloud1");
  assert(await isThere(staged));
  const other = await fetch({ STAND_IN_DOWN: "b" });
  assertEquals(other.code, 1);
  assertStringIncludes(other.stderr, "a: 3 files fetched");
  assertStringIncludes(
    other.stderr,
    "another deploy fetch brings the rest:\n  b: ssh: no route to b",
  );
  assert(await isThere(staged), "what was fetched of a host in part is kept for the next time");
  const whole = await fetch({});
  assertEquals(whole.code, 0, whole.stderr);
  assertStringIncludes(whole.stderr, "b: 3 files fetched to cloud1/");
  for (const name of names) {
    assertEquals(
      await Deno.readTextFile(join(path, "logs/r1/cloud1", name)),
      await Deno.readTextFile(join(run, name)),
    );
  }
  assertStringIncludes((await fetch({})).stderr, "b: 0 files fetched");
});

Deno.test("deploy status tells of every host that answers, and of the one that does not", async () => {
  await using folder = await tempFolder();
  const { path } = folder;
  await Deno.mkdir(join(path, "home"));
  await Deno.mkdir(join(path, "bin"));
  await Deno.writeTextFile(join(path, "bin/ssh"), STAND_IN, { mode: 0o755 });
  await Deno.writeTextFile(join(path, "hosts.conf"), "a controller\nb worker\nc worker\n");
  const { code, stdout, stderr } = await runCommand(
    ["deploy", "status", "--run-id=r1", `--hosts=${path}/hosts.conf`],
    {
      env: {
        PATH: `${path}/bin:/usr/bin:/bin`,
        STAND_IN_HOME: `${path}/home`,
        STAND_IN_DOWN: "b",
      },
    },
  );
  assertEquals(stdout, "a\n  no role runs\nb\n  not reachable\nc\n  no role runs\n");
  assertEquals(stderr, "deploy: not all hosts have answered:\n  b: ssh: no route to b\n");
  assertEquals(code, 1);
});
