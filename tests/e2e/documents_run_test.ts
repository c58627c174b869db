/** Shell blocks of the documents and the examples, run as a reader would run them. */

import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { INVOCATION, type Invocation, PROC_METRIC } from "../../trace/cts.ts";
import { boundCommand } from "../support/bound_command.ts";
import { hasPrograms } from "../support/has_program.ts";
import { has } from "../support/left_out.ts";
import { blocksOf } from "../support/markdown.ts";
import { ROOT } from "../support/module_graph.ts";
import { recordsIn } from "../support/records.ts";
import { tempFolder } from "../support/temp_folder.ts";

/** `deno task …` of the documents, which a reader calls in the clone, from any folder. */
const PRELUDE = `set -euo pipefail
deno() { command "$DENO" "$1" --quiet --config "$ROOT/deno.json" "\${@:2}"; }
ln -sfn "$ROOT/examples" examples
export TIME_SYNC=0 NODE_ID=here
`;

/** Run `script` in `folder` with bash; what it wrote to stdout. */
async function bash(script: string, folder: string): Promise<string> {
  const { success, stdout, stderr } = await boundCommand("bash", {
    args: ["-c", PRELUDE + script],
    cwd: folder,
    env: { DENO: Deno.execPath(), ROOT: ROOT.replace(/\/$/, "") },
    stdin: "null",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

async function blocks(document: string): Promise<string[]> {
  return blocksOf(await Deno.readTextFile(join(ROOT, document)), ["bash"]);
}

/** The blocks of `document` that contain `text`, joined. */
async function blocksWith(document: string, text: string): Promise<string> {
  const found = (await blocks(document)).filter((block) => block.includes(text));
  assertGreater(found.length, 0, `${document}: no block with ${text}`);
  return found.join("\n");
}

async function invocationsOf(folder: string, run: string): Promise<Invocation[]> {
  return await recordsIn(join(folder, `logs/${run}/CTS/invocations.jsonl`), INVOCATION.decode);
}

Deno.test("the README's traced command gives one invocation whose series adds up to its total", async () => {
  await using folder = await tempFolder();
  const said = await bash(await blocksWith("README.md", "deno task record"), folder.path);
  assertStringIncludes(said, '"state":"done"');
  const [one, ...more] = await invocationsOf(folder.path, "try");
  assertEquals(more, []);
  const rows = await recordsIn(
    join(folder.path, "logs/try/CTS/proc_metrics.jsonl"),
    PROC_METRIC.decode,
  );
  const sum = rows.reduce((total, { cpu_ms }) => total + cpu_ms, 0);
  assert(Math.abs(sum - (one?.cpu_ms ?? NaN)) < 0.01, `${sum} and ${one?.cpu_ms}`);
});

Deno.test("the tutorial of the first trace gives the same in steps, and cleans up", async () => {
  await using folder = await tempFolder();
  const tutorial = await blocks("docs/tutorials/first-trace.md");
  const [steps, clean] = [tutorial.slice(0, -1), tutorial.slice(-1)];
  assertStringIncludes(await bash(steps.join("\n"), folder.path), "# Audit of here: PASS");
  assertEquals((await invocationsOf(folder.path, "try")).map(({ state }) => state), ["done"]);
  await bash(clean.join("\n"), folder.path);
  assertEquals([...Deno.readDirSync(join(folder.path, "logs"))], []);
});

Deno.test("a process that runs already is followed as its page says", async () => {
  await using folder = await tempFolder();
  const script = await blocksWith("docs/how-to/existing-process.md", "--tree");
  await bash(
    `sh -c 'while :; do head -c 5M /dev/zero | sha256sum >/dev/null; done' & PID=$!
trap 'kill $PID' EXIT
${script}`,
    folder.path,
  );
  const rows = await recordsIn(
    join(folder.path, "logs/existing/CTS/proc_metrics.jsonl"),
    PROC_METRIC.decode,
  );
  assertGreater(rows.length, 0);
  assertGreater(Math.max(...rows.map(({ cpu_ms }) => cpu_ms)), 0);
});

Deno.test({
  name: "the examples' launchers leave one invocation each, with our collector and with their own",
  ignore: !has({ python3: await hasPrograms("python3") }),
  fn: async () => {
    await using folder = await tempFolder();
    await bash(await blocksWith("examples/README.md", "launch.py"), folder.path);
    const [python, shell] = (await invocationsOf(folder.path, "try"))
      .sort((a, b) => a.ts_start! - b.ts_start!);
    assertEquals([python?.status, python?.cpu_source], [0, "rusage"]);
    assertEquals([shell?.status, shell?.cpu_ms], [0, null]);
    await bash(
      `export RUN_ID=own
exec 3< <(exec python3 examples/collector/collect.py 0.02)
trap "kill $!" EXIT
read -r _ <&3
python3 examples/launcher/launch.py sh -c 'head -c 64M /dev/zero | sha256sum; exit 3' || [ $? = 3 ]
deno task parse`,
      folder.path,
    );
    const [own] = await invocationsOf(folder.path, "own");
    assertEquals([own?.state, own?.status], ["failed", 3]);
    assertGreater(own?.samples ?? 0, 0);
  },
});

Deno.test("the examples' Slurm scripts trace a job between prolog and epilog", async () => {
  await using folder = await tempFolder();
  const programs = join(folder.path, "programs");
  await Deno.mkdir(programs);
  // The executables of `compile`, as far as these scripts use them.
  for (const name of ["tracekit-collector", "tracekit-adapter"]) {
    await Deno.writeTextFile(
      join(programs, name),
      `#!/bin/bash\nexec "$DENO" task --quiet --config "$ROOT/deno.json" "$@"\n`,
      { mode: 0o755 },
    );
  }
  await bash(
    `export SLURM_JOB_ID=7 SLURM_JOB_USER=$(id -un) TRACEKIT_DIR=$PWD/programs TRACEKIT_LOGS=$PWD/logs
sh examples/slurm/prolog.sh
sh examples/slurm/job.sh
sh examples/slurm/epilog.sh
deno task parse --run-id slurm-7`,
    folder.path,
  );
  const [job] = await recordsIn(
    join(folder.path, "logs/slurm-7/here/CTS/invocations.jsonl"),
    INVOCATION.decode,
  );
  assertEquals(job?.state, "done");
  assertGreater(job?.cpu_ms ?? 0, 0);
});

Deno.test({
  name: "the examples' unit is one that systemd accepts",
  ignore: !has({ "systemd-analyze": await hasPrograms("systemd-analyze") }),
  fn: async () => {
    await using folder = await tempFolder();
    const unit = await Deno.readTextFile(join(ROOT, "examples/systemd/traced@.service"));
    const placed = unit.replace(/ExecStart=.*/, "ExecStart=/bin/true %i");
    assertStringIncludes(unit, "ExecStart=/opt/tracekit/tracekit-adapter adapt -- ");
    await Deno.writeTextFile(join(folder.path, "traced@x.service"), placed);
    await bash("systemd-analyze verify ./traced@x.service", folder.path);
  },
});
