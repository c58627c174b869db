import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { exportOpendc } from "../../export/opendc/export.ts";
import { runCommand, startCommand } from "../support/command_process.ts";
import { writeTwoNodeRun } from "../support/cts_run.ts";
import { processesNaming } from "../support/processes.ts";
import { tempFolder } from "../support/temp_folder.ts";

const STAND_IN = fromFileUrl(new URL("../support/opendc_stand_in.ts", import.meta.url));
const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));

/** An export, and a runner that is this shell script. */
async function prepare(root: string, script: string): Promise<{ folder: string; runner: string }> {
  const input = join(root, "run");
  const folder = join(root, "export");
  await writeTwoNodeRun(input);
  await exportOpendc({ input, output: folder, version: "test" });
  const runner = join(root, "OpenDCExperimentRunner");
  await Deno.writeTextFile(runner, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { folder, runner };
}

const GOOD_RUNNER = `exec "${Deno.execPath()}" run -A -q --config "${CONFIG}" "${STAND_IN}" "$@"`;

Deno.test("simulate runs every replay, compares it and passes", async () => {
  await using root = await tempFolder();
  const { folder, runner } = await prepare(root.path, GOOD_RUNNER);
  const args = ["run", "simulate", "--input", folder, "--experiment", "replay", "--json"];
  await using command = startCommand(args, {
    env: { OPENDC_RUNNER: runner },
  });
  const { code, stdout, stderr } = await command.ended;
  const reports = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(reports.map(({ experiment }) => experiment), ["replay-cloud1", "replay-cloud2"]);
  for (const { checks } of reports) {
    assertEquals(
      checks.filter(({ status }: { status: string }) => status === "fail"),
      [],
      JSON.stringify(checks),
    );
  }
  assertEquals(code, 0, stderr);
  const report = await Deno.readTextFile(
    join(folder, "output", "replay-cloud2", "compare_report.md"),
  );
  assert(report.startsWith("# Simulated against measured: PASS"));

  const folders = ["--measured", join(root.path, "run"), "--simulated", join(folder, "output")];
  const which = await runCommand(["run", "compare-opendc", ...folders]);
  assertEquals(which.code, 1);
  assert(which.stderr.includes("one simulation is required, got 2"), which.stderr);
  const replay = join(folder, "output", "replay-cloud1");
  const compared = await runCommand([
    "run",
    "compare-opendc",
    "--measured",
    join(root.path, "run"),
    "--simulated",
    replay,
    "--output",
    join(root.path, "report"),
  ]);
  assertEquals(compared.code, 0, compared.stderr);
  assert(compared.stdout.startsWith("# Simulated against measured: PASS"));
  const json = JSON.parse(await Deno.readTextFile(join(root.path, "report", "compare.json")));
  assertEquals([json.ok, json.experiment], [true, "replay-cloud1"]);
});

Deno.test("simulate ends a simulator that is stuck, with all that it started, and says so", async () => {
  await using root = await tempFolder();
  const mark = join(root.path, "stuck");
  const { folder, runner } = await prepare(
    root.path,
    `sh -c 'trap "" TERM; while :; do sleep 1; done' "${mark}" & wait`,
  );
  await using command = startCommand(
    ["run", "simulate", "--input", folder, "--timeout-s", "1"],
    { env: { OPENDC_RUNNER: runner } },
  );
  const { code, stderr } = await command.ended;
  assertEquals(code, 1);
  assert(stderr.includes("did not finish policy within 1 s and was ended"), stderr);
  assertEquals(await processesNaming(mark), []);
});

Deno.test("simulate tells the last lines of a simulator that fails", async () => {
  await using root = await tempFolder();
  const { folder, runner } = await prepare(root.path, "echo no such topology >&2; exit 3");
  await using command = startCommand(["run", "simulate", "--input", folder], {
    env: { OPENDC_RUNNER: runner },
  });
  const { code, stderr } = await command.ended;
  assertEquals(code, 1);
  assert(stderr.includes("OpenDC failed with exit code 3: no such topology"), stderr);
  // A folder, and nothing at all, cannot be run.
  for (const wrong of [folder, join(root.path, "nothing")]) {
    await using other = startCommand(["run", "simulate", "--input", folder, "--runner", wrong]);
    const ended = await other.ended;
    assertEquals(ended.code, 1);
    assert(ended.stderr.includes(`Cannot run OPENDC_RUNNER "${wrong}"`), ended.stderr);
  }
});

Deno.test("simulate says what to install, and what it takes", async () => {
  await using root = await tempFolder();
  const { folder, runner } = await prepare(root.path, "exit 0");
  const say = async (args: readonly string[], env: Record<string, string>) => {
    await using command = startCommand(["run", "simulate", ...args], { env });
    const { code, stderr } = await command.ended;
    return [code, stderr] as const;
  };
  const [unset, install] = await say(["--input", folder], {});
  assertEquals(unset, 1);
  assert(install.includes("OPENDC_RUNNER is required"), install);
  const [wrong, names] = await say(["--input", folder, "--experiment", "other"], {
    OPENDC_RUNNER: runner,
  });
  assertEquals(wrong, 2);
  assert(names.includes("policy, replay or one of policy, replay-cloud1"), names);
  const [empty, left] = await say(["--input", folder], { OPENDC_RUNNER: runner });
  assertEquals(empty, 1);
  assert(left.includes("the simulation left none"), left);
});
