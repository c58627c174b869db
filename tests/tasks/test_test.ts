import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { docProblems } from "../../tasks/ok.ts";
import { countsIn, reasonsIn } from "../../tasks/test.ts";
import { isThere } from "../../trace/atomic_file.ts";
import { runCommand, startCommand } from "../support/command_process.ts";
import { ROOT } from "../support/module_graph.ts";
import { processesNaming } from "../support/processes.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { waitFor } from "../support/wait_for.ts";

Deno.test.each<[line: string, passed: number, failed: number, ignored: number]>([
  ["ok | 144 passed | 0 failed (4s)", 144, 0, 0],
  ["ok | 5 passed (3 steps) | 0 failed | 1 ignored (72ms)", 5, 0, 1],
  ["FAILED | 1 passed (1 step) | 2 failed (1 step) | 1 ignored (72ms)", 1, 2, 1],
  ["ok | 0 passed | 0 failed | 3 filtered out (0ms)", 0, 0, 0],
])("countsIn() reads %s", (line, passed, failed, ignored) => {
  const output = `a ... ok (1ms)\n\n${line}\n\nerror: Test failed\n`;
  assertEquals(countsIn(output), { passed, failed, ignored });
});

Deno.test("reasonsIn() takes each reason once, from lines of its own", () => {
  const output = "left out: what needs root\na prints left out: x\nleft out: what needs root\n" +
    "left out: shares of two cores\n";
  assertEquals(reasonsIn(output), ["what needs root", "shares of two cores"]);
});

Deno.test("a suite that is killed leaves no process, nor one that a test has detached", async () => {
  await using folder = await tempFolder();
  const script = `echo > ready; while :; do sleep 600; done; : ${folder.path}`;
  await Deno.writeTextFile(
    join(folder.path, "endless_test.ts"),
    `Deno.test("endless", async () => {
      new Deno.Command("setsid", {
        args: ["--fork", "sh", "-c", ${JSON.stringify(script)}],
        cwd: ${JSON.stringify(folder.path)},
      }).outputSync();
      await new Promise((resolve) => setTimeout(resolve, 600_000));
    });`,
  );
  const suite = startCommand(["test", join(folder.path, "endless_test.ts")]);
  await waitFor({
    what: "the test at work",
    read: () => isThere(join(folder.path, "ready")),
    until: (isReady) => isReady,
  });
  assert((await processesNaming(folder.path)).length >= 3, "runner, test and what it detached");
  await suite[Symbol.asyncDispose]();
  await waitFor({
    what: "no process to be left",
    read: () => processesNaming(folder.path),
    until: ({ length }) => length === 0,
  });
});

Deno.test("countsIn() takes the last summary: a test may print one of its own", () => {
  const output = "ok | 1 passed | 0 failed (1ms)\nFAILED | 3 passed | 1 failed (2s)\n";
  assertEquals(countsIn(output), { passed: 3, failed: 1, ignored: 0 });
});

Deno.test("countsIn() finds nothing where the runner said nothing", () => {
  assertEquals(countsIn("error: Type checking failed.\n"), null);
  assertEquals(countsIn("a prints: ok | 5 passed | 0 failed\n"), null);
});

Deno.test("docProblems() skips what is meant, and nothing else", () => {
  const problem = (code: string, line: string) =>
    `error[${code}]: something\n  --> /repo/trace/x.ts:3:14\n   | \n 3 | ${line}\n   |              ^\n\n\n`;
  const type = "missing-explicit-type";
  const output = problem(type, 'export const TASK = record("task", {') +
    problem(type, "export const LIMIT = compute();") +
    problem("missing-jsdoc", 'export const TASK = record("task", {') +
    problem("missing-jsdoc", "constructor(path: string) {") +
    problem("missing-jsdoc", "async [Symbol.asyncDispose](): Promise<void> {") +
    problem("missing-jsdoc", 'override readonly name = "XError";') +
    problem("missing-jsdoc", "readonly pid: number;") +
    "error: Found 3 documentation lint errors.\n\nStack backtrace:\n   0: <unknown>\n";
  assertEquals(docProblems(output).map((one) => one.split("\n")[3]), [
    " 3 | export const LIMIT = compute();",
    ' 3 | export const TASK = record("task", {',
    " 3 | readonly pid: number;",
  ]);
});

Deno.test("bench and ok name what there is when asked for what there is not", async () => {
  const bench = await runCommand(["bench", "patience"]);
  assertEquals(bench.code, 1);
  assertMatch(bench.stderr, /^bench: there is no bench patience: choose one of .*scheduler.*\n$/);
  const ok = await runCommand(["ok", "luck"]);
  assertEquals(ok.code, 2);
  assertMatch(ok.stderr, /^ok: no step luck: fmt, lint, check, docs, test \(/);
});

interface CiCase {
  readonly name: string;
  /** What the test command prints and how it ends. */
  readonly output: string;
  readonly exit: number;
  readonly code: number;
  readonly lastLine: string;
}

const CI_CASES: readonly CiCase[] = [
  {
    name: "passes when all passed",
    output: "12 passed, 0 failed",
    exit: 0,
    code: 0,
    lastLine: "12 passed, 0 failed",
  },
  {
    name: "fails when a test failed",
    output: "11 passed, 1 failed",
    exit: 1,
    code: 1,
    lastLine: "11 passed, 1 failed",
  },
  {
    name: "fails when a test failed, whatever the exit code",
    output: "11 passed, 1 failed",
    exit: 0,
    code: 1,
    lastLine: "11 passed, 1 failed",
  },
  {
    name: "fails when nothing was tested",
    output: "0 passed, 0 failed",
    exit: 0,
    code: 1,
    lastLine: "0 passed, 0 failed",
  },
  {
    name: "fails without a summary",
    output: "all is well",
    exit: 0,
    code: 1,
    lastLine: "0 passed, 1 failed",
  },
  {
    name: "fails when the command fails after its summary",
    output: "12 passed, 0 failed",
    exit: 3,
    code: 3,
    lastLine: "12 passed, 0 failed",
  },
];

for (const { name, output, exit, code, lastLine } of CI_CASES) {
  Deno.test(`.ci/run ${name}`, async () => {
    await using folder = await tempFolder();
    // Instead of the real programs: every package is there, and npx runs no tests but says so.
    await writeProgram(join(folder.path, "dpkg"), "exit 0");
    await writeProgram(
      join(folder.path, "npx"),
      `echo "$@" >&2; echo message; echo "${output}"; exit ${exit}`,
    );
    const ended = await new Deno.Command(join(ROOT, ".ci/run"), {
      env: { PATH: `${folder.path}:/usr/bin:/bin` },
    }).output();
    const decoder = new TextDecoder();
    assertEquals(decoder.decode(ended.stdout).trimEnd().split("\n").at(-1), lastLine);
    assertEquals(ended.code, code);
    const version = (await Deno.readTextFile(join(ROOT, ".deno-version"))).trim();
    assertEquals(decoder.decode(ended.stderr), `-y deno@${version} task test\n`);
  });
}

async function writeProgram(path: string, body: string): Promise<void> {
  await Deno.writeTextFile(path, `#!/bin/sh\n${body}\n`);
  await Deno.chmod(path, 0o755);
}
