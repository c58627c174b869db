/** A release: its text, and its npm package as a user installs it. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { sectionOf, withRelease } from "../../tasks/release/changelog.ts";
import { runCommand } from "../support/command_process.ts";
import { tempFolder } from "../support/temp_folder.ts";

const CHANGELOG = `# Changelog

## [Unreleased]

### Added

- b

## [0.1.0] - 2026-01-02

### Added

- a
`;

Deno.test("sectionOf() takes one section, and refuses a missing or an empty one", () => {
  assertEquals(sectionOf(CHANGELOG, "Unreleased"), "### Added\n\n- b");
  assertEquals(sectionOf(CHANGELOG, "0.1.0"), "### Added\n\n- a");
  assertThrows(() => sectionOf(CHANGELOG, "0.2.0"), RangeError, "no section 0.2.0");
  const empty = "## [Unreleased]\n\n## [0.1.0] - 2026-01-02\n\n- a\n";
  assertThrows(() => sectionOf(empty, "Unreleased"), RangeError, "is empty");
});

Deno.test("withRelease() gives what is unreleased a version and a day", () => {
  const released = withRelease(CHANGELOG, { version: "0.2.0", date: "2026-03-04" });
  assertStringIncludes(released, "## [Unreleased]\n\n## [0.2.0] - 2026-03-04\n");
  assertEquals(sectionOf(released, "0.2.0"), "### Added\n\n- b");
  assertEquals(sectionOf(released, "0.1.0"), "### Added\n\n- a");
});

for (
  const [what, version, message] of [
    ["a version that is none", "v1", 'VERSION must be like 1.2.3 or 1.2.3-rc.1, got "v1"'],
    ["two versions", "1.2.3 1.2.4", "at most one VERSION is allowed"],
  ] as const
) {
  Deno.test(`release refuses ${what}`, async () => {
    const { code, stderr } = await runCommand(["release", ...version.split(" ")]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, message);
  });
}

async function outputOf(
  program: string,
  { args, cwd }: { readonly args: readonly string[]; readonly cwd: string },
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", TRACEKIT_DENO: Deno.execPath() },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("the npm package has a program that starts every command, from any folder", async () => {
  await using folder = await tempFolder();
  const { code, stderr } = await runCommand(["release", "--only=npm", `--out=${folder.path}`]);
  assertEquals(code, 0, stderr);
  const [archive = ""] = (await Array.fromAsync(Deno.readDir(folder.path))).map(({ name }) => name);
  assertMatch(archive, /^tracekit-tracekit-\d+\.\d+\.\d+.*\.tgz$/);
  // As npm installs it, less its one dependency: TRACEKIT_DENO names the Deno, and nothing is fetched.
  const prefix = join(folder.path, "prefix");
  const unpacked = join(prefix, "lib/node_modules/@tracekit/tracekit");
  await Deno.mkdir(unpacked, { recursive: true });
  await Deno.mkdir(join(prefix, "bin"));
  await outputOf("tar", {
    args: ["-xzf", join(folder.path, archive), "-C", unpacked, "--strip-components=1"],
    cwd: folder.path,
  });
  const program = join(prefix, "bin/tracekit");
  await Deno.symlink("../lib/node_modules/@tracekit/tracekit/bin/tracekit", program);
  const run = (...args: readonly string[]) => outputOf(program, { args, cwd: folder.path });
  assertMatch((await run("--version")).stdout, /^tracekit \d.*, commit .*, npm\)\n$/);
  const list = (await run("--help")).stdout;
  assertStringIncludes(list, "Usage: tracekit COMMAND [flags]");
  assertMatch(list, /^ {2}status +Show /m);
  assertEquals(
    (await run("status", "--nope")).stderr,
    "status: unknown flag --nope (tracekit status --help)\n",
  );
  const unknown = await run("cook");
  assertEquals([unknown.code, unknown.stderr], [
    2,
    'tracekit: unknown command "cook", --help lists them\n',
  ]);
  assertStringIncludes((await run("bench")).stderr, "a checkout is required");
  const traced = await run("adapt", "--run-id=r1", "--", "sh", "-c", "exit 3");
  assertEquals(traced.code, 3, traced.stderr);
  await Deno.writeTextFile(join(folder.path, "a.mp4"), "x");
  const planned = await run("dispatch", "--inputs", ".", "--dry-run");
  assertEquals(JSON.parse(planned.stdout).input, "a.mp4", planned.stderr);
  assert((await run("demo", "--help")).stdout.startsWith("demo: "));
});
