/** Make a release: what people download, and the commit and tag that it is made of. Nothing is published. */

import { join, resolve } from "@std/path";
import config from "../deno.json" with { type: "json" };
import { writeFileAtomic } from "../trace/atomic_file.ts";
import { sha256 } from "./build/archive.ts";
import { outputOf, projectFolder } from "./build/bundle.ts";
import { commitName } from "./build/commit.ts";
import { npmPackage } from "./build/npm_package.ts";
import type { OptionsOf } from "./command/flag_table.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { programCommand } from "./command/own_program.ts";
import type { Parsed } from "./command/parse.ts";
import { asUsage, UsageError } from "./command/usage_error.ts";
import { RELEASE } from "./flags/release.ts";
import { sectionOf, withRelease } from "./release/changelog.ts";

type Options = OptionsOf<typeof RELEASE.flags>;

/** A version as semver.org has it, without build metadata. */
const VERSION = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

/** Make the artifacts of this checkout; of a new version with one operand. */
export async function main(
  { options, operands }: Parsed<typeof RELEASE.flags>,
  io: Io,
): Promise<number> {
  const [version, ...rest] = operands;
  if (rest.length > 0) throw new UsageError("at most one VERSION is allowed");
  if (version === undefined) await makeArtifacts(options, io);
  else await release(version, { options, io });
  return 0;
}

/** Commit and tag `version` in a checkout of its own, and make its artifacts there. */
async function release(
  version: string,
  { options, io }: { readonly options: Options; readonly io: Io },
): Promise<void> {
  if (!VERSION.test(version)) {
    throw new UsageError(`VERSION must be like 1.2.3 or 1.2.3-rc.1, got "${version}"`);
  }
  const tag = `v${version}`;
  if (await git("tag", "--list", tag) !== "") throw new CommandError(`the tag ${tag} exists`);
  if (await git("status", "--porcelain", "--untracked-files=no") !== "") {
    throw new CommandError("the checkout has changes that are not committed");
  }
  const out = resolve(options.out ?? join("release", version));
  const work = await Deno.makeTempDir({ prefix: "tracekit-release-" });
  const checkout = join(work, "checkout");
  try {
    await git("worktree", "add", "--detach", checkout, "HEAD");
    const notes = await setVersion(checkout, version);
    const commit = ["commit", "--all", "--quiet", "-m", `release: ${version}`];
    await git("-C", checkout, ...commit);
    const made = await git("-C", checkout, "rev-parse", "HEAD");
    await makeArtifactsIn(checkout, { out, form: options.form, only: options.only });
    await git("merge", "--ff-only", "--quiet", made);
    await git("tag", "--annotate", "--cleanup=verbatim", "-m", `${tag}\n\n${notes}`, tag, made);
  } finally {
    await git("worktree", "remove", "--force", checkout);
    await Deno.remove(work, { recursive: true });
  }
  io.say(`${tag} is committed, tagged and made in ${out}; nothing is pushed or published`);
}

/** Set the version in the files of `checkout` that have it; the notes of the release. */
async function setVersion(checkout: string, version: string): Promise<string> {
  const date = new Date().toISOString().slice(0, 10);
  await edit(
    join(checkout, "deno.json"),
    (text) => text.replace(/^ {2}"version": "[^"]*"/m, `  "version": "${version}"`),
  );
  await edit(
    join(checkout, "CITATION.cff"),
    (text) => text.replace(/^version: .*$/m, `version: ${version}`),
  );
  await edit(
    join(checkout, "CHANGELOG.md"),
    (text) => asUsage(() => withRelease(text, { version, date })),
  );
  return sectionOf(await Deno.readTextFile(join(checkout, "CHANGELOG.md")), version);
}

async function edit(path: string, change: (text: string) => string): Promise<void> {
  const text = await Deno.readTextFile(path);
  const changed = change(text);
  if (changed === text) throw new CommandError(`Cannot set the version in "${path}": no such line`);
  await writeFileAtomic(path, changed);
}

/** What of `folder` is made by a program of its own: it has the version and the sources of that commit. */
async function makeArtifactsIn(
  folder: string,
  { out, form, only }: Pick<Options, "form" | "only"> & { readonly out: string },
): Promise<void> {
  const args = [`--out=${out}`, `--form=${form}`, ...only === null ? [] : [`--only=${only}`]];
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "-q", join(folder, "tasks/release.ts"), ...args],
    cwd: folder,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (!success) throw new CommandError("the artifacts could not be made; nothing was tagged");
}

/** Make the artifacts of the checkout that this program is part of. */
async function makeArtifacts(options: Options, io: Io): Promise<void> {
  const { version } = config;
  const out = resolve(options.out ?? join("release", version));
  await Deno.mkdir(out, { recursive: true });
  const work = await Deno.makeTempDir({ prefix: "tracekit-release-" });
  try {
    const build = `commit ${await commitName(io)}, npm`;
    const npm = await npmPackage({ build, folder: work });
    const npmName = `tracekit-tracekit-${version}.tgz`;
    await Deno.writeFile(join(out, npmName), npm);
    if (options.only === "npm") return;
    await compileInto(out, options);
    const sourceName = `tracekit-${version}-source.tar.gz`;
    const prefix = `--prefix=tracekit-${version}/`;
    await git("archive", "--format=tar.gz", prefix, "-o", join(out, sourceName), "HEAD");
    await Deno.writeTextFile(join(out, "NOTES.md"), await notesOf(version));
    await addSums(out, [npmName, sourceName, "NOTES.md"]);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  io.say(`Wrote the artifacts of ${version} to ${out}`);
}

async function compileInto(out: string, { form }: Options): Promise<void> {
  const [program = "", ...args] = programCommand("compile", ["-A"]);
  const { success } = await new Deno.Command(program, {
    args: [...args, `--out=${out}`, `--form=${form}`],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (!success) throw new CommandError("the executables could not be made");
}

/** The notes of `version`; before its release, what is unreleased. */
async function notesOf(version: string): Promise<string> {
  const changelog = await Deno.readTextFile(join(projectFolder(), "CHANGELOG.md"));
  const isReleased = changelog.includes(`## [${version}] - `);
  return `# Tracekit ${version}\n\n${sectionOf(changelog, isReleased ? version : "Unreleased")}\n`;
}

async function addSums(out: string, names: readonly string[]): Promise<void> {
  const path = join(out, "SHA256SUMS");
  const lines = (await Deno.readTextFile(path)).trimEnd().split("\n")
    .filter((line) => !names.some((name) => line.endsWith(`  ${name}`)));
  for (const name of names) {
    lines.push(`${await sha256(await Deno.readFile(join(out, name)))}  ${name}`);
  }
  await writeFileAtomic(path, `${lines.join("\n")}\n`);
}

async function git(...args: readonly string[]): Promise<string> {
  return (await outputOf("git", args)).trim();
}

if (import.meta.main) await runMain(RELEASE, main);
