/**
 * `deno task ok`: everything that must hold before a commit. One line a step; a step that fails shows
 * what it said, and the others run all the same.
 */

import { fromFileUrl, join } from "@std/path";
import type { Parsed } from "./command/parse.ts";
import { UsageError } from "./command/usage_error.ts";
import { type Io, runMain } from "./command/main.ts";
import { OK } from "./flags/ok.ts";

/** Folders whose exports are the library: each needs its documentation. */
const LIBRARY = ["trace", "collector", "adapter", "scheduler", "export"];

const ROOT = fromFileUrl(new URL("..", import.meta.url));

/** What a step found: nothing, or what is wrong. */
interface Finding {
  /** True when the step passed. */
  readonly isOk: boolean;
  /** A few words for the step's line. */
  readonly summary: string;
  /** What it said, for a step that failed. */
  readonly details: string;
}

interface Step {
  readonly name: string;
  readonly run: () => Promise<Finding>;
}

const STEPS: readonly Step[] = [
  { name: "fmt", run: () => deno("fmt", "--check") },
  { name: "lint", run: () => deno("lint", "--quiet") },
  { name: "check", run: () => deno("check", "--quiet") },
  { name: "docs", run: lintDocs },
  { name: "test", run: runTests },
];

async function output(args: readonly string[]): Promise<{ isOk: boolean; text: string }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { isOk: success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

async function deno(...args: string[]): Promise<Finding> {
  const { isOk, text } = await output(args);
  return { isOk, summary: "", details: text };
}

async function runTests(): Promise<Finding> {
  const { isOk, text } = await output(["run", "-A", "-q", "tasks/test.ts"]);
  const summary = text.split("\n").findLast((line) => /^\d+ passed, \d+ failed$/.test(line));
  // What follows the first "ERRORS" heading is the reason; the list of passed tests is not wanted.
  const errors = text.search(/^ ERRORS $/m);
  return {
    isOk: isOk && summary !== undefined,
    summary: summary ?? "no summary",
    details: errors < 0 ? text : text.slice(errors),
  };
}

async function lintDocs(): Promise<Finding> {
  const files = await Promise.all(LIBRARY.map(sourcesBelow));
  const { text } = await output(["doc", "--lint", "mod.ts", ...files.flat()]);
  const problems = docProblems(text);
  return { isOk: problems.length === 0, summary: "", details: problems.join("\n") };
}

/** The standard library's declarations: its own documents describe it. */
const STANDARD_LIBRARY = "trace/std";

/** Every TypeScript file of ours below `folder`, both relative to the repository. */
async function sourcesBelow(folder: string): Promise<string[]> {
  if (folder === STANDARD_LIBRARY) return [];
  const sources: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, folder))) {
    if (isDirectory) sources.push(...await sourcesBelow(`${folder}/${name}`));
    else if (name.endsWith(".ts")) sources.push(`${folder}/${name}`);
  }
  return sources;
}

/**
 * Findings of `deno doc --lint` that are meant: the table of a record has no written type, because its
 * type is made from the table; and what a constructor, a disposer and the name of an error class are
 * for, every reader knows.
 */
const MEANT = [
  /^error\[missing-explicit-type\](?=[^]* = record\()/,
  /^error\[missing-jsdoc\](?=[^]*\| +(constructor\(|(async )?\[Symbol\.(d|asyncD)ispose\]|override readonly name = ))/,
  /^error: Found \d+ documentation lint error/,
];

/** What `deno doc --lint` printed as `text` complains of, but for what is meant. */
export function docProblems(text: string): string[] {
  return text.split(/\n(?=error)/)
    .filter((one) => one.startsWith("error") && !MEANT.some((meant) => meant.test(one)))
    .map((one) => one.trimEnd());
}

/** Run every step, or those that are named; returns 1 when one failed. */
export async function main({ operands }: Parsed<typeof OK.flags>, io: Io): Promise<number> {
  const unknown = operands.find((name) => !STEPS.some((step) => step.name === name));
  if (unknown !== undefined) {
    throw new UsageError(`no step ${unknown}: ${STEPS.map(({ name }) => name).join(", ")}`);
  }
  let failed = 0;
  for (const { name, run } of STEPS) {
    if (operands.length > 0 && !operands.includes(name)) continue;
    const started = performance.now();
    const { isOk, summary, details } = await run();
    if (io.signal.aborted) return 130;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const line = `${isOk ? "ok    " : "FAILED"} ${name.padEnd(6)} ${
      seconds.padStart(6)
    } s  ${summary}`;
    io.print(line.trimEnd());
    if (!isOk) {
      failed++;
      io.print(details.trimEnd().replace(/^/gm, "  "));
    }
  }
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) await runMain(OK, main);
