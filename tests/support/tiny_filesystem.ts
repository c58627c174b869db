/** A filesystem of a few kilobytes, to see what happens when it is full. */

import { has } from "./left_out.ts";

/** True where this user may mount: root may, but not in every container. */
export const CAN_MOUNT: boolean = has({
  "the right to mount file systems": new Deno.Command("unshare", {
    args: ["--mount", "true"],
    stderr: "null",
  }).outputSync().success,
});

/** A tmpfs that is unmounted when it is disposed of. */
export interface TinyFilesystem extends AsyncDisposable {
  /** Where it is mounted. */
  readonly path: string;
  /** Make room: it grows to twice its size. */
  free(): Promise<void>;
}

/** Mount a tmpfs of `bytes`. */
export async function tinyFilesystem({ bytes }: { bytes: number }): Promise<TinyFilesystem> {
  const path = await Deno.makeTempDir({ prefix: "tracekit-tiny-" });
  await run("mount", "-t", "tmpfs", "-o", `size=${bytes}`, "tracekit-test", path);
  return {
    path,
    free: () => run("mount", "-o", `remount,size=${2 * bytes}`, path),
    async [Symbol.asyncDispose](): Promise<void> {
      await run("umount", "--lazy", path);
      await Deno.remove(path);
    },
  };
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stdout: "null" }).output();
  if (!success) throw new Error(`${program} failed: ${new TextDecoder().decode(stderr)}`);
}
