/** How an adapter's tasks end when something goes wrong around them. */

import { join } from "@std/path";
import { assert, assertEquals, assertGreater, assertMatch, assertRejects } from "@std/assert";
import type { Launch } from "../../trace/launcher.ts";
import { childrenOf } from "../../trace/linux/processes.ts";
import { readProcessStat, signalProcess } from "../../trace/linux/processes.ts";
import { startAdapter, type TestAdapter } from "../support/adapter_process.ts";
import { atOnce } from "../support/at_once.ts";
import { cgroupsOfAdapter } from "../support/cgroup_folders.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { CAN_GROUP } from "../support/test_cgroup.ts";
import { CAN_MOUNT, tinyFilesystem } from "../support/tiny_filesystem.ts";
import { waitFor } from "../support/wait_for.ts";

function isRunning(pid: number): boolean {
  const stat = readProcessStat(pid);
  return stat !== null && stat.state !== "Z";
}

/** The shell that waits for the adapter's death. */
function guardOf(adapter: TestAdapter): number {
  const guard = childrenOf(adapter.pid).find((pid) =>
    Deno.readTextFileSync(`/proc/${pid}/cmdline`).startsWith("tracekit-guard\0")
  );
  assert(guard !== undefined, "the adapter has a guard");
  return guard;
}

/** A task with a child of its own; resolves with both pids when both run. */
async function startFamily(
  adapter: TestAdapter,
): Promise<{ launch: Launch; pids: number[] }> {
  const argv = ["sh", "-c", "sleep 300 & echo $! >pid.tmp; mv pid.tmp pid; wait"];
  const launch = adapter.client.launch(adapter.task({ argv }));
  const started = await launch.started;
  assert(started !== null);
  const path = join(adapter.root, "outputs/pid");
  const child = await waitFor({
    what: "the child's pid",
    read: () => Deno.readTextFile(path).catch((error) => String(error)),
    until: (text) => /^\d+\n$/.test(text),
  });
  return { launch, pids: [started.pid, Number(child)] };
}

async function untilOver(pids: readonly number[]): Promise<void> {
  await waitFor({
    what: "the end of the tasks",
    read: () => pids.filter(isRunning),
    until: (running) => running.length === 0,
  });
}

const MODES: ["exclusive" | "shared"][] = [["exclusive"], ["shared"]];

Deno.test.each(MODES)(
  "a killed adapter takes its %s tasks along, their children too",
  { ignore: !CAN_GROUP },
  async (mode) => {
    await using adapter = await startAdapter({ cpu_binding: mode });
    const { launch, pids } = await startFamily(adapter);
    adapter.kill("SIGKILL");
    await untilOver(pids);
    const outcome = await launch.outcome;
    assertEquals(outcome, { kind: "crashed", reason: "the adapter is gone" });
    await waitFor({
      what: "the removal of its cgroups",
      read: () => cgroupsOfAdapter(adapter.pid),
      until: (groups) => groups.length === 0,
    });
  },
);

Deno.test.each(MODES)(
  "the next adapter ends what %s tasks left when the guard was killed too",
  { ignore: !CAN_GROUP },
  async (
    mode,
  ) => {
    await using folder = await tempFolder();
    const root = await Deno.realPath(folder.path);
    await using adapter = await startAdapter({ root, cpu_binding: mode });
    const { pids: [first = 0, child = 0] } = await startFamily(adapter);
    const part = join(root, "outputs/.x.mp4.0123456789abcdef.part");
    await Deno.writeTextFile(part, "half");
    signalProcess(guardOf(adapter), "SIGKILL");
    adapter.kill("SIGKILL");
    // The death signal reaches the first process only.
    await untilOver([first]);
    assertEquals(isRunning(child), true);
    const sentinel = join(adapter.runDir.pids, String(first));
    assertEquals((await Deno.stat(sentinel)).isFile, true);

    await using next = await startAdapter({ root, cpu_binding: mode });
    assertGreater(next.client.ready.swept, 0);
    await untilOver([child]);
    const left = [...Deno.readDirSync(adapter.runDir.pids)].map(({ name }) => name);
    assertEquals(left, []);
    assertEquals(cgroupsOfAdapter(adapter.pid), []);
  },
);

Deno.test("an adapter leaves the tasks of another one that lives alone", async () => {
  await using adapter = await startAdapter();
  const { launch, pids } = await startFamily(adapter);
  await using other = await startAdapter();
  assertEquals(other.client.ready.swept, 0);
  assertEquals(pids.filter(isRunning), pids);
  launch.stop({ reason: "enough", graceMs: 1000 });
  const outcome = await launch.outcome;
  assertEquals(outcome.kind, "exited");
});

async function silentWorker(): Promise<void> {
  let isSilent = false;
  await using adapter = await startAdapter({}, { mayKeepAlive: () => !isSilent });
  const { launch, pids } = await startFamily(adapter);
  isSilent = true;
  assertEquals(await launch.outcome, { kind: "lost", reason: "the worker was silent for 6 s" });
  await untilOver(pids);
  isSilent = false;
  assertEquals((await adapter.exitOf({ argv: ["true"] })).status, 0);
}

async function stoppedAdapter(): Promise<void> {
  await using adapter = await startAdapter();
  const launch = adapter.client.launch(adapter.task({ argv: ["sleep", "8"] }));
  await launch.started;
  adapter.kill("SIGSTOP");
  await new Promise((resolve) => setTimeout(resolve, 7000));
  adapter.kill("SIGCONT");
  const outcome = await launch.outcome;
  assert(outcome.kind === "exited" && outcome.isDone, Deno.inspect(outcome));
}

Deno.test("silence ends tasks where it is the worker's", async (t) => {
  await atOnce(t, {
    "the adapter ends its tasks when its worker is silent, and continues": silentWorker,
    "an adapter that was stopped itself does not call its worker silent": stoppedAdapter,
  });
});

Deno.test({
  name: "the adapter waits for room on a full disk, and loses no record of what ran meanwhile",
  ignore: !CAN_MOUNT,
  fn: async () => {
    await using disk = await tinyFilesystem({ bytes: 256 * 1024 });
    const run_dir = join(disk.path, "run");
    const said: (string | null)[] = [];
    const full = Promise.withResolvers<void>();
    const onDisk = (problem: string | null): void => {
      said.push(problem);
      full.resolve();
    };
    await using adapter = await startAdapter({ run_dir }, { onDisk });
    const { launch, pids } = await startFamily(adapter);
    const filler = Deno.writeFile(join(disk.path, "filler"), new Uint8Array(512 * 1024));
    await assertRejects(() => filler, Error, "No space left");
    const outcomes = Promise.all([
      launch.outcome,
      ...Array.from({ length: 40 }, () => adapter.run({ argv: ["true"] })),
    ]);
    await full.promise;
    // Running tasks continue and end meanwhile; nothing new is started.
    for (const pid of pids) signalProcess(pid, "SIGTERM");
    await untilOver(pids);
    await disk.free();
    assertEquals((await outcomes).map(({ kind }) => kind), Array(41).fill("exited"));
    assertEquals(said.length, 2, Deno.inspect(said));
    assertMatch(said[0] ?? "", /No space left/);
    assertEquals(said[1], null);
    const exits = (await adapter.events("command")).filter(({ event }) => event === "exit");
    assertEquals(new Set(exits.map(({ task_id }) => task_id)).size, 41);
  },
});
