import { assertEquals, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import type { Command, Flags } from "../../tasks/command/flag_table.ts";
import { parseCommand, type Parsed } from "../../tasks/command/parse.ts";
import { CommandError } from "../../tasks/command/main.ts";
import { bootId, processIdentity } from "../../tasks/command/process.ts";
import { main as clean } from "../../tasks/clean.ts";
import { CLEAN } from "../../tasks/flags/clean.ts";
import { STOP } from "../../tasks/flags/stop.ts";
import { main as stop } from "../../tasks/stop.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { recordingIo } from "../support/recording_io.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { boundCommand } from "../support/bound_command.ts";

function parse<F extends Flags>(command: Command<F>, ...args: readonly string[]): Parsed<F> {
  return parseCommand(command, args, { env: {}, runIdEnv: {} });
}

/** A process in the place of a role; `script` prints a line when it is ready. */
async function standIn(script: string): Promise<Deno.ChildProcess> {
  const child = boundCommand("sh", { args: ["-c", script], stdout: "piped" }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  return child;
}

/** Ends on the first SIGTERM. */
const OBEDIENT = "echo ready; exec sleep 1000";
/** Ends on the second one. */
const BUSY = `n=0; trap 'n=$((n+1)); [ $n -lt 2 ] || { kill $!; exit 3; }' TERM
  sleep 1000 & echo ready; while :; do wait; done`;
/** Ends on SIGKILL. */
const DEAF = "trap '' TERM; echo ready; exec sleep 1000";

interface Registered {
  readonly logs: string;
  readonly role: string;
  readonly startTicksOff?: number;
  readonly runId?: string;
}

async function register(
  { pid }: Deno.ChildProcess,
  { logs, role, startTicksOff = 0, runId = "r1" }: Registered,
): Promise<string> {
  const runDir = RunDir.of(logs, runId);
  await Deno.mkdir(runDir.roles, { recursive: true });
  const start_ticks = (processIdentity(pid)?.startTicks ?? 0) + startTicksOff;
  const identity = { role, run_id: runId, node_id: "n1", pid, start_ticks, boot_id: bootId() };
  await Deno.writeTextFile(runDir.role(role), JSON.stringify({ ...identity, ts_start: 1 }));
  return runDir.role(role);
}

async function withLogs(work: (logs: string) => Promise<void>): Promise<void> {
  await using folder = await tempFolder();
  await work(join(folder.path, "logs"));
}

Deno.test("stop ends an obedient and a busy role, and forgets them", async () => {
  await withLogs(async (logs) => {
    const obedient = await standIn(OBEDIENT);
    const busy = await standIn(BUSY);
    await register(obedient, { logs, role: "scheduler" });
    await register(busy, { logs, role: "worker" });
    const io = recordingIo();
    const flags = ["--logs", logs, "--grace-s", "0.2", "--force-s", "60"];
    assertEquals(await stop(parse(STOP, ...flags), io), 0);
    const ends = await Promise.all([obedient.status, busy.status]);
    assertEquals(ends.map(({ code, signal }) => signal ?? code), ["SIGTERM", 3]);
    assertEquals(io.said.toSorted(), [
      `Stopped scheduler of n1 (run r1, pid ${obedient.pid})`,
      `Stopped worker of n1 (run r1, pid ${busy.pid})`,
    ]);
    assertEquals(await Array.fromAsync(Deno.readDir(RunDir.of(logs, "r1").roles)), []);
  });
});

Deno.test("stop kills a deaf role, and forgets it", async () => {
  await withLogs(async (logs) => {
    const deaf = await standIn(DEAF);
    await register(deaf, { logs, role: "collector" });
    const io = recordingIo();
    const flags = ["--logs", logs, "--grace-s", "0.1", "--force-s", "0.1"];
    assertEquals(await stop(parse(STOP, ...flags), io), 0);
    assertEquals((await deaf.status).signal, "SIGKILL");
    assertEquals(io.said, [`Killed collector of n1 (run r1, pid ${deaf.pid}): it did not stop`]);
    assertEquals(await Array.fromAsync(Deno.readDir(RunDir.of(logs, "r1").roles)), []);
  });
});

Deno.test("stop never touches a process that only has the pid of a role", async () => {
  await withLogs(async (logs) => {
    const child = await standIn(OBEDIENT);
    await register(child, { logs, role: "worker", startTicksOff: 1 });
    const io = recordingIo();
    assertEquals(await stop(parse(STOP, "--logs", logs), io), 0);
    assertEquals(io.said, ["Nothing to stop"]);
    child.kill("SIGKILL");
    assertEquals((await child.status).signal, "SIGKILL");
  });
});

Deno.test("stop --run-id leaves other runs alone", async () => {
  await withLogs(async (logs) => {
    const own = await standIn(OBEDIENT);
    const other = await standIn(OBEDIENT);
    await register(own, { logs, role: "worker", runId: "r1" });
    await register(other, { logs, role: "worker", runId: "r2" });
    await stop(parse(STOP, "--logs", logs, "--run-id", "r1"), recordingIo());
    assertEquals((await own.status).signal, "SIGTERM");
    assertNotEquals(processIdentity(other.pid)?.state ?? "Z", "Z");
    other.kill("SIGKILL");
    await other.status;
  });
});

Deno.test("stop without any run is not a failure", async () => {
  const io = recordingIo();
  assertEquals(await stop(parse(STOP, "--logs", "/nonexistent"), io), 0);
  assertEquals(io.said, ["Nothing to stop"]);
});

Deno.test("clean removes one run and says what it was", async () => {
  await withLogs(async (logs) => {
    await Deno.mkdir(join(logs, "r1", "n1"), { recursive: true });
    await Deno.mkdir(join(logs, "r2"), { recursive: true });
    await Deno.writeTextFile(join(logs, "r1", "n1", "events.ffmpeg.jsonl"), "x".repeat(2_000_000));
    await Deno.writeTextFile(join(logs, "r1", "node_meta.json"), "{}");
    const io = recordingIo();
    assertEquals(await clean(parse(CLEAN, "--logs", logs, "RUN_ID=r1"), io), 0);
    assertStringIncludes(io.said[0] ?? "", "r1: 2 files, 2.0 MB");
    assertEquals(await Array.fromAsync(Deno.readDir(logs), ({ name }) => name), ["r2"]);
    assertEquals(await clean(parse(CLEAN, "--logs", logs, "RUN_ID=r1"), io), 0);
    assertStringIncludes(io.said[1] ?? "", "Nothing to remove");
  });
});

Deno.test("clean does not follow links out of the run", async () => {
  await withLogs(async (logs) => {
    const outside = join(logs, "..", "precious");
    await Deno.mkdir(join(logs, "r1"), { recursive: true });
    await Deno.mkdir(outside);
    await Deno.writeTextFile(join(outside, "file"), "kept");
    await Deno.symlink(outside, join(logs, "r1", "link"));
    await clean(parse(CLEAN, "--logs", logs, "RUN_ID=r1"), recordingIo());
    assertEquals(await Deno.readTextFile(join(outside, "file")), "kept");
  });
});

Deno.test("clean refuses while a role of the run lives", async () => {
  await withLogs(async (logs) => {
    const child = await standIn(OBEDIENT);
    const record = await register(child, { logs, role: "worker" });
    await assertRejects(
      () => clean(parse(CLEAN, "--logs", logs, "--run-id", "r1"), recordingIo()),
      CommandError,
      `worker (pid ${child.pid}) of run r1 still lives; run: deno task stop --run-id r1`,
    );
    assertEquals((await Deno.stat(record)).isFile, true);
    child.kill("SIGKILL");
    await child.status;
  });
});

for (const runId of ["../../x", "..", "a".repeat(300)]) {
  Deno.test(`clean refuses RUN_ID ${runId.slice(0, 10)}`, async () => {
    const parsed = parse(CLEAN, `RUN_ID=${runId}`);
    await assertRejects(() => clean(parsed, recordingIo()), Error, "Cannot use RUN_ID");
  });
}
