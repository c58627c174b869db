import { assertEquals, assertMatch } from "@std/assert";
import { SENTINEL } from "../../../trace/records.ts";
import { Whitelist } from "../../../collector/finding/whitelist.ts";
import { ProcTree } from "../fixture.ts";
import { Observation } from "../observed_tree.ts";

const TRACE = "c".repeat(32);

/** Whitelist mode over a copy of the fixture, with its folder of sentinels. */
class Stage implements AsyncDisposable {
  readonly tree: ProcTree;
  readonly seen: Observation;
  readonly folder: string;
  readonly whitelist: Whitelist;

  private constructor(tree: ProcTree) {
    this.tree = tree;
    this.seen = new Observation(tree.mount);
    this.folder = `${tree.mount}/pids`;
    Deno.mkdirSync(this.folder);
    this.whitelist = new Whitelist({
      ...this.seen,
      folder: this.folder,
      match: /^ffmpeg$|^ffprobe$/i,
    });
  }

  static async open(): Promise<Stage> {
    return new Stage(await ProcTree.copy());
  }

  /** Write a sentinel of ours. */
  writeOurs(pid: number, { startTicks, ...more }: { startTicks: number; cgroup?: string }): void {
    const sentinel = { trace_id: TRACE, start_ticks: startTicks, ...more };
    Deno.writeTextFileSync(`${this.folder}/${pid}`, JSON.stringify(sentinel));
  }

  /** Write an empty sentinel, as any other launcher does. */
  writeEmpty(pid: number): void {
    Deno.writeTextFileSync(`${this.folder}/${pid}`, "");
  }

  removeSentinel(pid: number): void {
    Deno.removeSync(`${this.folder}/${pid}`);
  }

  /** The alarm tells of these names. */
  react(...names: string[]): number[] {
    this.whitelist.react({ ended: [], names, isOverflow: false });
    return this.seen.takePids();
  }

  /** A tick, after some time. */
  tick(ms = 200): number[] {
    this.seen.clock.advance(ms);
    this.seen.followed.readAll();
    this.whitelist.refresh();
    return this.seen.takePids();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.seen[Symbol.dispose]();
    await this.tree[Symbol.asyncDispose]();
  }
}

Deno.test("Whitelist.react() follows the process of a sentinel of ours at once, whatever its name", async () => {
  await using stage = await Stage.open();
  stage.tick();
  stage.writeOurs(101, { startTicks: 12_346 });
  stage.whitelist.react({ ended: [], names: ["101"], isOverflow: false });
  assertEquals(stage.seen.takeSamples().map(({ pid, trace_id }) => [pid, trace_id]), [
    [101, TRACE],
  ]);
  assertEquals(stage.tick(), [101]);
});

Deno.test("Whitelist.refresh() finds sentinels that were there before, with descendants", async () => {
  await using stage = await Stage.open();
  stage.writeOurs(100, { startTicks: 12_345 });
  assertEquals(stage.tick(), [100, 102, 106, 109, 110]);
});

Deno.test("Whitelist.refresh() finds descendants though nothing was born since the last poll", async () => {
  await using stage = await Stage.open();
  stage.tick();
  stage.writeOurs(109, { startTicks: 13_000 });
  assertEquals(stage.react("109"), [109]);
  assertEquals(stage.tick(), [109, 110]);
});

Deno.test("Whitelist.refresh() follows the members of the sentinel's cgroup, re-parented ones too", async () => {
  await using stage = await Stage.open();
  const cgroup = `${stage.tree.mount}/task`;
  Deno.mkdirSync(cgroup);
  Deno.writeTextFileSync(`${cgroup}/cgroup.procs`, "100\n104\n");
  stage.writeOurs(100, { startTicks: 12_345, cgroup });
  // 104 is a child of init by now; 102 and others are children of 100 but in another cgroup.
  assertEquals(stage.tick(), [100, 104]);
});

Deno.test("Whitelist.refresh() goes by parents where the sentinel's cgroup cannot be listed", async () => {
  await using stage = await Stage.open();
  stage.writeOurs(109, { startTicks: 13_000, cgroup: `${stage.tree.mount}/removed` });
  assertEquals(stage.tick(), [109, 110]);
});

Deno.test("Whitelist.react() lets a task go when its sentinel is removed, descendants too", async () => {
  await using stage = await Stage.open();
  stage.writeOurs(100, { startTicks: 12_345 });
  stage.tick();
  stage.removeSentinel(100);
  assertEquals(stage.react("100"), [100, 102, 106, 109, 110], "one last reading");
  assertEquals(stage.tick(), []);
});

Deno.test("Whitelist.refresh() notices a removal that no event told of, within a second", async () => {
  await using stage = await Stage.open();
  stage.writeOurs(101, { startTicks: 12_346 });
  stage.tick();
  stage.removeSentinel(101);
  stage.tick(1000);
  assertEquals(stage.tick(), []);
});

Deno.test("Whitelist.react() follows the descendants of a task whose first process has ended", async () => {
  await using stage = await Stage.open();
  stage.writeOurs(100, { startTicks: 12_345 });
  stage.tick();
  stage.tree.remove(100);
  assertEquals(stage.tick(), [102, 106, 109, 110]);
  stage.tick(5000);
  assertEquals(stage.seen.reports, []);
});

Deno.test("Whitelist.react() skips a stale sentinel of ours: the pid was given again", async () => {
  await using stage = await Stage.open();
  stage.writeOurs(100, { startTicks: 99 });
  assertEquals(stage.react("100"), []);
  assertEquals(stage.tick(3000), []);
  assertEquals(stage.seen.reports, [
    "sentinel 100 skipped: the pid belongs to another process now (ffmpeg)",
  ]);
  assertEquals([stage.whitelist.takeForeignCount(), stage.whitelist.takeForeignCount()], [1, 0]);
  assertEquals(Deno.statSync(`${stage.folder}/100`).isFile, true, "it is left alone");
});

Deno.test("Whitelist.refresh() reports a sentinel that stays behind when its process is gone", async () => {
  await using stage = await Stage.open();
  stage.writeOurs(999, { startTicks: 99 });
  for (let tick = 0; tick < 9; tick++) stage.tick();
  assertEquals(stage.seen.reports, [], "its launcher has 2 s to remove it");
  for (let tick = 0; tick < 9; tick++) stage.tick();
  assertEquals(stage.seen.reports, ["sentinel 999 skipped: there is no such process"]);
});

Deno.test("Whitelist.refresh() reports a sentinel that outlives the process it was followed for", async () => {
  await using stage = await Stage.open();
  stage.writeOurs(110, { startTicks: 13_001 });
  stage.tick();
  stage.tree.remove(110);
  for (let tick = 0; tick < 20; tick++) stage.tick();
  assertEquals(stage.seen.reports, ["sentinel 110 skipped: its process has ended"]);
});

Deno.test("Whitelist.react() follows an empty sentinel when the name matches PROC_MATCH", async () => {
  await using stage = await Stage.open();
  stage.tick();
  stage.writeEmpty(103);
  stage.writeEmpty(101);
  assertEquals(stage.react("103", "101"), [103]);
  assertEquals(stage.seen.takeSamples(), []);
});

Deno.test("Whitelist.refresh() waits for a launcher that has not yet become the program", async () => {
  await using stage = await Stage.open();
  stage.tree.add(20_000, { comm: "taskset" });
  stage.writeEmpty(20_000);
  for (let tick = 0; tick < 5; tick++) assertEquals(stage.tick(), []);
  stage.tree.rename(20_000, "ffmpeg");
  assertEquals(stage.tick(), [20_000]);
  assertEquals(stage.seen.reports, []);
});

Deno.test("Whitelist.refresh() reports another process after 5 s, and still follows it when it changes", async () => {
  await using stage = await Stage.open();
  stage.writeEmpty(101);
  for (let tick = 0; tick < 30; tick++) stage.tick();
  assertEquals(stage.seen.reports.length, 1);
  assertMatch(stage.seen.reports[0] ?? "", /^sentinel 101 skipped: .*is another one/);
  stage.tree.rename(101, "ffmpeg");
  assertEquals(stage.tick(1000), [101]);
});

Deno.test("Whitelist.react() does not take a younger process for the one of an old empty sentinel", async () => {
  await using stage = await Stage.open();
  // Started now, by the clock of the stage; the sentinel was written a minute ago.
  stage.tree.add(20_001, { comm: "ffmpeg", startTicks: stage.seen.clock.bootMs() / 10 });
  stage.writeEmpty(20_001);
  const written = new Date(Date.now() - 60_000);
  Deno.utimeSync(`${stage.folder}/20001`, written, written);
  assertEquals(stage.react("20001"), []);
});

Deno.test("Whitelist.react() takes up the content of a sentinel that is written after its creation", async () => {
  await using stage = await Stage.open();
  stage.writeEmpty(101);
  stage.tick();
  stage.writeOurs(101, { startTicks: 12_346 });
  assertEquals(stage.react("101"), [101]);
});

Deno.test("Whitelist.refresh() reports a sentinel that is something else, once", async () => {
  await using stage = await Stage.open();
  Deno.writeTextFileSync(`${stage.folder}/100`, '{"trace_id":');
  Deno.mkdirSync(`${stage.folder}/101`);
  Deno.writeTextFileSync(`${stage.folder}/102.tmp-7`, "not a sentinel");
  for (let tick = 0; tick < 30; tick++) assertEquals(stage.tick(), []);
  assertEquals(stage.seen.reports.length, 2, stage.seen.reports.join("\n"));
  assertEquals(stage.whitelist.takeForeignCount(), 2);
});

Deno.test("Whitelist.react() lists the folder when events were lost", async () => {
  await using stage = await Stage.open();
  stage.tick();
  stage.writeOurs(101, { startTicks: 12_346 });
  stage.whitelist.react({ ended: [], names: [], isOverflow: true });
  assertEquals(stage.seen.takePids(), [101]);
});

Deno.test("Whitelist.react() starts again when a pid gets a sentinel of another task", async () => {
  await using stage = await Stage.open();
  stage.writeOurs(101, { startTicks: 12_346 });
  stage.tick();
  const other = SENTINEL.decode({ trace_id: "d".repeat(32), start_ticks: 12_346 }, "test");
  Deno.writeTextFileSync(`${stage.folder}/101`, JSON.stringify(other));
  stage.whitelist.react({ ended: [], names: ["101"], isOverflow: false });
  assertEquals(stage.seen.takeSamples().map(({ trace_id }) => trace_id), [TRACE, "d".repeat(32)]);
});
