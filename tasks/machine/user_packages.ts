/**
 * Programs of the distribution for a user who may not install: its own packages, fetched by apt-get into
 * the user's cache, with what they depend on and is missing, and unpacked there. Nothing of the system
 * is changed. A script in `bin/` starts each program with the libraries that were unpacked beside it.
 */

import { join } from "@std/path";
import { CommandError, type Io } from "../command/main.ts";
import { type ProgramFolder, userPrograms } from "../command/user_programs.ts";

/** Programs and the packages that have them. */
export interface WantedPrograms {
  /** Names of the programs. */
  readonly programs: readonly string[];
  /** Packages of the distribution. */
  readonly packages: readonly string[];
}

/**
 * Fetch and unpack the packages, and make the scripts.
 *
 * @throws {CommandError} when apt-get or dpkg-deb fails, or a program is in none of the packages.
 */
export async function unpackForUser(
  { programs, packages }: WantedPrograms,
  io: Io,
): Promise<void> {
  const folder = userPrograms();
  if (folder === null) throw new CommandError("HOME or XDG_CACHE_HOME is required");
  const apt = new UserApt(folder);
  io.say(
    `Fetching ${
      packages.join(", ")
    } of this distribution into ${folder.path}: this user may not install`,
  );
  await apt.prepare();
  // Package lists that are missing or old name packages that are gone; then they are fetched.
  if (!await apt.download(packages)) {
    await apt.update();
    if (!await apt.download(packages)) throw apt.failure();
  }
  await apt.unpack();
  await Deno.mkdir(folder.bin, { recursive: true });
  const libraries = await libraryFolders(join(folder.root, "usr/lib"));
  for (const program of programs) await writeStarter(program, { folder, libraries });
}

/** apt-get with its lists, archives and locks in a folder of the user. */
class UserApt {
  readonly #folder: ProgramFolder;
  readonly #archives: string;
  readonly #lists: string;
  #options: string[] = [];
  #lastError = "";

  constructor(folder: ProgramFolder) {
    this.#folder = folder;
    this.#archives = join(folder.path, "archives");
    this.#lists = join(folder.path, "lists");
  }

  async prepare(): Promise<void> {
    await Deno.mkdir(join(this.#archives, "partial"), { recursive: true });
    await Deno.mkdir(join(this.#lists, "partial"), { recursive: true });
    this.#options = [
      ...["-q", "-y", "--no-install-recommends", "-o", "Debug::NoLocking=1"],
      ...["-o", `Dir::Cache::archives=${this.#archives}`],
      ...["-o", `Dir::Cache::pkgcache=`, "-o", "Dir::Cache::srcpkgcache="],
    ];
  }

  /** Fetch the package lists into the user's folder, and use them from now on. */
  async update(): Promise<void> {
    this.#options.push("-o", `Dir::State::lists=${this.#lists}`);
    if (!await this.#run("apt-get", [...this.#options, "update"])) throw this.failure();
  }

  /** Fetch `packages` and what they depend on and is not installed; false when that fails. */
  download(packages: readonly string[]): Promise<boolean> {
    return this.#run("apt-get", [...this.#options, "install", "--download-only", ...packages]);
  }

  async unpack(): Promise<void> {
    await Deno.mkdir(this.#folder.root, { recursive: true });
    for await (const { name } of Deno.readDir(this.#archives)) {
      if (!name.endsWith(".deb")) continue;
      const path = join(this.#archives, name);
      if (!await this.#run("dpkg-deb", ["-x", path, this.#folder.root])) throw this.failure();
      await Deno.remove(path);
    }
  }

  failure(): CommandError {
    return new CommandError(`cannot fetch packages for this user: ${this.#lastError}`);
  }

  async #run(program: string, args: readonly string[]): Promise<boolean> {
    const { success, stderr } = await new Deno.Command(program, {
      args: [...args],
      env: { LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" },
      stdin: "null",
      stdout: "null",
    }).output();
    if (!success) {
      this.#lastError = new TextDecoder().decode(stderr).trim().split("\n").at(-1) ?? "";
    }
    return success;
  }
}

/** Every folder below `folder` that has libraries: some packages put theirs into one of their own. */
async function libraryFolders(folder: string): Promise<string[]> {
  const found: string[] = [];
  let hasLibraries = false;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...await libraryFolders(join(folder, name)));
    else if (/\.so(\.|$)/.test(name)) hasLibraries = true;
  }
  return hasLibraries ? [folder, ...found] : found;
}

async function writeStarter(
  program: string,
  { folder, libraries }: { readonly folder: ProgramFolder; readonly libraries: readonly string[] },
): Promise<void> {
  const file = join(folder.root, "usr/bin", program);
  try {
    await Deno.stat(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new CommandError(`${program} is in none of the packages that were fetched`, {
      cause: error,
    });
  }
  const path = libraries.join(":").replaceAll("'", `'\\''`);
  const script = `#!/bin/sh
LD_LIBRARY_PATH='${path}'\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
exec '${file.replaceAll("'", `'\\''`)}' "$@"
`;
  await Deno.writeTextFile(join(folder.bin, program), script, { mode: 0o755 });
}
