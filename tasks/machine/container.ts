/**
 * Finds the cgroup of a container by its id, which the kernel's own paths tell; an engine's socket is
 * asked for one thing only: which id a name has. Needs every permission: cgroups and sockets.
 */

import { request } from "node:http";
import { join, relative } from "@std/path";
import { readHierarchies } from "../../adapter/place/cgroup_base.ts";
import type { Hierarchy } from "../../adapter/place/cgroup_mounts.ts";
import { messageOf } from "../../trace/atomic_file.ts";
import { type Container, containerName, containerOfPath } from "../../trace/container.ts";
import { CommandError } from "../command/main.ts";

/** A container that runs. */
export interface FoundContainer {
  /** Which one. */
  readonly container: Container;
  /** Directory of its cgroup, in the hierarchy that accounts for its CPU time. */
  readonly directory: string;
}

/** An id as people give it: docker shows the first 12 digits. */
const ID_PREFIX = /^[0-9a-f]{12,64}$/;

/** Where engines listen unless they were told otherwise; the last two are those of a user. */
function usualSockets(): string[] {
  const own = `/run/user/${Deno.uid() ?? 0}`;
  return [
    "/var/run/docker.sock",
    "/run/podman/podman.sock",
    `${own}/docker.sock`,
    `${own}/podman/podman.sock`,
  ];
}

/**
 * The running container that `nameOrId` names.
 *
 * @param engineSocket Socket to ask for a name, as a path or `unix://` URL; null: the usual ones.
 * @throws {CommandError} when there is none, several, or no engine that knows the name.
 */
export async function findContainer(
  nameOrId: string,
  engineSocket: string | null,
): Promise<FoundContainer> {
  const given = nameOrId.replace(/^[a-z-]+:\/\//, "");
  const byId = ID_PREFIX.test(given) ? containersById(given) : [];
  const [only, another] = byId;
  if (only !== undefined && another === undefined) return only;
  if (another !== undefined) {
    const names = byId.map(({ container }) => containerName(container)).join(", ");
    throw new CommandError(`several containers have ids that begin with ${given}: ${names}`);
  }
  const id = await askEngines(given, engineSocket);
  const [found] = containersById(id);
  if (found !== undefined) return found;
  throw new CommandError(`container "${given}" (id ${id}) does not run on this machine`);
}

/**
 * The directory that accounts for the CPU time of the cgroup `path`: a directory of any hierarchy, or a
 * path below its mount as /proc/PID/cgroup has it.
 *
 * @throws {CommandError} when there is no such cgroup.
 */
export function findCgroup(path: string): string {
  const mount = readHierarchies().map(({ mountPoint }) => mountPoint)
    .find((one) => path === one || path.startsWith(`${one}/`));
  const inHierarchy = mount === undefined ? path : relative(mount, path);
  for (const { mountPoint } of accountingHierarchies()) {
    const directory = join(mountPoint, inHierarchy);
    if (isPopulated(directory)) return directory;
  }
  throw new CommandError(
    `the cgroup "${path}" has no processes: a directory below /sys/fs/cgroup, or a path as in ` +
      `/proc/PID/cgroup, is required`,
  );
}

/** Containers that run and whose id begins with `prefix`, one entry each. */
function containersById(prefix: string): FoundContainer[] {
  const found = new Map<string, FoundContainer>();
  for (const { mountPoint } of accountingHierarchies()) {
    for (const directory of containerDirectories(mountPoint)) {
      const container = containerOfPath(`/${relative(mountPoint, directory)}`);
      if (container === null || !container.id.startsWith(prefix)) continue;
      if (!found.has(container.id) && isPopulated(directory)) {
        found.set(container.id, { container, directory });
      }
    }
  }
  return [...found.values()];
}

/** The hierarchies that account for CPU time, v2 first. */
function accountingHierarchies(): Hierarchy[] {
  const all = readHierarchies();
  return [
    ...all.filter(({ version }) => version === 2),
    ...all.filter(({ controllers }) => controllers.includes("cpuacct")),
  ];
}

/** Directories below `directory` that are named for a container. */
function* containerDirectories(directory: string): Generator<string> {
  for (const name of subdirectories(directory)) {
    const path = join(directory, name);
    if (containerOfPath(`/${name}`) !== null) yield path;
    yield* containerDirectories(path);
  }
}

/** True when a process is in the cgroup `directory` or below: an engine may use v1 where v2 is there too. */
function isPopulated(directory: string): boolean {
  if ((readIfThere(join(directory, "cgroup.procs")) ?? "") !== "") return true;
  return subdirectories(directory).some((name) => isPopulated(join(directory, name)));
}

function subdirectories(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].filter((one) => one.isDirectory).map((one) => one.name);
  } catch (error) {
    // A cgroup may be removed at any time.
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function readIfThere(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return null;
    }
    throw error;
  }
}

/** Ask the engines for the id of the container `name`; docker and podman speak the same REST. */
async function askEngines(name: string, engineSocket: string | null): Promise<string> {
  const sockets = engineSocket === null ? usualSockets() : [engineSocket.replace(/^unix:\/\//, "")];
  const answers: string[] = [];
  for (const socketPath of sockets) {
    const { id, problem } = await askEngine(name, socketPath);
    if (id !== null) return id;
    answers.push(`${socketPath}: ${problem}`);
  }
  throw new CommandError(
    `cannot tell which container "${name}" is: give the first 12 digits of its id or more, or its ` +
      `--cgroup (asked ${answers.join("; ")})`,
  );
}

type Answer = { readonly id: string; readonly problem: null } | {
  readonly id: null;
  readonly problem: string;
};

/** An engine that does not answer within this is skipped, ms. */
const ENGINE_TIMEOUT_MS = 5000;

function askEngine(name: string, socketPath: string): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const refuse = (problem: string) => resolve({ id: null, problem });
  const asked = request({
    socketPath,
    path: `/containers/${encodeURIComponent(name)}/json`,
    headers: { Host: "localhost", Connection: "close" },
    timeout: ENGINE_TIMEOUT_MS,
  }, async (response) => {
    let text = "";
    for await (const chunk of response.setEncoding("utf8")) text += chunk;
    if (response.statusCode === 404) refuse("no such container");
    else if (response.statusCode !== 200) refuse(`it answers ${response.statusCode}`);
    else resolve(idIn(text));
  });
  asked.once("timeout", () => asked.destroy(new Error("no answer")));
  asked.once("error", (error) => refuse(messageOf(error)));
  asked.end();
  return promise;
}

/** The id in an engine's description of a container. */
function idIn(text: string): Answer {
  try {
    const { Id: id } = JSON.parse(text) as { Id?: unknown };
    if (typeof id === "string" && ID_PREFIX.test(id)) return { id, problem: null };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return { id: null, problem: "its answer names no id" };
}
