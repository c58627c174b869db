/** Archives and their sums, the same from the same files: nothing depends on when and by whom they are made. */

import { join } from "@std/path";
import { outputOf } from "./bundle.ts";

/** What goes into an archive, and how. */
export interface TarOptions {
  /** Files and folders, relative to the archive's folder. */
  readonly names: readonly string[];
  /** Permissions of each, as tar(1) takes them. */
  readonly mode: string;
}

/** A tar archive of files in `folder`. */
export async function tar(
  folder: string,
  { names, mode }: TarOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const archive = join(folder, ".archive.tar");
  await outputOf("tar", [
    "--format=ustar",
    "--sort=name",
    "--mtime=@0",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    `--mode=${mode}`,
    "-C",
    folder,
    "-cf",
    archive,
    ...names.toSorted(),
  ]);
  const bytes = await Deno.readFile(archive);
  await Deno.remove(archive);
  return bytes;
}

/** `bytes` compressed; without name and time in the header. */
export async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** SHA-256 of `parts`, one behind the other, hex. */
export async function sha256(...parts: readonly Uint8Array[]): Promise<string> {
  const whole = await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer();
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole)).toHex();
}
