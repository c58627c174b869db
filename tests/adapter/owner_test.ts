/** Adapters of other namespaces and machines, which look dead from here and are not. */

import { basename, join } from "@std/path";
import { assert, assertEquals } from "@std/assert";
import { isAbandoned, isOfOurs, readOwner } from "../../adapter/owner.ts";
import { childrenOf, readProcessStat } from "../../trace/linux/processes.ts";
import { isThere } from "../../trace/atomic_file.ts";
import { startAdapter, type TestAdapter } from "../support/adapter_process.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { CAN_GROUP, testCgroup, WRITABLE_HIERARCHIES } from "../support/test_cgroup.ts";
import { waitFor } from "../support/wait_for.ts";
import { CAN_MOUNT } from "../support/tiny_filesystem.ts";

/** A pid namespace in which the adapter is pid 1, and a boot clock that is days ahead. */
const NAMESPACES: readonly [flags: string[]][] = [
  [["--pid", "--fork", "--kill-child", "--mount-proc"]],
  [["--fork", "--kill-child", "--time", "--boottime", "1000000"]],
];

/** Pid of a process that runs `name` below `pid`. */
function findBelow(pid: number, name: string): number | null {
  for (const child of childrenOf(pid)) {
    if (readProcessStat(child)?.comm === name) return child;
    const found = findBelow(child, name);
    if (found !== null) return found;
  }
  return null;
}

async function startSleep(adapter: TestAdapter): Promise<number> {
  await adapter.client.launch(adapter.task({ argv: ["sleep", "300"] })).started;
  const pid = findBelow(adapter.pid, "sleep");
  assert(pid !== null);
  return pid;
}

Deno.test.each(NAMESPACES)(
  "an adapter behind unshare %j keeps its tasks when a neighbour starts",
  { ignore: !CAN_MOUNT || !CAN_GROUP },
  async (flags) => {
    await using folder = await tempFolder();
    const root = await Deno.realPath(folder.path);
    await using first = await startAdapter({ root, through: ["unshare", ...flags] });
    const pid = await startSleep(first);
    // The same run directory, and the same cgroup.
    await using second = await startAdapter({ root });
    assertEquals(second.client.ready.swept, 0);
    assertEquals(readProcessStat(pid)?.comm, "sleep");
    assertEquals([...Deno.readDirSync(second.runDir.adapters)].length, 2);
  },
);

Deno.test("a journal of another machine is swept when nobody holds it, and no pid of it is killed", async () => {
  await using folder = await tempFolder();
  const root = await Deno.realPath(folder.path);
  const journals = join(root, "run/adapters");
  await Deno.mkdir(journals, { recursive: true });
  await using bystander = new Deno.Command("sleep", { args: ["60"] }).spawn();
  const startTicks = readProcessStat(bystander.pid)?.startTicks;
  const { pid, namespaces } = readOwner();
  const left = ["held", "free"].map((name) => join(root, `${name}.part`));
  const paths: string[] = [];
  for (const [index, part] of left.entries()) {
    await Deno.writeTextFile(part, "half");
    const line = {
      state: "running",
      span_id: "a",
      pid: bystander.pid,
      start_ticks: startTicks,
      part_files: [part],
    };
    // The pid lives here too: on that machine it is somebody else's.
    const path = join(journals, `${pid}-${index}-${namespaces}.0000000a.jsonl`);
    await Deno.writeTextFile(path, `${JSON.stringify(line)}\n`);
    paths.push(path);
  }
  using held = await Deno.open(paths[0] ?? "", { read: true, write: true });
  await held.lock(true);
  await using adapter = await startAdapter({ root });
  assertEquals(adapter.client.ready.swept, 1);
  assertEquals(await Promise.all(left.map(isThere)), [true, false]);
  assertEquals(await Promise.all(paths.map(isThere)), [true, false]);
  assertEquals(readProcessStat(bystander.pid)?.startTicks, startTicks);
  bystander.kill("SIGKILL");
});

Deno.test("isAbandoned() goes by the lock, and by the pid only in the same namespaces", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "lock");
  using holder = await Deno.open(path, { write: true, create: true });
  const self = readOwner();
  const dead = { ...self, pid: 2 ** 22 - 1 };
  const foreign = { ...dead, namespaces: "1.2" };
  const judge = (owner: typeof self): boolean => {
    using file = Deno.openSync(path, { write: true });
    return isAbandoned(owner, { file, self });
  };
  assertEquals([self, dead, foreign].map(judge), [false, true, true]);
  holder.lockSync(true);
  assertEquals([self, dead, foreign].map(judge), [false, false, false]);
  assertEquals(isAbandoned(foreign, { file: null, self }), false, "nobody can know");
  assertEquals(isOfOurs({ ...self, bootId: self.bootId.slice(0, 8) }, self), true);
  assertEquals(isOfOurs({ ...self, bootId: "00000000" }, self), false);
});

Deno.test({
  name: "a command in a cgroup namespace over an outer mount stays below its own group",
  ignore: !CAN_MOUNT || !CAN_GROUP,
  async fn(): Promise<void> {
    const unified = WRITABLE_HIERARCHIES.find(({ version }) => version === 2);
    if (unified === undefined) return;
    await using outer = testCgroup(unified);
    const inner = join(outer.directory, "inner");
    await Deno.mkdir(inner);
    await using folder = await tempFolder();
    const root = await Deno.realPath(folder.path);
    // The shell enters the group, and then a namespace whose root the group is.
    const enter = `echo $$ >${inner}/cgroup.procs; exec unshare --cgroup "$@"`;
    {
      await using adapter = await startAdapter({ root, through: ["sh", "-c", enter, "sh"] });
      const launch = adapter.client.launch(adapter.task({ argv: ["sleep", "300"] }));
      const started = await launch.started;
      const own = await Deno.readTextFile(`/proc/${started?.pid}/cgroup`);
      const [, path = ""] = /^0::(.*)$/m.exec(own) ?? [];
      assert(path.includes(`${basename(outer.directory)}/inner/tracekit-`), own);
      launch.stop({ reason: "enough", graceMs: 1000 });
      await launch.outcome;
    }
    await waitFor({
      what: "the group to be empty",
      read: () => Deno.readTextFile(join(inner, "cgroup.procs")),
      until: (pids) => pids === "",
    });
    await Deno.remove(inner);
  },
});
