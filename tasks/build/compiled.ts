/** The compiled form of an executable: `deno compile` of its bundle, its permissions baked in. */

import { join } from "@std/path";
import { bundleText } from "./bundle.ts";
import { type Executable, permissionsOf } from "./contents.ts";
import { compiledEntry } from "./entries.ts";
import { CommandError } from "../command/main.ts";

/** The base runtime cannot be fetched: everything else may be in order. */
export class BaseRuntimeError extends Error {
  override readonly name = "BaseRuntimeError";
}

/** What a compiled executable is made of. */
export interface CompiledParts {
  /** The executable. */
  readonly executable: Executable;
  /** Commit and form: what `--version` says of the build. */
  readonly build: string;
  /** Processor that it is for; null: this machine's. */
  readonly target: "x86_64" | "aarch64" | null;
  /** An empty folder to work in. */
  readonly folder: string;
}

/**
 * Compile; returns the path of the file, in the working folder.
 *
 * @throws {BaseRuntimeError} when the base runtime cannot be fetched.
 * @throws {CommandError} when it does not compile, or the result is not ours.
 */
export async function compiledFile(parts: CompiledParts): Promise<string> {
  const { executable, build, target, folder } = parts;
  const entry = join(folder, "main.js");
  const variables = join(folder, "build.env");
  const path = join(folder, "executable");
  await Deno.mkdir(folder);
  await bundleText(compiledEntry(executable), entry);
  await Deno.writeTextFile(variables, `TRACEKIT_BUILD="${build}"\n`);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["compile", "-q", "--no-config", "--no-lock", "--no-remote", "--no-npm", "--no-check"],
      ...["--no-prompt", ...await permissionsOf(executable), `--env-file=${variables}`],
      ...executable.v8Flags === undefined ? [] : [executable.v8Flags],
      ...target === null ? [] : [`--target=${target}-unknown-linux-gnu`],
      ...["--output", path, entry],
    ],
    cwd: folder,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  if (!success) throw failureOf(new TextDecoder().decode(stderr));
  if (target === null || target === Deno.build.arch) await requireOurs(path, build);
  return path;
}

function failureOf(said: string): Error {
  const lines = said.split("\n");
  const fetching = lines.find((line) => /sending request|denort/.test(line));
  if (fetching !== undefined) {
    return new BaseRuntimeError(fetching.trim().replace(/^\d+: /, ""));
  }
  return new CommandError(`deno compile failed: ${lines.find((line) => line.trim() !== "")}`);
}

/** A DENORT_BIN that is another program, say deno itself, makes a file that is no executable of ours. */
async function requireOurs(path: string, build: string): Promise<void> {
  const { stdout } = await new Deno.Command(path, {
    args: ["--version"],
    clearEnv: true,
    stdin: "null",
    stderr: "null",
  }).output();
  const [said = ""] = new TextDecoder().decode(stdout).split("\n");
  if (said.includes(build)) return;
  throw new CommandError(
    `the compiled file calls itself "${said}": DENORT_BIN must name the denort of Deno ` +
      `${Deno.version.deno} for this machine (--form portable needs none)`,
  );
}
