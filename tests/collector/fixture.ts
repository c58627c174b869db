/** The tree of a small arm64 machine with 64 KiB pages, in which some residents are nasty. */

import { fromFileUrl, join } from "@std/path";

/** Where the fixture replaces /proc. */
export const FIXTURE_PROCFS: string = fromFileUrl(new URL("../fixtures/proc", import.meta.url));

/** Where the fixture replaces /sys. */
export const FIXTURE_SYSFS: string = fromFileUrl(new URL("../fixtures/sys", import.meta.url));

/** Content of a file of the fixture. */
export function fixture(name: string): string {
  return Deno.readTextFileSync(join(FIXTURE_PROCFS, name));
}

/** A copy of the fixture to change: processes may be born and die in it. */
export class ProcTree implements AsyncDisposable {
  /** Where it replaces /proc. */
  readonly mount: string;

  private constructor(mount: string) {
    this.mount = mount;
  }

  /** Copy the fixture. */
  static async copy(): Promise<ProcTree> {
    const mount = await Deno.makeTempDir({ prefix: "proc_tree_" });
    const { success } = await new Deno.Command("cp", {
      args: ["-a", `${FIXTURE_PROCFS}/.`, mount],
    }).output();
    if (!success) throw new Error(`Cannot copy the fixture to "${mount}"`);
    return new ProcTree(mount);
  }

  /** Let a process be born. */
  add(pid: number, given: { comm: string; ppid?: number; startTicks?: number }): void {
    const { comm, ppid = 1, startTicks = 20_000 } = given;
    const folder = join(this.mount, String(pid));
    Deno.mkdirSync(folder, { recursive: true });
    const tail = fixture("100/stat").replace(/^.*\) S 1 /s, "")
      .replace(" 0 12345 ", ` 0 ${startTicks} `);
    Deno.writeTextFileSync(join(folder, "stat"), `${pid} (${comm}) S ${ppid} ${tail}`);
    for (const file of ["status", "cgroup"]) {
      Deno.writeTextFileSync(join(folder, file), fixture(`100/${file}`));
    }
    this.#countBirth(pid);
  }

  /** Let a process get another name by exec. */
  rename(pid: number, comm: string): void {
    const path = join(this.mount, String(pid), "stat");
    Deno.writeTextFileSync(path, Deno.readTextFileSync(path).replace(/\(.*\)/s, `(${comm})`));
  }

  /** Let a pid be that of a thread that is not the first of its process. */
  becomeThread(pid: number): void {
    const path = join(this.mount, String(pid), "stat");
    const text = Deno.readTextFileSync(path);
    Deno.writeTextFileSync(path, text.replace(" 17 1 0 0 0 0 0 ", " -1 1 0 0 0 0 0 "));
  }

  /** Let a process end. A reader that holds its files open must fail: they are cut to nothing. */
  remove(pid: number): void {
    const folder = join(this.mount, String(pid));
    Deno.writeTextFileSync(join(folder, "stat"), "");
    Deno.removeSync(folder, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.mount, { recursive: true });
  }

  #countBirth(pid: number): void {
    Deno.writeTextFileSync(join(this.mount, "loadavg"), `0.20 0.18 0.12 1/80 ${pid}\n`);
  }
}
