/** Kernel files that are missing or not as their manual pages have them: readings continue, and one finding tells it. */

import { join } from "@std/path";
import { assert, assertEquals } from "@std/assert";
import { collect } from "../../collector/collect.ts";
import { readRecordFile } from "../../trace/record_file.ts";
import {
  COLLECTOR_STATS,
  HOST_METRICS,
  type HostMetrics,
  NODE_META,
  type NodeMeta,
  RAW_SAMPLE,
  type RawSample,
} from "../../trace/records.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { recordsIn } from "../support/records.ts";
import { ProcTree } from "./fixture.ts";

interface Run {
  readonly samples: RawSample[];
  readonly host: HostMetrics[];
  readonly meta: NodeMeta | null;
  readonly problems: string[];
  /** What the user was told. */
  readonly said: string[];
}

/** What there is of a run of two ticks over `tree`. */
async function collectFrom(tree: ProcTree): Promise<Run> {
  const stop = new AbortController();
  const runDir = RunDir.at(join(tree.mount, "run"));
  const said: string[] = [];
  await collect({
    runDir,
    procfs: tree.mount,
    isFfiWanted: false,
    isRealtimeWanted: false,
    node: {
      runId: "r",
      nodeId: "n",
      stage: null,
      sysfs: join(tree.mount, "sys"),
      cpus: null,
      availableCores: null,
      frequencyMhz: null,
      address: null,
      interface: null,
    },
    selection: { mode: "scan", match: /ffmpeg/ },
    argv: "none",
    intervalMs: 20,
    isHostWanted: true,
    isRefreshing: true,
    isSampling: true,
    signal: stop.signal,
    onStarted: () => stop.abort(),
    report: (line) => said.push(line),
  });
  const stats = await recordsIn(runDir.collectorStats, COLLECTOR_STATS.decode);
  return {
    samples: await recordsIn(runDir.procMetrics, RAW_SAMPLE.decode),
    host: await recordsIn(runDir.hostMetrics, HOST_METRICS.decode),
    meta: await readRecordFile(runDir.nodeMeta, NODE_META.decode),
    problems: stats.flatMap(({ problems }) => problems?.split("\n") ?? []),
    said,
  };
}

/** A content of null removes the file; `problem` is null where nothing is missing after all. */
const DAMAGES: readonly [file: string, content: string | null, problem: RegExp | null][] = [
  ["stat", null, /No such file.*stat/],
  ["stat", "cpu  1 2\n", /\/proc\/stat/],
  ["meminfo", null, /meminfo/],
  ["meminfo", "        total:    used:\nMem:  260000000 136000000\nMemTotal: 254472 kB\n", null],
  ["meminfo", "", null],
  ["sys/devices/system/cpu/online", "\n", /CPU list/],
  ["sys/devices/system/cpu/online", "0-NaN\n", /CPU list/],
  ["cpuinfo", null, null],
  ["net/dev", "a\nb\neth0: 1 2 x x x x x x x\n", /net\/dev/],
  ["net/route", "head\neth0 NaN\n", /net\/route/],
  ["pressure/cpu", "some total=NaN\n", null],
  ["loadavg", "0.1 0.2\n", /loadavg/],
  ["uptime", "soon\n", /uptime/],
  ["2/stat", "2 (kthreadd) S NaN\n", /stat: a whole number/],
  ["100/status", "Name:\tx\nVmHWM:\t 12 MB\n", /VmHWM/],
  ["self/mounts", "", null],
];

Deno.test.each(DAMAGES)("collect() with %s as %j reads on", async (file, content, problem) => {
  await using tree = await ProcTree.copy();
  const path = join(tree.mount, file);
  await Deno.mkdir(join(path, ".."), { recursive: true });
  if (content === null) await Deno.remove(path);
  else await Deno.writeTextFile(path, content);
  const { samples, host, meta, problems, said } = await collectFrom(tree);
  assert(samples.length >= 2, `${samples.length} samples`);
  assertEquals(host.length, 2);
  assert((meta?.cpu_cores ?? 0) >= 1);
  assertEquals(problems.length, problem === null ? 0 : 1, Deno.inspect(problems));
  if (problem !== null) assert(problem.test(problems[0] ?? ""), problems[0]);
  assertEquals(said.filter((line) => problems.includes(line)).length, problems.length);
  const numbers = [...samples, ...host].flatMap((line) => Object.values(line));
  assert(!numbers.some((one) => Number.isNaN(one)));
});

Deno.test("collect() takes the memory from a table of an old kernel", async () => {
  await using tree = await ProcTree.copy();
  const header = "        total:    used:\nMem:  260000000 136000000\n";
  await Deno.writeTextFile(join(tree.mount, "meminfo"), `${header}MemTotal:  254472 kB\n`);
  assertEquals((await collectFrom(tree)).meta?.mem_kb, 254_472);
});
