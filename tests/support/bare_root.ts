/**
 * A root file system with a shell, the tools of a minimal Debian and the C library, and nothing else:
 * neither Deno nor Node nor this repository. Commands run in it by chroot, in a mount namespace of
 * their own.
 */

import { dirname, join } from "@std/path";

/** What a minimal Debian always has and a self-extracting file needs. */
const PROGRAMS = [
  "sh",
  "chmod",
  "gzip",
  "head",
  "id",
  "mkdir",
  "mv",
  "rm",
  "tail",
  "tar",
  "uname",
] as const;

/** Libraries that the Deno binary is linked with. */
const LIBRARIES_OF = Deno.execPath();

/** Make a bare root in `folder`. */
export async function makeBareRoot(folder: string): Promise<void> {
  for (const name of ["proc", "dev/shm", "tmp", "var/tmp", "root", "opt"]) {
    await Deno.mkdir(join(folder, name), { recursive: true });
  }
  await Deno.mkdir(join(folder, "bin"));
  await Deno.writeTextFile(join(folder, "dev/null"), "");
  const libraries = new Set(await librariesOf(LIBRARIES_OF));
  for (const program of PROGRAMS) {
    const path = await realPathOf(program);
    await Deno.copyFile(path, join(folder, "bin", program));
    for (const library of await librariesOf(path)) libraries.add(library);
  }
  for (const library of libraries) {
    await Deno.mkdir(join(folder, dirname(library)), { recursive: true });
    await Deno.copyFile(library, join(folder, library));
  }
}

async function realPathOf(program: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", `command -v ${program}`] })
    .output();
  return await Deno.realPath(new TextDecoder().decode(stdout).trim());
}

async function librariesOf(path: string): Promise<string[]> {
  const { stdout } = await new Deno.Command("ldd", { args: [path] }).output();
  return new TextDecoder().decode(stdout).match(/\/\S+\.so\S*/g) ?? [];
}

/** What a command in a bare root left behind. */
export interface BareResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Run the shell line `command` in `folder` as root directory, with an empty environment. `mounts` is
 * shell code that prepares the mount namespace; `$root` names the folder there.
 */
export async function runInBareRoot(
  folder: string,
  { command, mounts = "" }: { readonly command: string; readonly mounts?: string },
): Promise<BareResult> {
  const script = `set -e; root=$1; ${mounts}
mount -t proc proc "$root/proc"; mount --bind /dev/null "$root/dev/null"
exec env -i "$(PATH=$PATH:/usr/sbin:/sbin command -v chroot)" "$root" /bin/sh -c "$2"`;
  const { code, stdout, stderr } = await new Deno.Command("unshare", {
    args: ["--mount", "--fork", "--pid", "sh", "-c", script, "sh", folder, command],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
