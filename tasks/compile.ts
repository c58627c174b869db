/** Make the executables of the roles. */

import { join, resolve } from "@std/path";
import { besideName, isThere } from "../trace/atomic_file.ts";
import { gzip, sha256, tar } from "./build/archive.ts";
import { bundle, bundleText } from "./build/bundle.ts";
import { commitName } from "./build/commit.ts";
import type { OptionsOf } from "./command/flag_table.ts";
import type { Parsed } from "./command/parse.ts";
import { UsageError } from "./command/usage_error.ts";
import { BaseRuntimeError, compiledFile } from "./build/compiled.ts";
import { type Executable, EXECUTABLES } from "./build/contents.ts";
import { launcherEntry } from "./build/entries.ts";
import { denoBinary } from "./build/deno_binary.ts";
import { CommandError, type Io, runMain, VERSION } from "./command/main.ts";
import { portableFile } from "./build/portable.ts";
import { openProgress } from "./command/progress.ts";
import { COMPILE } from "./flags/compile.ts";

type Options = OptionsOf<typeof COMPILE.flags>;

/** `deno task compile`. */
export async function main(
  { options, operands }: Parsed<typeof COMPILE.flags>,
  io: Io,
): Promise<number> {
  const executables = chosen(operands);
  const out = resolve(options.out);
  await Deno.mkdir(out, { recursive: true });
  const work = await Deno.makeTempDir({ prefix: "tracekit-compile-" });
  using progress = openProgress(io, "Compile");
  const builder = new Builder({ options, io, work, commit: await commitName(io) });
  try {
    const sums = await sumsOfOthers(out, executables);
    for (const [index, executable] of executables.entries()) {
      io.signal.throwIfAborted();
      const name = `tracekit-${executable.role}`;
      progress.update(index / executables.length, name);
      const file = await builder.build(executable);
      const path = join(out, name);
      await Deno.writeFile(besideName(path), file, { mode: 0o755 });
      await Deno.rename(besideName(path), path);
      sums.push(`${await sha256(file)}  ${name}`);
    }
    await Deno.writeTextFile(join(out, SUMS), `${sums.join("\n")}\n`);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  io.say(
    `Wrote ${executables.length} executables (${builder.form} form) and SHA256SUMS to ${out}`,
  );
  return 0;
}

/** What sha256sum(1) checks the executables with. */
const SUMS = "SHA256SUMS";

/** The lines of the executables that are in `out` and are not among those to be made. */
async function sumsOfOthers(out: string, executables: readonly Executable[]): Promise<string[]> {
  const path = join(out, SUMS);
  if (!await isThere(path)) return [];
  const made = executables.map(({ role }) => `tracekit-${role}`);
  const lines: string[] = [];
  for (const line of (await Deno.readTextFile(path)).trimEnd().split("\n")) {
    const [, name = ""] = line.split("  ");
    if (!made.includes(name) && await isThere(join(out, name))) lines.push(line);
  }
  return lines;
}

interface BuilderOptions {
  readonly options: Options;
  readonly io: Io;
  /** A folder of its own. */
  readonly work: string;
  readonly commit: string;
}

/** Makes executables, all in one form. */
class Builder {
  /** The form: the one that was asked for, or what became of `auto`. */
  form: Options["form"];
  readonly #options: BuilderOptions;
  #deno: Uint8Array<ArrayBuffer> | null = null;

  constructor(options: BuilderOptions) {
    this.#options = options;
    this.form = options.options.form;
  }

  /** The bytes of `executable`. */
  async build(executable: Executable): Promise<Uint8Array<ArrayBuffer>> {
    if (this.form === "portable") return await this.#portable(executable);
    try {
      return await this.#compiled(executable);
    } catch (error) {
      if (!(error instanceof BaseRuntimeError)) throw error;
      this.#fallBack(error);
      return await this.#portable(executable);
    }
  }

  #fallBack(error: BaseRuntimeError): void {
    const why = `deno compile cannot have its base runtime here (${error.message})`;
    if (this.form === "compile") {
      throw new CommandError(`${why}: DENORT_BIN may name a denort file`, { cause: error });
    }
    this.form = "portable";
    this.#options.io.say(`${why}: making the portable form`);
  }

  async #compiled(executable: Executable): Promise<Uint8Array<ArrayBuffer>> {
    const { options: { target }, work, commit } = this.#options;
    const folder = join(work, `${executable.role}-compiled`);
    const build = `commit ${commit}, compiled`;
    const file = await Deno.readFile(await compiledFile({ executable, build, target, folder }));
    this.form = "compile";
    return file;
  }

  async #portable(executable: Executable): Promise<Uint8Array<ArrayBuffer>> {
    const { options, work, commit } = this.#options;
    const processor = options.target ?? Deno.build.arch;
    const deno = this.#deno ??= await gzip(await denoBinary(processor, options.deno));
    const bundles = await gzip(await bundleAll(executable, join(work, executable.role)));
    const hash = await sha256(deno, bundles);
    const build = `commit ${commit}, portable`;
    return portableFile({ executable, version: VERSION, build, hash, processor, deno, bundles });
  }
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

/** A tar archive of the bundles of `executable`. */
async function bundleAll(executable: Executable, folder: string): Promise<Uint8Array<ArrayBuffer>> {
  await Deno.mkdir(folder);
  const names = executable.commands.map(({ program }) => `${program}.js`);
  for (const { program } of executable.commands) {
    await bundle(program, join(folder, `${program}.js`));
  }
  if (executable.commands.some(({ isPrivileged }) => !isPrivileged)) {
    names.push("run.js");
    const granted = executable.commands.filter(({ isPrivileged }) => !isPrivileged);
    const launcher = launcherEntry(granted.map(({ entry }) => entry));
    await bundleText(launcher, join(folder, "run.js"));
  }
  return await tar(folder, { names, mode: "0600" });
}

if (import.meta.main) await runMain(COMPILE, main);
