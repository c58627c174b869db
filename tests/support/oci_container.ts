/**
 * A real OCI container by runc over a root file system of one static busybox, with the cgroup path of
 * any engine; the network is the host's. Needs root, runc and a static busybox, no engine.
 */

import { dirname, join } from "@std/path";
import { readHierarchies } from "../../adapter/place/cgroup_base.ts";
import { findProgram } from "../../tasks/machine/packages.ts";
import { has } from "./left_out.ts";

/** A static busybox, as Debian's busybox-static has it. */
const BUSYBOX = ["/bin/busybox", "/usr/bin/busybox"];

/** True where containers can be run. */
export const CAN_RUN_CONTAINERS: boolean = has({
  "root, runc and a static busybox": Deno.uid() === 0 &&
    await findProgram("runc") !== null && BUSYBOX.some(isStaticProgram),
});

function isStaticProgram(path: string): boolean {
  try {
    // A dynamic program names its loader in a segment of its own.
    return !new TextDecoder("latin1").decode(Deno.readFileSync(path)).includes("/ld-linux");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** How {@linkcode runContainer} runs it. */
export interface ContainerOptions {
  /** Path of its cgroup. */
  readonly cgroup: string;
  /** Script of its shell. Default: two processes that wait. */
  readonly script?: string;
  /** Files of its root file system, by path. */
  readonly files?: Readonly<Record<string, string>>;
}

/** A running container; it is gone when the block that holds it is left. */
export interface OciContainer extends AsyncDisposable {
  /** Its first process. */
  readonly pid: number;
}

/** 64 random hex digits, as engines give them. */
export function newContainerId(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toHex();
}

/** Run a container. */
export async function runContainer(options: ContainerOptions): Promise<OciContainer> {
  const bundle = await Deno.makeTempDir({ prefix: "tracekit-oci-" });
  const root = join(bundle, "rootfs");
  await Deno.mkdir(join(root, "bin"), { recursive: true });
  await Deno.mkdir(join(root, "proc"));
  const busybox = BUSYBOX.find(isStaticProgram) ?? "";
  await Deno.copyFile(busybox, join(root, "bin/busybox"));
  for (const name of ["sh", "sleep", "httpd"]) {
    await Deno.symlink("busybox", join(root, "bin", name));
  }
  for (const [path, text] of Object.entries(options.files ?? {})) {
    await Deno.mkdir(dirname(join(root, path)), { recursive: true });
    await Deno.writeTextFile(join(root, path), text);
  }
  await Deno.writeTextFile(join(bundle, "config.json"), JSON.stringify(configOf(options)));
  const parents = missingParents(options.cgroup);
  const name = `tracekit-${crypto.randomUUID()}`;
  const runc = (...args: string[]) => run("runc", "--root", join(bundle, "state"), ...args);
  await runc("run", "--detach", "--bundle", bundle, "--pid-file", join(bundle, "pid"), name);
  return {
    pid: Number(await Deno.readTextFile(join(bundle, "pid"))),
    async [Symbol.asyncDispose](): Promise<void> {
      await runc("delete", "--force", name);
      for (const parent of parents) await removeIfEmpty(parent);
      await Deno.remove(bundle, { recursive: true });
    },
  };
}

/** The least that runc asks for (OCI runtime specification 1.0). */
function configOf({ cgroup, script = "sleep 1000 & exec sleep 1000" }: ContainerOptions): unknown {
  return {
    ociVersion: "1.0.2",
    process: {
      user: { uid: 0, gid: 0 },
      args: ["/bin/sh", "-c", script],
      env: ["PATH=/bin"],
      cwd: "/",
    },
    root: { path: "rootfs" },
    mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
    linux: {
      cgroupsPath: cgroup,
      namespaces: [{ type: "pid" }, { type: "mount" }, { type: "uts" }, { type: "ipc" }],
    },
  };
}

/** Cgroups above `cgroup` that runc will make, the innermost first. */
function missingParents(cgroup: string): string[] {
  const missing: string[] = [];
  for (const { mountPoint } of readHierarchies()) {
    for (let path = dirname(cgroup); path !== "/"; path = dirname(path)) {
      const directory = join(mountPoint, path);
      if (!isThere(directory)) missing.push(directory);
    }
  }
  return missing;
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Remove a cgroup that nobody else has come to use meanwhile. */
async function removeIfEmpty(directory: string): Promise<void> {
  try {
    await Deno.remove(directory);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.Busy)) throw error;
  }
}

async function run(program: string, ...args: string[]): Promise<void> {
  // A detached container keeps the descriptors that it is given: a pipe would never end.
  const log = await Deno.makeTempFile({ prefix: "tracekit-runc-" });
  const { success } = await new Deno.Command("sh", {
    args: ["-c", 'log=$0; exec "$@" >"$log" 2>&1 </dev/null', log, program, ...args],
  }).output();
  const text = await Deno.readTextFile(log);
  await Deno.remove(log);
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${text}`);
}
