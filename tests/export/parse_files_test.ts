import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { parseNode } from "../../export/parse.ts";
import { FolderBusyError, StagedFiles } from "../../export/staged_files.ts";
import {
  nodeMeta,
  readCts,
  RUN_START,
  SOUND_RUN,
  toLines,
  writeRawRun,
} from "../support/raw_run.ts";
import { tempFolder } from "../support/temp_folder.ts";

Deno.test("parseNode() rounds a node as the seeds do, and keeps the true values", async () => {
  await using folder = await tempFolder();
  await writeRawRun(folder.path, { meta: nodeMeta() });
  await parseNode(folder.path, { stage: "edge" });
  assertEquals(JSON.parse(await Deno.readTextFile(join(folder.path, "CTS", "nodes.json"))), [{
    node_id: "cloud1",
    stage: "edge",
    cpu_cores: 4,
    cpu_model: "Test CPU",
    cpu_freq_mhz: 2400,
    cpu_freq_mhz_exact: 2445.4,
    mem_mb: 16_384,
    mem_kb_exact: 16_300_000,
    capacity_units: null,
    slots: null,
    allocation_ratio: null,
  }]);
});

Deno.test("parseNode() writes the older layout on request", async () => {
  await using folder = await tempFolder();
  await writeRawRun(folder.path, SOUND_RUN);
  const { folder: written } = await parseNode(folder.path, { layout: "cctf" });
  assertEquals(written, join(folder.path, "cctf"));
  const lines = async (name: string): Promise<Record<string, unknown>[]> =>
    (await Deno.readTextFile(join(written, name))).trimEnd().split("\n").map((one) =>
      JSON.parse(one)
    );
  assertEquals((await lines("proc_rss.jsonl")).map(({ rss_kb }) => rss_kb), [
    1024,
    1024,
    1024,
    1024,
  ]);
  const cpu = await lines("proc_cpu.jsonl");
  assertEquals(cpu.map(({ cpu_ms }) => cpu_ms), [2, 188, 189.998, 0.002, 432.345]);
  assertEquals(Object.keys(cpu[0]!), ["ts_ms", "pid", "dt_ms", "cpu_ms", "trace_id", "source"]);
});

Deno.test("parseNode() writes what the whole host used into the older layout", async () => {
  await using folder = await tempFolder();
  await writeRawRun(folder.path, SOUND_RUN);
  const ticks = { nice: 0, system: 30, idle: 900, iowait: 0, irq: 0, softirq: 0, steal: 5 };
  const counters = Object.fromEntries(
    Object.entries(ticks).map(([name, count]) => [`${name}_ticks`, count]),
  );
  const reading = (atMs: number, given: object): object => ({
    ts_ms: RUN_START.tsMs + atMs,
    boot_ms: RUN_START.bootMs + atMs,
    ...counters,
    ...given,
  });
  await Deno.writeTextFile(
    join(folder.path, "host_metrics.jsonl"),
    toLines([
      reading(0, { user_ticks: 100, received_bytes: 5000 }),
      reading(1000.5, { user_ticks: 150, idle_ticks: 899, mem_free_kb: 77, cpu_some_us: 9 }),
      reading(600_000, { user_ticks: 3 }),
      reading(601_000, { user_ticks: 4, received_bytes: 10 }),
    ]),
  );
  const { folder: written } = await parseNode(folder.path, { layout: "cctf" });
  const text = await Deno.readTextFile(join(written, "host_metrics.jsonl"));
  const intervals = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(intervals.map(({ dt_ms, user_ms }) => [dt_ms, user_ms]), [[1000.5, 500], [
    1000,
    10,
  ]]);
  const { idle_ms, steal_ms, received_bytes, cpu_some_ms, mem_free_kb } = intervals[0];
  assertEquals([idle_ms, steal_ms, received_bytes, cpu_some_ms, mem_free_kb], [
    0,
    0,
    null,
    null,
    77,
  ]);
});

Deno.test("parseNode() leaves the last parsed run when it is stopped", async () => {
  await using folder = await tempFolder();
  await writeRawRun(folder.path, SOUND_RUN);
  await parseNode(folder.path);
  const before = await readCts(folder.path);
  await writeRawRun(folder.path, { ...SOUND_RUN, samples: [] });
  await assertRejects(() => parseNode(folder.path, { signal: AbortSignal.abort() }), DOMException);
  assertEquals(await readCts(folder.path), before);
  const names = await Array.fromAsync(Deno.readDir(join(folder.path, "CTS")), ({ name }) => name);
  assertEquals(names.filter((name) => name.startsWith(".")), []);
});

Deno.test("parseNode() removes what a killed parse left, and refuses to write beside another one", async () => {
  await using folder = await tempFolder();
  await writeRawRun(folder.path, SOUND_RUN);
  const left = join(folder.path, "CTS", ".in-progress", "sorting");
  await Deno.mkdir(left, { recursive: true });
  await parseNode(folder.path);
  const names = await Array.fromAsync(Deno.readDir(join(folder.path, "CTS")), ({ name }) => name);
  assertEquals(names.filter((name) => name.startsWith(".")), []);
  await using _other = await StagedFiles.in(join(folder.path, "CTS"));
  await assertRejects(() => parseNode(folder.path), FolderBusyError, "another process is writing");
});
