import { assertEquals } from "@std/assert";
import {
  type Container,
  containerName,
  containerOfPath,
  containerOfProcess,
} from "../../trace/container.ts";

const ID = "3b3f5a2c9d4e7f1806a5b4c3d2e1f0a99887766554433221100ffeeddccbbaa0";
const OUTER = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00";
const UID = "0d5b7a9e-6a0b-4d8e-9c55-1f2e3d4c5b6a";
const UID_SYSTEMD = UID.replaceAll("-", "_");
/** A static pod's uid is a hash of its manifest. */
const STATIC_UID = "8d7fa2cf96e4b9b1e0f7b0c5a3d2e1f0";

interface Case {
  readonly of: string;
  readonly path: string;
  readonly engine: Container["engine"];
  readonly podUid?: string;
}

const SYSTEMD_POD =
  `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${UID_SYSTEMD}.slice`;
const USER = "/user.slice/user-1000.slice/user@1000.service";

const CONTAINERS: readonly Case[] = [
  { of: "docker, cgroupfs", path: `/docker/${ID}`, engine: "docker" },
  { of: "docker, systemd", path: `/system.slice/docker-${ID}.scope`, engine: "docker" },
  { of: "docker, rootless", path: `${USER}/user.slice/docker-${ID}.scope`, engine: "docker" },
  { of: "docker with systemd inside", path: `/docker/${ID}/init.scope`, engine: "docker" },
  { of: "docker in docker", path: `/docker/${OUTER}/docker/${ID}`, engine: "docker" },
  { of: "docker seen from a cgroup namespace", path: `/../${ID}`, engine: "unknown" },
  { of: "docker with --cgroup-parent", path: `/batch/night/${ID}`, engine: "unknown" },
  { of: "docker, cgroup removed", path: `/docker/${ID} (deleted)`, engine: "docker" },
  { of: "containerd by nerdctl, cgroupfs", path: `/default/${ID}`, engine: "containerd" },
  {
    of: "containerd by nerdctl, systemd",
    path: `/system.slice/nerdctl-${ID}.scope`,
    engine: "containerd",
  },
  { of: "containerd, the kubelet's namespace", path: `/k8s.io/${ID}`, engine: "containerd" },
  { of: "podman, cgroupfs", path: `/libpod_parent/libpod-${ID}`, engine: "podman" },
  { of: "podman, systemd", path: `/machine.slice/libpod-${ID}.scope`, engine: "podman" },
  { of: "podman with crun", path: `/machine.slice/libpod-${ID}.scope/container`, engine: "podman" },
  {
    of: "podman, rootless",
    path: `${USER}/user.slice/libpod-${ID}.scope/container`,
    engine: "podman",
  },
  {
    of: "podman in a pod",
    path: `/machine.slice/machine-libpod_pod_${OUTER}.slice/libpod-${ID}.scope`,
    engine: "podman",
  },
  {
    of: "podman in a unit, --cgroups=split",
    path: `/system.slice/web.service/libpod-payload-${ID}`,
    engine: "podman",
  },
  {
    of: "Kubernetes, containerd, systemd",
    path: `${SYSTEMD_POD}/cri-containerd-${ID}.scope`,
    engine: "containerd",
    podUid: UID,
  },
  {
    of: "Kubernetes, containerd, cgroupfs",
    path: `/kubepods/burstable/pod${UID}/${ID}`,
    engine: "kubernetes",
    podUid: UID,
  },
  {
    of: "Kubernetes, guaranteed pod",
    path: `/kubepods/pod${UID}/${ID}`,
    engine: "kubernetes",
    podUid: UID,
  },
  {
    of: "Kubernetes, guaranteed pod, systemd",
    path: `/kubepods.slice/kubepods-pod${UID_SYSTEMD}.slice/cri-containerd-${ID}.scope`,
    engine: "containerd",
    podUid: UID,
  },
  {
    of: "Kubernetes, static pod",
    path: `/kubepods/burstable/pod${STATIC_UID}/${ID}`,
    engine: "kubernetes",
    podUid: STATIC_UID,
  },
  {
    of: "Kubernetes, containerd with cgroupfs under a kubelet with systemd",
    path:
      `/system.slice/containerd.service/kubepods-besteffort-pod${UID_SYSTEMD}.slice:cri-containerd:${ID}`,
    engine: "containerd",
    podUid: UID,
  },
  {
    of: "Kubernetes, CRI-O, systemd",
    path: `${SYSTEMD_POD}/crio-${ID}.scope`,
    engine: "cri-o",
    podUid: UID,
  },
  {
    of: "Kubernetes, CRI-O with crun",
    path: `${SYSTEMD_POD}/crio-${ID}.scope/container`,
    engine: "cri-o",
    podUid: UID,
  },
  {
    of: "Kubernetes, CRI-O, cgroupfs",
    path: `/kubepods/besteffort/pod${UID}/crio-${ID}`,
    engine: "cri-o",
    podUid: UID,
  },
  {
    of: "Kubernetes, docker, systemd",
    path: `${SYSTEMD_POD}/docker-${ID}.scope`,
    engine: "docker",
    podUid: UID,
  },
  {
    of: "Kubernetes in docker (kind), cgroupfs",
    path: `/docker/${OUTER}/kubelet/kubepods/besteffort/pod${UID}/${ID}`,
    engine: "kubernetes",
    podUid: UID,
  },
  {
    of: "Kubernetes in docker (kind), systemd",
    path:
      `/system.slice/docker-${OUTER}.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod${UID_SYSTEMD}.slice/cri-containerd-${ID}.scope`,
    engine: "containerd",
    podUid: UID,
  },
];

Deno.test.each(CONTAINERS)("containerOfPath() knows $of", ({ path, engine, podUid }) => {
  assertEquals(containerOfPath(path), { engine, id: ID, podUid: podUid ?? null });
});

const NO_CONTAINERS: readonly { readonly of: string; readonly path: string }[] = [
  { of: "the root", path: "/" },
  { of: "nothing", path: "" },
  { of: "a login session", path: "/user.slice/user-1000.slice/session-2.scope" },
  { of: "the docker daemon itself", path: "/system.slice/docker.service" },
  { of: "podman's monitor, systemd", path: `/machine.slice/libpod-conmon-${ID}.scope` },
  { of: "podman's monitor, cgroupfs", path: "/libpod_parent/conmon" },
  { of: "CRI-O's monitor", path: `${SYSTEMD_POD}/crio-conmon-${ID}.scope` },
  { of: "a pod without a container", path: SYSTEMD_POD },
  { of: "a short id", path: `/docker/${ID.slice(0, 12)}` },
  { of: "an id with upper case", path: `/docker/${ID.toUpperCase()}` },
  { of: "a podman pod", path: `/machine.slice/machine-libpod_pod_${ID}.slice` },
];

Deno.test.each(NO_CONTAINERS)("containerOfPath() finds none in the path of $of", ({ path }) => {
  assertEquals(containerOfPath(path), null);
});

Deno.test("containerOfPath() takes an engine's monitor inside a container to be in that", () => {
  assertEquals(
    containerOfPath(`/docker/${OUTER}/machine.slice/libpod-conmon-${ID}.scope`)?.id,
    OUTER,
  );
});

Deno.test("containerOfProcess() reads a v2 machine", () => {
  assertEquals(containerOfProcess(`0::/system.slice/docker-${ID}.scope\n`)?.engine, "docker");
});

Deno.test("containerOfProcess() reads a v1 machine whose v2 hierarchy is unused", () => {
  const text = `9:name=systemd:/docker/${ID}\n2:cpu,cpuacct:/docker/${ID}\n0::/\n`;
  assertEquals(containerOfProcess(text)?.id, ID);
});

Deno.test("containerOfProcess() prefers the v2 line", () => {
  const text = `2:cpu,cpuacct:/docker/${OUTER}\n0::/docker/${ID}\n`;
  assertEquals(containerOfProcess(text)?.id, ID);
});

Deno.test("containerOfProcess() keeps colons of a path", () => {
  const path = `/kubepods-besteffort-pod${UID_SYSTEMD}.slice:cri-containerd:${ID}`;
  assertEquals(containerOfProcess(`4:memory:${path}\n`)?.podUid, UID);
});

Deno.test("containerOfProcess() gives null for a process on the host", () => {
  assertEquals(containerOfProcess("1:cpu:/\n0::/init.scope\n"), null);
});

Deno.test("containerName() writes engine and id as Kubernetes does", () => {
  assertEquals(containerName({ engine: "cri-o", id: ID, podUid: UID }), `cri-o://${ID}`);
});
