import { assertEquals } from "@std/assert";
import { BirthWatch } from "../../../collector/finding/birth_watch.ts";
import { followChildren } from "../../../collector/finding/descendants.ts";
import type { Subject } from "../../../collector/following/followed_set.ts";
import { Procfs } from "../../../collector/proc/procfs.ts";
import { Scan } from "../../../collector/finding/scan.ts";
import { Cgroup, Tree } from "../../../collector/finding/tree.ts";
import { ProcTree } from "../fixture.ts";
import { Observation } from "../observed_tree.ts";

const SUBJECT: Subject = { traceId: "b".repeat(32), cgroup: null, hasDescendants: true };

Deno.test("BirthWatch.hasAny() is false while loadavg shows no new pid, for a second", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  const { births, clock } = seen;
  const steps: [string, () => void, boolean][] = [
    ["at first", () => {}, true],
    ["when nothing is born", () => clock.advance(200), false],
    ["when a process is born", () => tree.add(20_000, { comm: "new" }), true],
    ["after it", () => clock.advance(200), false],
    ["after a second of quiet", () => clock.advance(800), true],
  ];
  for (const [when, step, expected] of steps) {
    step();
    assertEquals(births.hasAny(clock.bootMs()), expected, when);
  }
});

Deno.test("BirthWatch.hasAny() is true where there is no loadavg", async () => {
  await using tree = await ProcTree.copy();
  Deno.removeSync(`${tree.mount}/loadavg`);
  using births = new BirthWatch(new Procfs(tree.mount));
  assertEquals([births.hasAny(0), births.hasAny(1), births.lastPid], [true, true, null]);
});

/** Pids of the table, ascending. */
function pidsOf({ table }: Observation): number[] {
  return [...table.entries].map(({ pid }) => pid).sort((a, b) => a - b);
}

Deno.test("ProcessTable.refresh() lists the host at first, without those that are gone in the middle", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  seen.table.refresh(11_206, 0);
  assertEquals(pidsOf(seen), [1, 2, 7, 100, 101, 102, 103, 104, 105, 106, 107, 109, 110, 111]);
});

Deno.test("ProcessTable.refresh() reads only the pids that were given since", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  seen.table.refresh(11_206, 0);
  for (const pid of [11_206, 11_207, 11_208]) tree.add(pid, { comm: "new" });
  seen.table.refresh(11_207, 200);
  assertEquals(pidsOf(seen).filter((pid) => pid > 200), [11_207]);
  seen.table.refresh(11_207, 400);
  assertEquals(pidsOf(seen).filter((pid) => pid > 200), [11_207]);
});

Deno.test("ProcessTable.refresh() does not take a thread for a process", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  seen.table.refresh(11_206, 0);
  tree.add(11_207, { comm: "thread" });
  tree.becomeThread(11_207);
  seen.table.refresh(11_207, 200);
  assertEquals(pidsOf(seen).filter((pid) => pid > 200), []);
});

for (
  const [when, lastPid, bootMs] of [
    ["when the pids begin again", 300, 200],
    ["when there are very many", 12_000, 200],
    ["where the kernel does not tell the last pid", null, 200],
    ["after 5 s", 11_206, 5000],
  ] as const
) {
  Deno.test(`ProcessTable.refresh() lists the whole host ${when}`, async () => {
    await using tree = await ProcTree.copy();
    using seen = new Observation(tree.mount);
    seen.table.refresh(11_206, 0);
    tree.add(250, { comm: "new" });
    tree.remove(100);
    seen.table.refresh(lastPid, bootMs);
    assertEquals([250, 100].map((pid) => pidsOf(seen).includes(pid)), [true, false]);
  });
}

Deno.test("ProcessTable.takeBornCount() counts what came after the first list, each once", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  seen.table.refresh(11_206, 0);
  assertEquals(seen.table.takeBornCount(), 0);
  tree.add(11_207, { comm: "new" });
  tree.add(11_209, { comm: "new too" });
  // 11208 was born and is gone again.
  seen.table.refresh(11_209, 200);
  seen.table.examine(11_207);
  seen.table.refresh(11_209, 6000);
  assertEquals([seen.table.takeBornCount(), seen.table.takeBornCount()], [2, 0]);
});

Deno.test("followChildren() follows children and theirs, of the right parent only", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  seen.followed.follow(100, { subject: SUBJECT });
  seen.table.refresh(null, 0);
  followChildren(seen.followed, seen.table);
  // 111 names 100 as its parent but is older: that was an earlier process with this pid.
  const samples = seen.takeSamples();
  assertEquals(samples.map(({ pid }) => pid).sort(), [100, 102, 106, 109, 110]);
  assertEquals([...new Set(samples.map(({ trace_id }) => trace_id))], [SUBJECT.traceId]);
});

Deno.test("followChildren() leaves the children of a subject alone that is one process", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  seen.followed.follow(100, { subject: { ...SUBJECT, hasDescendants: false } });
  seen.table.refresh(null, 0);
  followChildren(seen.followed, seen.table);
  assertEquals(seen.takePids(), [100]);
});

Deno.test("Scan.refresh() finds names that match, whatever their case", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  const scan = new Scan({ ...seen, match: /^ffmpeg$|^ffprobe$/i });
  scan.refresh();
  assertEquals(seen.takePids(), [100, 103]);
  scan.refresh();
  assertEquals(seen.takePids(), [], "a process is followed once");
});

Deno.test("Scan.refresh() sees a young process get its name by exec at the next tick", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  const scan = new Scan({ ...seen, match: /^ffmpeg$/i });
  scan.refresh();
  tree.add(30_000, { comm: "sh", startTicks: seen.clock.bootMs() / 10 });
  scan.refresh();
  seen.takePids();
  tree.rename(30_000, "ffmpeg");
  scan.refresh();
  assertEquals(seen.takePids(), [30_000]);
});

Deno.test("Scan.refresh() sees an old process get its name within five ticks", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  const scan = new Scan({ ...seen, match: /^ffmpeg$/i });
  scan.refresh();
  seen.takePids();
  tree.rename(101, "ffmpeg");
  for (let tick = 0; tick < 5; tick++) scan.refresh();
  assertEquals(seen.takePids(), [101]);
});

Deno.test("Scan.refresh() keeps following a process that renames itself", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  const scan = new Scan({ ...seen, match: /^ffmpeg$/i });
  scan.refresh();
  tree.rename(100, "other");
  scan.refresh();
  seen.takePids();
  seen.followed.readAll();
  assertEquals(seen.takePids(), [100]);
});

Deno.test("Tree.start() says when there is no such process", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  assertEquals(new Tree({ ...seen, pid: 999 }).start().kind, "gone");
});

Deno.test("Tree.refresh() follows what is born below its process", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  const finder = new Tree({ ...seen, pid: 109 });
  finder.start();
  finder.refresh();
  assertEquals(seen.takePids(), [109, 110]);
  tree.add(31_000, { comm: "late", ppid: 110 });
  finder.refresh();
  assertEquals(seen.takePids(), [31_000]);
  seen.services.finish();
  assertEquals(
    seen.events.map(({ event, pid, is_end_observed }) => [event, pid, is_end_observed]),
    [
      ["launch", 109, null],
      ["exit", 109, false],
    ],
  );
});

Deno.test("Cgroup.refresh() follows the processes of a cgroup and of those inside it", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  const cgroup = `${tree.mount}/cgroups`;
  Deno.mkdirSync(`${cgroup}/inner/innermost`, { recursive: true });
  Deno.writeTextFileSync(`${cgroup}/cgroup.procs`, "100\n0\n");
  Deno.writeTextFileSync(`${cgroup}/inner/innermost/cgroup.procs`, "101\n999\n");
  const finder = new Cgroup({ ...seen, path: cgroup });
  finder.refresh();
  assertEquals(seen.takePids(), [100, 101]);
  Deno.writeTextFileSync(`${cgroup}/inner/cgroup.procs`, "103\n");
  finder.refresh();
  assertEquals(seen.takePids(), [103]);
  Deno.removeSync(cgroup, { recursive: true });
  finder.refresh();
});
