/** The Deno that goes into a portable executable. */

import { join } from "@std/path";
import { outputOf } from "./bundle.ts";
import { UsageError } from "../command/usage_error.ts";
import { CommandError } from "../command/main.ts";

/** Processors that executables can be for. */
export const PROCESSORS = ["x86_64", "aarch64"] as const;

/** One of {@linkcode PROCESSORS}. */
export type Processor = typeof PROCESSORS[number];

/** npm's package of each Deno binary. */
const PACKAGES: Readonly<Record<Processor, string>> = {
  x86_64: "@deno/linux-x64-glibc",
  aarch64: "@deno/linux-arm64-glibc",
};

/** e_machine in the header of an ELF file, elf(5), and where it is. */
const ELF_MACHINES: Readonly<Record<Processor, number>> = { x86_64: 62, aarch64: 183 };
const ELF_MACHINE_OFFSET = 18;
const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];

/**
 * The Deno binary for `processor`: the file `given`, else this Deno where it is for that processor, else
 * npm's of the same version.
 *
 * @throws {UsageError} when `given` is no program for that processor.
 * @throws {CommandError} when none is available.
 */
export async function denoBinary(
  processor: Processor,
  given: string | null,
): Promise<Uint8Array<ArrayBuffer>> {
  const isOurs = processor === Deno.build.arch;
  const path = given ?? (isOurs ? Deno.execPath() : await fetchFromNpm(processor));
  let binary: Uint8Array<ArrayBuffer>;
  try {
    binary = await Deno.readFile(path);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new CommandError(`Cannot read the Deno for ${processor}: ${error.message}`, {
      cause: error,
    });
  }
  if (isProgramFor(processor, binary)) return binary;
  throw new UsageError(`--deno must name a Deno for Linux on ${processor}, got ${path}`);
}

function isProgramFor(processor: Processor, binary: Uint8Array): boolean {
  return ELF_MAGIC.every((byte, index) => binary[index] === byte) &&
    binary[ELF_MACHINE_OFFSET] === ELF_MACHINES[processor];
}

/** Path of npm's Deno for `processor`, fetched as every package of ours is: into Deno's own cache. */
async function fetchFromNpm(processor: Processor): Promise<string> {
  const { deno: version } = Deno.version;
  const name = `${PACKAGES[processor]}@${version}`;
  try {
    // A package that is as new as this Deno is no surprise: no minimum age.
    const flags = ["--no-config", "--no-lock", "--minimum-dependency-age=0"];
    await outputOf(Deno.execPath(), ["cache", "-q", ...flags, `npm:${name}`]);
    const info = await outputOf(Deno.execPath(), ["info", "--json", ...flags, `npm:${name}`]);
    const { npmPackages } = JSON.parse(info) as {
      readonly npmPackages: Readonly<Record<string, { readonly localPath: string }>>;
    };
    return join(npmPackages[name]?.localPath ?? "", "deno");
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new CommandError(
      `npm has no ${name} here: --deno may name the file deno of Deno ${version} for ${processor}`,
      { cause: error },
    );
  }
}
