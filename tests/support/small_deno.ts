/** A file that `deno task compile --deno` takes for a Deno of a processor: to be packed, not to be run. */

/** e_machine of elf(5). */
const ELF_MACHINE = { x86_64: 62, aarch64: 183 };

/** Write the beginning of a program for `processor`, by default this machine's; packing it costs nothing. */
export async function writeSmallDeno(
  path: string,
  processor: keyof typeof ELF_MACHINE = Deno.build.arch,
): Promise<void> {
  const header = new Uint8Array(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header[16] = 2;
  header[18] = ELF_MACHINE[processor];
  await Deno.writeFile(path, header);
}
