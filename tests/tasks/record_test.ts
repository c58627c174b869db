import {
  assert,
  assertEquals,
  assertGreater,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import { exportOpendc } from "../../export/opendc/export.ts";
import { ExportError } from "../../export/opendc/input.ts";
import { parseCommand } from "../../tasks/command/parse.ts";
import { UsageError } from "../../tasks/command/usage_error.ts";
import { RECORD, recordTarget } from "../../tasks/flags/record.ts";
import { runCommand } from "../support/command_process.ts";
import { tempFolder } from "../support/temp_folder.ts";

function target(...args: readonly string[]): ReturnType<typeof recordTarget> {
  const { options, operands } = parseCommand(RECORD, args, { env: {}, runIdEnv: {} });
  return recordTarget(options, operands);
}

Deno.test("record takes exactly one target", () => {
  assertEquals(target("--", "make", "-j2"), { kind: "command", argv: ["make", "-j2"] });
  assertEquals(target("--pid", "7"), { kind: "pid", pid: 7 });
  assertEquals(target("--cgroup", "a/b"), { kind: "cgroup", path: "/sys/fs/cgroup/a/b" });
  assertThrows(() => target(), UsageError, "is required");
  assertThrows(() => target("--pid", "7", "--unit", "x"), UsageError, "one of");
  assertThrows(() => target("--for", "1", "--", "true"), UsageError, "--for");
});

Deno.test("record does not write into the batch that run_id.env names", () => {
  const sources = { env: { RUN_ID: "batch" }, runIdEnv: { RUN_ID: "batch" } };
  assertEquals(parseCommand(RECORD, ["--", "true"], sources).options["run-id"], null);
});

/** Uses CPU time in a child, then fails. */
const BURN = "(i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done); exit 3";

Deno.test("record runs a command to its end, keeps its exit code, and shows what it used", async () => {
  await using folder = await tempFolder();
  const args = ["record", "--run-id", "r1", "--json", "--", "sh", "-c", BURN];
  const { code, stdout, stderr } = await runCommand(args, { cwd: folder.path });
  assertEquals(code, 3, stderr);
  const one = JSON.parse(stdout);
  assertEquals([one.state, one.status, one.kind], ["failed", 3, "command"]);
  assertGreater(one.cpu_ms, 0);
  const again = await runCommand(args, { cwd: folder.path });
  assertEquals(again.code, 1);
  assertMatch(again.stderr, /give another --run-id/);
});

Deno.test("record --pid follows a process to its end as a service, which export takes on request", async () => {
  await using folder = await tempFolder();
  const script = "timeout 1.5 sh -c 'while :; do :; done'; :";
  await using process = new Deno.Command("sh", {
    args: ["-c", script, "sh", "--password", "hunter2"],
    stdout: "null",
  }).spawn();
  const args = ["record", "--pid", String(process.pid), "--run-id", "r1", "--json"];
  const { code, stdout, stderr } = await runCommand(args, { cwd: folder.path });
  assertEquals(code, 0, stderr);
  const one = JSON.parse(stdout);
  assertEquals([one.kind, one.state, one.pid, one.profile], ["service", "done", process.pid, "sh"]);
  assertEquals(one.cpu_source, "readings");
  assertGreater(one.cpu_ms, 0);
  const run = join(folder.path, "logs", "r1");
  const events = await Deno.readTextFile(join(run, "events.service.jsonl"));
  const [launch, exit] = events.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(launch.argv.slice(-2), ["--password", "***"]);
  assertEquals([launch.is_start_observed, exit.is_end_observed], [false, true]);
  const options = {
    input: run,
    output: join(folder.path, "export"),
    version: "test",
    cpuFreqMhz: 1,
  };
  await assertRejects(() => exportOpendc(options), ExportError, "--services");
  const exported = await exportOpendc({ ...options, areServicesExported: true });
  assertEquals(exported.tasks, 1);
  assert(exported.fragments >= 1);
});

Deno.test("record refuses what is not there", async () => {
  await using folder = await tempFolder();
  const gone = await runCommand(["record", "--run-id", "r1", "--pid", "4194304"], {
    cwd: folder.path,
  });
  assertEquals(gone.code, 1);
  assertMatch(gone.stderr, /the collector did not start: .*4194304/);
  await assertRejects(() => Deno.stat(join(folder.path, "logs", "r1")), Deno.errors.NotFound);
  const unknown = await runCommand(["record", "--run-id", "r1", "--", "no-such-program"], {
    cwd: folder.path,
  });
  assertEquals(unknown.code, 127);
  assertMatch(unknown.stderr, /no-such-program/);
  await assertRejects(() => Deno.stat(join(folder.path, "logs", "r1")), Deno.errors.NotFound);
  const cgroup = await runCommand(["record", "--cgroup", "nowhere"], { cwd: folder.path });
  assertMatch(cgroup.stderr, /nowhere/);
});
