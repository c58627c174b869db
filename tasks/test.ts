/**
 * `deno task test`: type-check everything, run the tests that stay inside a sandbox under the
 * permission set `test` of deno.json, and the others (real /proc, FFI, child processes) with every
 * permission. The last line has the counts of all of them.
 */

import { fromFileUrl } from "@std/path";
import type { Parsed } from "./_command.ts";
import { type Io, runMain } from "./_main.ts";
import { TEST } from "./flags/test.ts";

/** Tests that need this repository, a folder for temporary files, loopback and a few programs. */
const SANDBOXED: readonly string[] = [
  "tests/architecture_test.ts",
  "tests/documents_test.ts",
  "tests/lint/",
  "tests/scheduler/",
];

/** Tests that passed and failed. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/**
 * The counts in what `deno test` printed: of its last summary line, which also counts a file that
 * failed to load. Null when there is none, as after a type error or a crash.
 */
export function countsIn(output: string): Counts | null {
  const summary = /^(?:ok|FAILED) \| (\d+) passed(?: \(.*?\))? \| (\d+) failed/;
  const line = output.split("\n").findLast((one) => summary.test(one));
  if (line === undefined) return null;
  const [, passed, failed] = summary.exec(line) ?? [];
  return { passed: Number(passed), failed: Number(failed) };
}

/** Arguments of `deno` for each part of the whole test, or for `paths` alone. */
function testRuns(paths: readonly string[]): string[][] {
  const test = ["test", "--no-check", "--trace-leaks"];
  if (paths.length > 0) return [[...test, "-A", ...paths]];
  // deno by its path: on a machine that has it from npx it is not on PATH.
  const programs = [Deno.execPath(), "ffmpeg", "redis-cli", "redis-server", "setpriv"];
  return [
    [...test, "-q", "-P=test", `--allow-run=${programs.join(",")}`, ...SANDBOXED],
    [...test, "-A", `--ignore=${SANDBOXED.join(",")}`, "tests/"],
  ];
}

/** Run `deno` with `args`, its output passed on; returns that, and whether it succeeded. */
async function deno(args: readonly string[]): Promise<{ success: boolean; output: string }> {
  await using child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: fromFileUrl(new URL("..", import.meta.url)),
    stdin: "null",
    stdout: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const [shown, kept] = child.stdout.tee();
  const [output] = await Promise.all([
    new Response(kept).text(),
    shown.pipeTo(Deno.stdout.writable, { preventClose: true }),
  ]);
  const { success } = await child.status;
  return { success, output };
}

async function countsOf(args: readonly string[]): Promise<Counts> {
  const { success, output } = await deno(args);
  const counts = countsIn(output) ?? { passed: 0, failed: 1 };
  // A runner that fails without a failed test (a leak at its end, a signal) is a failure of its own.
  return success || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

/** Check all types and run the tests; returns 1 when anything failed. */
export async function main({ operands }: Parsed<typeof TEST.flags>, io: Io): Promise<number> {
  const { signal } = io;
  let passed = 0;
  let failed = 0;
  // All files at once, also those that no test imports; what does not type-check is not run.
  if (!(await deno(["check", "--quiet"])).success) failed++;
  for (const args of failed > 0 ? [] : testRuns(operands)) {
    if (signal.aborted) break;
    const counts = await countsOf(args);
    passed += counts.passed;
    failed += counts.failed;
  }
  if (signal.aborted) failed++;
  io.print(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

if (import.meta.main) await runMain(TEST, main);
