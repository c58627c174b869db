import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { verifyOpendc } from "../../export/verify/verify.ts";
import { runCommand } from "../support/command_process.ts";
import { RUN_START_MS, twoNodeRun, writeCts, writeTwoNodeRun } from "../support/cts_run.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { CAN_MOUNT, tinyFilesystem } from "../support/tiny_filesystem.ts";

Deno.test("export-opendc and verify-opendc do their work under their grants", async () => {
  await using root = await tempFolder();
  const input = join(root.path, "run");
  const output = join(root.path, "out");
  await writeTwoNodeRun(input);
  const made = await runCommand([
    "run",
    "export-opendc",
    "--input",
    input,
    "--output",
    output,
    "--json",
  ]);
  assertEquals(made.code, 0, made.stderr);
  assertEquals(JSON.parse(made.stdout).tasks, 5);
  assert(made.stderr.includes("Exported 5 tasks, 12 fragments, 2.300 s"), made.stderr);
  assert(made.stderr.includes("not measured; --fill reserved exports them: 1 (t6)"), made.stderr);
  const verify = (...args: string[]) =>
    runCommand(["run", "verify-opendc", "--input", output, ...args]);
  const good = await verify("--cts", input);
  assertEquals(good.code, 0, good.stdout);
  assert(good.stdout.startsWith("5 tasks, 12 fragments\n"), good.stdout);
  assert(good.stdout.endsWith("PASS\n"), good.stdout);
  await Deno.remove(join(output, "fragments.parquet"));
  const bad = await verify("--json");
  assertEquals(bad.code, 1);
  assertEquals(JSON.parse(bad.stdout).ok, false);
});

Deno.test("export-opendc takes RUN_ID instead of folders", async () => {
  await using root = await tempFolder();
  await writeTwoNodeRun(join(root.path, "logs", "r1"));
  const { code, stderr } = await runCommand(["run", "export-opendc", "RUN_ID=r1"], {
    cwd: root.path,
  });
  assertEquals(code, 0, stderr);
  const report = await verifyOpendc({ input: join(root.path, "opendc_traces_r1") });
  assert(report.ok);
});

const WRONG_USE: readonly (readonly [readonly string[], string])[] = [
  [["run", "export-opendc"], "--input DIR or RUN_ID is required"],
  [["run", "export-opendc", "--input", "x"], "--output DIR is required"],
  [["run", "export-opendc", "--capacity", "all"], "--capacity must be one of reserved, p95, peak"],
  [["run", "verify-opendc"], "--input DIR is required"],
  [["run", "compare-opendc", "--measured", "x"], "--simulated DIR is required"],
];

for (const [args, message] of WRONG_USE) {
  Deno.test(`${args.slice(1).join(" ")} is a usage error`, async () => {
    await using root = await tempFolder();
    const { code, stderr } = await runCommand(args, { cwd: root.path });
    assertEquals(code, 2);
    assert(stderr.includes(message), stderr);
    assertEquals(stderr.trimEnd().split("\n").length, 1);
  });
}

Deno.test({
  name: "export-opendc on a full disk says so in one line and leaves the last export whole",
  ignore: !CAN_MOUNT,
  fn: async () => {
    await using root = await tempFolder();
    await using disk = await tinyFilesystem({ bytes: 128 * 1024 });
    const input = join(root.path, "run");
    const output = join(disk.path, "out");
    await writeTwoNodeRun(input);
    const args = ["run", "export-opendc", "--input", input, "--output", output];
    const first = await runCommand(args);
    assertEquals(first.code, 0, first.stderr);
    await writeCts(join(input, "cloud1"), manyRows());
    const second = await runCommand(args);
    assertEquals(second.code, 1);
    assertEquals(second.stderr.trimEnd().split("\n").length, 1);
    assert(second.stderr.includes("No space left on device"), second.stderr);
    const report = await verifyOpendc({ input: output });
    assertEquals(report.checks.filter(({ status }) => status === "fail"), []);
    assertEquals(report.found?.tasks, 5);
    assertEquals([...Deno.readDirSync(output)].filter(({ name }) => name.startsWith(".")), []);
  },
});

/** One task of 20,000 rows that hardly compress. */
function manyRows(): Parameters<typeof writeCts>[1] {
  const { nodes = [], invocations = [] } = twoNodeRun().cloud1 ?? {};
  const [first] = invocations;
  if (first === undefined) throw new Error("the run has no task");
  const rows = Array.from({ length: 20_000 }, (_, at) => ({
    ts_ms: RUN_START_MS + 10.4 + at + 1,
    pid: 4242,
    dt_ms: 1,
    cpu_ms: ((at * 7919) % 100_003) / 100_003,
    rss_kb: null,
    trace_id: first.trace_id,
    span_id: null,
    source: "reading" as const,
  }));
  return { nodes, invocations: [{ ...first, ts_end: RUN_START_MS + 20_010.4 }], rows };
}
