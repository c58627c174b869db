import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { isThere } from "../../trace/atomic_file.ts";
import { runCommand } from "../support/command_process.ts";
import {
  collectorStats,
  invocationEvent,
  nodeMeta,
  rawSample,
  writeRawRun,
} from "../support/raw_run.ts";
import { tempFolder } from "../support/temp_folder.ts";

const SOUND = {
  samples: [rawSample(200, { cpu_ns: 150e6 })],
  events: [invocationEvent({ startMs: 0, endMs: 210 }, { user_ms: 151 })],
};

/** A run in which the collector lost a sample. */
const GAPPY = { ...SOUND, stats: [collectorStats(2)] };

Deno.test("parse takes the newest run where none is named, and says so", async () => {
  await using folder = await tempFolder();
  const logs = join(folder.path, "logs");
  await writeRawRun(join(logs, "older"), SOUND);
  await writeRawRun(join(logs, "newer"), SOUND);
  const past = new Date(0);
  for await (const { name } of Deno.readDir(join(logs, "older"))) {
    await Deno.utime(join(logs, "older", name), past, past);
  }
  const { code, stderr, stdout } = await runCommand(["run", "parse"], { cwd: folder.path });
  assertEquals(code, 0);
  assertEquals(stdout, "");
  assertMatch(stderr, /No RUN_ID was given: parsing the newest run, newer/);
  assertMatch(stderr, /Parsed cloud1: 1 invocation, 1 sample, .*; audit PASS/);
  assert(await isThere(join(logs, "newer", "CTS", "audit_report.md")));
  assert(!await isThere(join(logs, "older", "CTS")));
});

Deno.test("parse takes every node of a run, or the one that is named", async () => {
  await using folder = await tempFolder();
  const run = join(folder.path, "logs", "r1");
  for (const node_id of ["cloud1", "cloud2"]) {
    await writeRawRun(join(run, node_id), { ...SOUND, meta: nodeMeta({ node_id }) });
  }
  const one = await runCommand(["run", "parse", "RUN_ID=r1", "NODE_ID=cloud2", "--json"], {
    cwd: folder.path,
  });
  assertEquals(one.code, 0);
  const [summary, ...others] = JSON.parse(one.stdout);
  assertEquals([summary.node, summary.cpuResidualMaxMs, others.length], ["cloud2", 0, 0]);
  assert(!await isThere(join(run, "cloud1", "CTS")));
  // What was made of the first node must not be taken for another node.
  for (let times = 0; times < 2; times++) {
    const all = await runCommand(["run", "parse", "RUN_ID=r1", "--json"], { cwd: folder.path });
    assertEquals(JSON.parse(all.stdout).map(({ node }: { node: string }) => node), [
      "cloud1",
      "cloud2",
    ]);
  }
});

Deno.test("parse fails on findings only when it is told to be strict", async () => {
  await using folder = await tempFolder();
  await writeRawRun(join(folder.path, "logs", "r1"), GAPPY);
  const options = { cwd: folder.path };
  const plain = await runCommand(["run", "parse", "RUN_ID=r1"], options);
  assertEquals(plain.code, 0);
  assertMatch(plain.stderr, /audit FINDINGS/);
  assertEquals((await runCommand(["run", "parse", "RUN_ID=r1", "--strict"], options)).code, 1);
});

const REFUSED = [
  {
    what: "a run that is not there",
    args: ["RUN_ID=none"],
    code: 1,
    says: /records of a run are required/,
  },
  { what: "a RUN_ID outside logs", args: ["RUN_ID=../../x"], code: 2, says: /Cannot use RUN_ID/ },
  {
    what: "a node that is not there",
    args: ["RUN_ID=r2", "NODE_ID=x"],
    code: 1,
    says: /records of node "x"/,
  },
  {
    what: "an unknown layout",
    args: ["--layout=xml"],
    code: 2,
    says: /--layout must be one of cts, cctf/,
  },
];

Deno.test.each(REFUSED)("parse refuses $what in one line", async ({ args, code, says }) => {
  await using folder = await tempFolder();
  await writeRawRun(join(folder.path, "logs", "r2", "cloud1"), SOUND);
  const ended = await runCommand(["run", "parse", ...args], { cwd: folder.path });
  assertEquals(ended.code, code);
  assertMatch(ended.stderr, says);
  assertEquals(ended.stderr.trimEnd().split("\n").length, 1);
});

Deno.test("merge puts nodes together and parses them under its own grant", async () => {
  await using folder = await tempFolder();
  for (const node_id of ["cloud1", "cloud2"]) {
    const run = { ...SOUND, meta: nodeMeta({ node_id, run_id: "r1" }) };
    await writeRawRun(join(folder.path, "fetched", node_id, "r1"), run);
  }
  const { code, stderr } = await runCommand(
    ["run", "merge", "RUN_ID=r1", "fetched/cloud1/r1", "fetched/cloud2/r1"],
    { cwd: folder.path },
  );
  assertEquals([code, stderr.match(/Parsed cloud\d/g)], [0, ["Parsed cloud1", "Parsed cloud2"]]);
  const run = join(folder.path, "logs", "r1");
  assert(await isThere(join(run, "results.jsonl")));
  assert(await isThere(join(run, "cloud2", "CTS", "invocations.jsonl")));
});

Deno.test("merge without a folder is a usage error", async () => {
  const { code, stderr } = await runCommand(["run", "merge", "RUN_ID=r1"]);
  assertEquals(code, 2);
  assertMatch(stderr, /at least one DIR is required/);
});
