import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { parseCgroupProcs } from "../../collector/proc/cgroup_procs.ts";
import { findCgroup, findContainer } from "../../tasks/machine/container.ts";
import { CommandError } from "../../tasks/command/main.ts";
import { containerOfProcess } from "../../trace/container.ts";
import { CAN_RUN_CONTAINERS, newContainerId, runContainer } from "../support/oci_container.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { waitFor } from "../support/wait_for.ts";

/** Nothing listens there. */
const NO_ENGINE = "/nonexistent/engine.sock";

const POD = "0d5b7a9e-6a0b-4d8e-9c55-1f2e3d4c5b6a";

const ENGINES = [
  { engine: "docker", path: (id: string) => `/docker/${id}`, podUid: null },
  { engine: "docker", path: (id: string) => `/system.slice/docker-${id}.scope`, podUid: null },
  { engine: "podman", path: (id: string) => `/machine.slice/libpod-${id}.scope`, podUid: null },
  { engine: "containerd", path: (id: string) => `/default/${id}`, podUid: null },
  {
    engine: "kubernetes",
    path: (id: string) => `/kubepods/burstable/pod${POD}/${id}`,
    podUid: POD,
  },
  {
    engine: "cri-o",
    path: (id: string) =>
      `/kubepods.slice/kubepods-pod${POD.replaceAll("-", "_")}.slice/crio-${id}.scope`,
    podUid: POD,
  },
] as const;

for (const { engine, path, podUid } of ENGINES) {
  Deno.test({
    name: `findContainer() finds a real container with the cgroup ${path("<id>")}`,
    ignore: !CAN_RUN_CONTAINERS,
    fn: async () => {
      const id = newContainerId();
      await using container = await runContainer({ cgroup: path(id) });
      const text = await Deno.readTextFile(`/proc/${container.pid}/cgroup`);
      assertEquals(containerOfProcess(text), { engine, id, podUid });
      const found = await findContainer(id.slice(0, 12), NO_ENGINE);
      assertEquals(found.container, { engine, id, podUid });
      // Its shell starts the second process in its own time.
      const members = await waitFor({
        what: "both processes of the container",
        read: async () =>
          parseCgroupProcs(await Deno.readTextFile(join(found.directory, "cgroup.procs"))),
        until: (pids) => pids.length === 2,
      });
      assertEquals(members.includes(container.pid), true);
      assertEquals(findCgroup(path(id)), found.directory);
      assertEquals(
        (await findContainer(`${engine}://${id}`, NO_ENGINE)).directory,
        found.directory,
      );
    },
  });
}

/** A socket that answers as docker's and podman's REST do for a container. */
function engineOf(path: string, names: Readonly<Record<string, string>>): AsyncDisposable {
  return Deno.serve({ path, onListen: () => {} }, (request) => {
    const [, name = ""] = /^\/containers\/([^/]+)\/json$/.exec(new URL(request.url).pathname) ?? [];
    const id = names[decodeURIComponent(name)];
    if (id !== undefined) return Response.json({ Id: id, Name: `/${name}` });
    return Response.json({ message: `No such container: ${name}` }, { status: 404 });
  });
}

Deno.test({
  name: "findContainer() asks an engine for the id of a name",
  ignore: !CAN_RUN_CONTAINERS,
  fn: async () => {
    await using folder = await tempFolder();
    const socket = join(folder.path, "engine.sock");
    const id = newContainerId();
    const gone = newContainerId();
    await using _engine = engineOf(socket, { "web": id, "stopped": gone });
    await using _container = await runContainer({ cgroup: `/docker/${id}` });
    assertEquals((await findContainer("web", `unix://${socket}`)).container.id, id);
    await assertRejects(
      () => findContainer("stopped", socket),
      CommandError,
      `container "stopped" (id ${gone}) does not run`,
    );
    await assertRejects(() => findContainer("other", socket), CommandError, "no such container");
  },
});

Deno.test("findContainer() says which engines it asked for a name", async () => {
  const error = await assertRejects(() => findContainer("web", NO_ENGINE), CommandError);
  assertStringIncludes(error.message, 'cannot tell which container "web" is');
  assertStringIncludes(error.message, NO_ENGINE);
});

Deno.test("findContainer() finds none by an id that no cgroup has", async () => {
  await assertRejects(() => findContainer(newContainerId(), NO_ENGINE), CommandError, NO_ENGINE);
});

Deno.test({
  name: "findContainer() refuses the beginning of two ids",
  ignore: !CAN_RUN_CONTAINERS,
  fn: async () => {
    const begin = newContainerId().slice(0, 12);
    const ids = [0, 1].map(() => begin + newContainerId().slice(12));
    await using _one = await runContainer({ cgroup: `/docker/${ids[0]}` });
    await using _two = await runContainer({ cgroup: `/docker/${ids[1]}` });
    const error = await assertRejects(() => findContainer(begin, NO_ENGINE), CommandError);
    for (const id of ids) assertStringIncludes(error.message, `docker://${id}`);
    assertEquals(
      (await findContainer(begin + (ids[0] ?? "").slice(12), NO_ENGINE)).container.id,
      ids[0],
    );
  },
});

Deno.test("findCgroup() refuses a path without processes", async () => {
  await using folder = await tempFolder();
  for (const path of ["/no/such/group", "/sys/fs/cgroup/nothing", folder.path]) {
    try {
      findCgroup(path);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      assertStringIncludes(error.message, path);
      continue;
    }
    throw new Error(`${path} was taken`);
  }
});
