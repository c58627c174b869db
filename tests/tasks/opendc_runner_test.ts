import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { CommandError } from "../../tasks/command/main.ts";
import { findRunner, type Form, runnerCommand } from "../../tasks/opendc/runner.ts";
import { tempFolder } from "../support/temp_folder.ts";

const EXPERIMENT = {
  name: "policy",
  file: "experiment_policy.json",
  sdk_file: "sdk/policy.json",
  time_factor: 1,
  has_latencies: false,
  extra_tasks: 0,
  node: null,
};

async function script(path: string, text = ""): Promise<string> {
  await Deno.writeTextFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return path;
}

Deno.test("findRunner() finds the newer program of a built distribution", async () => {
  await using root = await tempFolder();
  const bin = join(root.path, "bin");
  await Deno.mkdir(bin);
  await assertRejects(() => findRunner(root.path), CommandError, "a folder with bin/opendc or");
  const older = await script(join(bin, "OpenDCExperimentRunner"));
  assertEquals(await findRunner(root.path), { path: older, program: "OpenDCExperimentRunner" });
  const newer = await script(join(bin, "opendc"));
  assertEquals(await findRunner(root.path), { path: newer, program: "opendc" });
});

const USAGES = [
  ["--experiment-path PATH  path to experiment file", "OpenDCExperimentRunner"],
  ["Usage: opendc [<options>] <command> [<args>]...", "opendc"],
] as const;

for (const [usage, program] of USAGES) {
  Deno.test(`findRunner() asks a program of another name, and finds ${program}`, async () => {
    await using root = await tempFolder();
    const path = await script(join(root.path, "wrapper"), `echo "${usage}" >&2`);
    assertEquals(await findRunner(path), { path, program });
  });
}

Deno.test("findRunner() refuses a program that is neither", async () => {
  await using root = await tempFolder();
  const path = await script(join(root.path, "other"), "echo hello");
  await assertRejects(() => findRunner(path), CommandError, "its --help names neither");
});

const COMMANDS: readonly [program: "OpenDCExperimentRunner" | "opendc", Form | null, string][] = [
  ["OpenDCExperimentRunner", null, "--experiment-path experiment_policy.json"],
  ["OpenDCExperimentRunner", "legacy", "--experiment-path experiment_policy.json"],
  ["opendc", null, "run sdk/policy.json -o output --no-progress --no-summary"],
  ["opendc", "sdk", "run sdk/policy.json -o output --no-progress --no-summary"],
  [
    "opendc",
    "legacy",
    "--legacy run experiment_policy.json -o output --no-progress --no-summary",
  ],
];

for (const [program, form, expected] of COMMANDS) {
  Deno.test(`runnerCommand() calls ${program} with the form ${form}`, () => {
    const command = runnerCommand({ path: "/p", program }, { experiment: EXPERIMENT, form });
    assertEquals(command.join(" "), `/p ${expected}`);
  });
}

Deno.test("runnerCommand() refuses a form that the program does not read or the export lacks", () => {
  assertThrows(
    () =>
      runnerCommand({ path: "/p", program: "OpenDCExperimentRunner" }, {
        experiment: EXPERIMENT,
        form: "sdk",
      }),
    CommandError,
    "the program opendc is required",
  );
  assertThrows(
    () =>
      runnerCommand({ path: "/p", program: "opendc" }, {
        experiment: { ...EXPERIMENT, sdk_file: null },
        form: null,
      }),
    CommandError,
    "use --form legacy",
  );
});
