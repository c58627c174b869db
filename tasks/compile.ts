/** Make the executables of the roles. */

import { join, relative, resolve } from "@std/path";
import { besideName } from "../trace/atomic_file.ts";
import { type Parsed, UsageError } from "./_command.ts";
import { type Executable, EXECUTABLES } from "./_executables.ts";
import { CommandError, type Io, runMain, VERSION } from "./_main.ts";
import { portableFile } from "./_portable.ts";
import { programFile } from "./_program.ts";
import { openProgress } from "./_progress.ts";
import { COMPILE } from "./flags/compile.ts";

/** `deno task compile`. */
export async function main(
  { options, operands }: Parsed<typeof COMPILE.flags>,
  io: Io,
): Promise<number> {
  const executables = chosen(operands);
  const out = resolve(options.out);
  await Deno.mkdir(out, { recursive: true });
  const commit = await commitName();
  const work = await Deno.makeTempDir({ prefix: "tracekit-compile-" });
  using progress = openProgress(io, "Compile");
  try {
    progress.update(0, "deno");
    const deno = await gzip(await Deno.readFile(Deno.execPath()));
    const sums: string[] = [];
    for (const [index, executable] of executables.entries()) {
      io.signal.throwIfAborted();
      const name = `tracekit-${executable.role}`;
      progress.update((index + 1) / (executables.length + 1), name);
      const bundles = await gzip(await bundleAll(executable, join(work, executable.role)));
      const hash = await sha256(deno, bundles);
      const build = `commit ${commit}, portable`;
      const file = portableFile({ executable, version: VERSION, build, hash, deno, bundles });
      const path = join(out, name);
      await Deno.writeFile(besideName(path), file, { mode: 0o755 });
      await Deno.rename(besideName(path), path);
      sums.push(`${await sha256(file)}  ${name}`);
    }
    await Deno.writeTextFile(join(out, "SHA256SUMS"), `${sums.join("\n")}\n`);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  io.say(`Wrote ${executables.length} executables (portable form) and SHA256SUMS to ${out}`);
  return 0;
}

function chosen(roles: readonly string[]): readonly Executable[] {
  if (roles.length === 0) return EXECUTABLES;
  return roles.map((role) => {
    const found = EXECUTABLES.find((one) => one.role === role);
    if (found !== undefined) return found;
    const known = EXECUTABLES.map((one) => one.role).join(", ");
    throw new UsageError(`unknown role "${role}", known are ${known}`);
  });
}

/** The commit that is built; a tree with changes of its own says so. */
async function commitName(): Promise<string> {
  const head = await run("git", ["rev-parse", "--short=12", "HEAD"]);
  const changes = await run("git", ["status", "--porcelain", "--untracked-files=no"]);
  return `${head.trim()}${changes === "" ? "" : " with changes"}`;
}

/** A tar archive of the bundles of `executable`. */
async function bundleAll(executable: Executable, folder: string): Promise<Uint8Array<ArrayBuffer>> {
  await Deno.mkdir(folder);
  const entries = executable.commands.map(({ entry }) => entry);
  if (executable.commands.some(({ isPrivileged }) => !isPrivileged)) entries.push("run");
  for (const entry of entries) {
    const path = join(folder, `${entry}.js`);
    await run(Deno.execPath(), ["bundle", "-q", "-o", path, programFile(entry)]);
    await Deno.writeTextFile(path, await withoutPaths(await Deno.readTextFile(path)));
  }
  const archive = join(folder, "bundles.tar");
  const names = entries.map((entry) => `${entry}.js`).sort();
  // Nothing in the archive depends on when and by whom it was made.
  await run("tar", [
    "--format=ustar",
    "--mtime=@0",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    "--mode=0600",
    "-C",
    folder,
    "-cf",
    archive,
    ...names,
  ]);
  return await Deno.readFile(archive);
}

/** `bundle` without the places of this machine that the bundler writes into it: the cache of packages. */
async function withoutPaths(bundle: string): Promise<string> {
  const info = JSON.parse(await run(Deno.execPath(), ["info", "--json"])) as { npmCache: string };
  const cache = relative(projectFolder(), info.npmCache);
  // Below the cache lies a folder named for the registry's host.
  return bundle.replaceAll(new RegExp(`${RegExp.escape(cache)}/[^/"]+/`, "g"), "npm/");
}

function projectFolder(): string {
  return resolve(programFile("compile"), "..", "..");
}

/** Output of a program that works in the project's folder. */
async function run(program: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd: projectFolder(),
    stdin: "null",
  }).output();
  if (success) return new TextDecoder().decode(stdout);
  const reason = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  throw new CommandError(`${program} ${args[0]} failed: ${reason}`);
}

/** `bytes` compressed; without name and time in the header, so that it is the same each time. */
async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** SHA-256 of `parts`, one behind the other, hex. */
async function sha256(...parts: readonly Uint8Array[]): Promise<string> {
  const whole = await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer();
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole)).toHex();
}

if (import.meta.main) await runMain(COMPILE, main);
