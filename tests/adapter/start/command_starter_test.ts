import { join } from "@std/path";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { AdapterClient } from "../../../adapter/client.ts";
import { CommandStarter } from "../../../adapter/start/command_starter.ts";
import { serveAdapter } from "../../../adapter/server.ts";
import { PLAIN_PLAN, SpawnError, type SpawnPlan } from "../../../adapter/start/spawn_plan.ts";
import { openClock } from "../../../trace/clock.ts";
import { completeTask } from "../../../trace/task.ts";
import { tempFolder } from "../../support/temp_folder.ts";

function plan(script: string, changes: Partial<SpawnPlan> = {}): SpawnPlan {
  const base = { program: "/bin/sh", argv: ["sh", "-c", script], env: { PATH: "/usr/bin:/bin" } };
  return { ...PLAIN_PLAN, ...base, ...changes };
}

Deno.test("CommandStarter writes output to the log and tells how the process ended", async () => {
  await using folder = await tempFolder();
  using clock = openClock();
  const logFile = join(folder.path, "log");
  const starter = new CommandStarter(clock);
  const script = "echo out; echo bad >&2; cat; cut -d' ' -f6 /proc/$$/stat; kill -TERM $$";
  const { pid, at, exit } = starter.start(plan(script, { logFile, cwd: folder.path }));
  const { status, signal, rusage, at: end } = await exit;
  assertEquals([status, signal, rusage], [143, "SIGTERM", null]);
  assert(end.bootMs >= at.bootMs);
  // Nothing to read, and a session of its own.
  const text = await Deno.readTextFile(logFile);
  assertEquals(text, `out\nbad\n${pid}\n`);
});

Deno.test("CommandStarter enters cgroups before the program runs", async () => {
  await using folder = await tempFolder();
  using clock = openClock();
  const tasks = join(folder.path, "tasks");
  await Deno.writeTextFile(tasks, "");
  const starter = new CommandStarter(clock);
  const script = `test "$(cat ${tasks})" = 0`;
  const { exit } = starter.start(plan(script, { cgroupTasksFiles: [tasks] }));
  assertEquals((await exit).status, 0);
});

Deno.test("CommandStarter refuses to start a process as another user", () => {
  using clock = openClock();
  const rights = { uid: 1, gid: 1, groups: [] };
  const starter = new CommandStarter(clock);
  assertThrows(() => starter.start(plan("true", { rights })), SpawnError, "FFI is required");
});

Deno.test("the adapter works without FFI, and says what that costs", async () => {
  await using folder = await tempFolder();
  using clock = openClock();
  const there = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  const back = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  const served = serveAdapter({ input: there.readable, output: back.writable }, {
    clock,
    starter: new CommandStarter(clock),
    libc: null,
    notes: ["no rusage"],
    env: Deno.env.toObject(),
    signal: new AbortController().signal,
  });
  const client = await AdapterClient.open({ requests: there.writable, replies: back.readable }, {
    run_id: "r",
    node_id: "n",
    stage: null,
    run_dir: join(folder.path, "run"),
    inputs_root: folder.path,
    outputs_dir: folder.path,
    uid: null,
    gid: null,
    cpus: null,
    cpu_binding: "exclusive",
    cpuweight_per_vcpu: 100,
    cpu_control: "none",
    task_log_max_bytes: null,
    allowed_variables: [],
    allowed_commands: ["sh"],
  });
  assertEquals(client.ready.launcher, "deno_command");
  assertEquals(client.ready.notes, ["no rusage"]);
  const argv = ["sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo x >o; exit 0"];
  const outcome = await client.launch(completeTask({ argv, outputs: ["o"] }, "test", "t")).outcome;
  assert(outcome.kind === "exited" && outcome.isDone, Deno.inspect(outcome));
  assertEquals(outcome.event.bytes_out, 2);
  // Where a cgroup can be made it still counts; else the kernel's counters for children do.
  const { cpu_source, user_ms } = outcome.event;
  assert(cpu_source !== "none" && (user_ms ?? 0) > 0, `${cpu_source} ${user_ms}`);
  await client.close();
  assertEquals(await served, true);
});
