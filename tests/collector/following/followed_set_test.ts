import { assertEquals } from "@std/assert";
import type { Subject } from "../../../collector/following/followed_set.ts";
import { ProcTree } from "../fixture.ts";
import { Observation } from "../observed_tree.ts";

const TASK: Subject = { traceId: "a".repeat(32), cgroup: null, hasDescendants: true };
const OTHER: Subject = { traceId: null, cgroup: null, hasDescendants: true };

Deno.test("FollowedSet.follow() reads a process at once and says what it is", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  assertEquals(seen.followed.follow(100, { subject: TASK }), { kind: "followed" });
  const [sample] = seen.takeSamples();
  assertEquals(sample, {
    ts_ms: seen.clock.now().tsMs,
    boot_ms: 300_000,
    pid: 100,
    start_ticks: 12_345,
    trace_id: TASK.traceId,
    cpu_ns: null,
    utime: 1500,
    stime: 42,
    rss_kb: 131_072,
    hwm_kb: 140_000,
  });
  assertEquals(seen.followed.takeProcesses(), [{
    ts_ms: seen.clock.now().tsMs,
    pid: 100,
    start_ticks: 12_345,
    trace_id: TASK.traceId,
    comm: "ffmpeg",
    container: null,
    pod_uid: null,
  }]);
  assertEquals(seen.followed.takeProcesses(), []);
});

Deno.test("FollowedSet.follow() follows the process that is meant and no other", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  const { followed } = seen;
  const isMeant = () => false;
  assertEquals(followed.follow(100, { subject: TASK, isMeant }).kind, "refused");
  assertEquals(followed.follow(999, { subject: TASK }).kind, "gone");
  assertEquals([followed.size, seen.takePids()], [0, []]);
});

Deno.test("FollowedSet.follow() lets a process change its subject, and reads it once a tick", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  seen.followed.follow(100, { subject: TASK });
  seen.followed.follow(100, { subject: OTHER });
  seen.followed.readAll();
  assertEquals(seen.takeSamples().map(({ trace_id }) => trace_id), [TASK.traceId, null]);
  assertEquals(seen.followed.takeCounts(), { samples: 2, gone: 0, denied: 0, births: 1 });
});

Deno.test("FollowedSet.readAll() lets go what is gone, and counts it", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  for (const pid of [100, 101, 102]) seen.followed.follow(pid, { subject: TASK });
  seen.takePids();
  tree.remove(101);
  seen.followed.readAll();
  assertEquals(seen.takePids(), [100, 102]);
  assertEquals(seen.followed.takeCounts(), { samples: 5, gone: 1, denied: 0, births: 3 });
  assertEquals(seen.followed.has(101), false);
});

Deno.test("FollowedSet.drop() reads the processes of a subject once more, and others not", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  seen.followed.follow(100, { subject: TASK });
  seen.followed.follow(101, { subject: OTHER });
  seen.takePids();
  seen.followed.drop(TASK);
  assertEquals(seen.takePids(), [100]);
  assertEquals([seen.followed.has(100), seen.followed.has(101)], [false, true]);
});

Deno.test("FollowedSet.readEnded() takes a last reading", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  for (const pid of [100, 106]) seen.followed.follow(pid, { subject: TASK });
  seen.takePids();
  seen.followed.readEnded([106, 5555]);
  assertEquals(seen.takeSamples().map(({ pid, rss_kb }) => [pid, rss_kb]), [[106, null]]);
  assertEquals([seen.followed.size, seen.followed.takeCounts().gone], [1, 1]);
});

Deno.test("FollowedSet.readAll() reads the peak of memory with readings 1, 2, 4 up to 64, then each 64th", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  seen.followed.follow(100, { subject: TASK });
  for (let reading = 2; reading <= 256; reading++) seen.followed.readAll();
  const withPeak = seen.takeSamples().flatMap(({ hwm_kb }, at) => hwm_kb === null ? [] : [at + 1]);
  // The pid, 100, shifts the period by 36.
  assertEquals(withPeak, [1, 2, 4, 8, 16, 32, 64, 92, 156, 220]);
});

Deno.test("FollowedSet.readAll() reads the peak of memory as soon as memory grows beyond it", async () => {
  await using tree = await ProcTree.copy();
  using seen = new Observation(tree.mount);
  seen.followed.follow(100, { subject: TASK });
  seen.followed.readAll();
  const path = `${tree.mount}/100/stat`;
  const grown = Deno.readTextFileSync(path).replace(" 2048 ", " 4096 ");
  Deno.writeTextFileSync(path, grown);
  for (let reading = 3; reading <= 4; reading++) seen.followed.readAll();
  seen.takeSamples();
  for (let reading = 5; reading <= 6; reading++) seen.followed.readAll();
  // The fixture's VmHWM stays behind on purpose: it is read with each reading until it is up to date.
  assertEquals(seen.takeSamples().map(({ rss_kb, hwm_kb }) => [rss_kb, hwm_kb]), [
    [262_144, 140_000],
    [262_144, 140_000],
  ]);
});
