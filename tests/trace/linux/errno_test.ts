import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { ERRNO, errnoOf, errorText, isErrno, isNoSuchProcess } from "../../../trace/linux/errno.ts";
import { tempFolder } from "../../support/temp_folder.ts";

/** What `act` throws. */
function errorOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

Deno.test("errnoOf() reads the number of each error of the kernel, whatever its class", async () => {
  await using folder = await tempFolder();
  const loop = join(folder.path, "loop (os error 5)");
  Deno.symlinkSync("loop (os error 5)", loop);
  const long = join(folder.path, "x".repeat(256));
  const cases: readonly [act: () => unknown, errno: number][] = [
    [() => Deno.statSync(join(folder.path, "none")), ERRNO.ENOENT],
    [() => Deno.statSync(loop), ERRNO.ELOOP],
    [() => Deno.statSync(long), ERRNO.ENAMETOOLONG],
    [() => Deno.statSync("/dev/null/x"), ERRNO.ENOTDIR],
    [() => Deno.readTextFileSync(folder.path), ERRNO.EISDIR],
    [() => Deno.mkdirSync(folder.path), ERRNO.EEXIST],
    [() => Deno.removeSync(folder.path), ERRNO.ENOTEMPTY],
    [() => Deno.readLinkSync(folder.path), ERRNO.EINVAL],
    [() => Deno.writeTextFileSync("/dev/full", "x"), ERRNO.ENOSPC],
    [() => Deno.kill(2 ** 22, "SIGTERM"), ERRNO.ESRCH],
  ];
  assertEquals(cases.map(([act]) => errnoOf(errorOf(act))), cases.map(([, errno]) => errno));
});

Deno.test("isNoSuchProcess() knows the file of a process that ended under it", async () => {
  const child = new Deno.Command("true").spawn();
  using stat = Deno.openSync(`/proc/${child.pid}/stat`);
  await child.status;
  const read = errorOf(() => stat.readSync(new Uint8Array(64)));
  assertEquals([errnoOf(read), isNoSuchProcess(read)], [ERRNO.ESRCH, true]);
  assertEquals(isNoSuchProcess(errorOf(() => Deno.readTextFileSync("/dev/null/x"))), false);
});

Deno.test("errnoOf() has no number for errors that are not the kernel's", () => {
  assertEquals([errnoOf(new Error("ERROR: none")), errnoOf("os error 3"), errnoOf(null)], [
    null,
    null,
    null,
  ]);
  assertEquals(isErrno(new TypeError("no"), ERRNO.ENOENT), false);
});

Deno.test("errorText() names an errno, or gives its number", () => {
  assertEquals([errorText(2), errorText(132)], ["ENOENT: no such file or directory", "errno 132"]);
});
