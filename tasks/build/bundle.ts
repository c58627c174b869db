/** Bundles of this project's programs, the same from every machine. */

import { join, relative, resolve } from "@std/path";
import { CommandError } from "../command/main.ts";
import { programFile } from "../command/own_program.ts";

/** Bundle the program `entry`, named as {@linkcode programFile} has it, into the file `path`. */
export async function bundle(entry: string, path: string): Promise<void> {
  await outputOf(Deno.execPath(), ["bundle", "-q", "-o", path, programFile(entry)]);
  await Deno.writeTextFile(path, await withoutPaths(await Deno.readTextFile(path)));
}

/** Bundle each of `entries` into `folder`, under its name; much faster than one after the other. */
export async function bundleEach(entries: readonly string[], folder: string): Promise<void> {
  await outputOf(Deno.execPath(), [
    ...["bundle", "-q", "--outdir", folder],
    ...entries.map(programFile),
  ]);
  for (const entry of entries) {
    const path = join(folder, `${entry}.js`);
    await Deno.writeTextFile(path, await withoutPaths(await Deno.readTextFile(path)));
  }
}

/** Bundle the module `source`, whose imports are URLs of our files, into the file `path`. */
export async function bundleText(source: string, path: string): Promise<void> {
  const module = `${path}.entry.ts`;
  await Deno.writeTextFile(module, source);
  const config = join(projectFolder(), "deno.json");
  await outputOf(Deno.execPath(), ["bundle", "-q", "--config", config, "-o", path, module]);
  await Deno.remove(module);
  const bundle = (await Deno.readTextFile(path))
    .replaceAll(relative(projectFolder(), module), "entry.ts");
  await Deno.writeTextFile(path, await withoutPaths(bundle));
}

/** `bundle` without the places of this machine that the bundler writes into it: the cache of packages. */
async function withoutPaths(bundle: string): Promise<string> {
  const info = JSON.parse(await outputOf(Deno.execPath(), ["info", "--json"])) as {
    npmCache: string;
  };
  const cache = relative(projectFolder(), info.npmCache);
  // Below the cache is a folder named for the registry's host.
  return bundle.replaceAll(new RegExp(`${RegExp.escape(cache)}/[^/"]+/`, "g"), "npm/");
}

/** The folder of the checkout. */
export function projectFolder(): string {
  return resolve(programFile("compile"), "..", "..");
}

/**
 * Output of a program that works in the project's folder.
 *
 * @throws {CommandError} with its error, when it fails.
 */
export async function outputOf(program: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd: projectFolder(),
    stdin: "null",
  }).output();
  if (success) return new TextDecoder().decode(stdout);
  const lines = new TextDecoder().decode(stderr).trim().split("\n");
  // Deno ends with a stack of its own.
  const reason = lines.find((line) => /^(error|fatal)\b/i.test(line)) ?? lines.at(-1);
  throw new CommandError(`${program} ${args[0]} failed: ${reason}`);
}
