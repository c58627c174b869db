/**
 * `deno task test`: type-check everything, run the tests that stay inside a sandbox under the
 * permission set `test` of deno.json, and the others (real /proc, FFI, child processes) with every
 * permission, those that mostly wait beside the rest. The last line has the counts of all of them.
 */

import { fromFileUrl } from "@std/path";
import type { Parsed } from "./command/parse.ts";
import { type Io, runMain } from "./command/main.ts";
import { TEST } from "./flags/test.ts";

/** Tests that need this repository, a folder for temporary files, loopback and a few programs. */
const SANDBOXED: readonly string[] = [
  "tests/architecture_test.ts",
  "tests/documents_test.ts",
  "tests/lint/",
  "tests/scheduler/",
];

/** Tests that measure what share of the machine they get: nothing of ours runs beside them. */
const ALONE: readonly string[] = ["tests/adapter/place/cpu_effect_test.ts"];

/** Tests that mostly wait, for leases to end and for machines to come up. */
const PATIENT: readonly string[] = ["tests/crash/", "tests/e2e/cluster_test.ts"];

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

/** Stages of the whole test, or of `paths` alone: for each, what runs side by side, as arguments of `deno`. */
function stages(paths: readonly string[]): string[][][] {
  const test = ["test", "--no-check", "--trace-leaks"];
  if (paths.length > 0) return [[[...test, "-A", ...paths]]];
  // deno by its path: on a machine that has it from npx it is not on PATH.
  const programs = [Deno.execPath(), "ffmpeg", "redis-cli", "redis-server", "setpriv"];
  const elsewhere = [...SANDBOXED, ...ALONE, ...PATIENT];
  return [
    [[...test, "-q", "-P=test", `--allow-run=${programs.join(",")}`, ...SANDBOXED]],
    [[...test, "-A", ...ALONE]],
    [
      [...test, "-A", `--ignore=${elsewhere.join(",")}`, "tests/"],
      [...test, "-A", ...PATIENT],
    ],
  ];
}

/** What a run of `deno` left behind. */
interface Ended {
  readonly success: boolean;
  readonly output: string;
}

/** Run `deno` with `args`; what it prints is passed on meanwhile, unless it `isKept`. */
async function deno(
  args: readonly string[],
  { isKept = false }: { readonly isKept?: boolean } = {},
): Promise<Ended> {
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
    isKept ? shown.cancel() : shown.pipeTo(Deno.stdout.writable, { preventClose: true }),
  ]);
  const { success } = await child.status;
  return { success, output };
}

function countsOf({ success, output }: Ended): Counts {
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
  for (const runs of failed > 0 ? [] : stages(operands)) {
    if (signal.aborted) break;
    const ends = await Promise.all(runs.map((args, at) => deno(args, { isKept: at > 0 })));
    for (const { output } of ends.slice(1)) io.print(output.trimEnd());
    for (const counts of ends.map(countsOf)) {
      passed += counts.passed;
      failed += counts.failed;
    }
  }
  if (signal.aborted) failed++;
  io.print(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

if (import.meta.main) await runMain(TEST, main);
