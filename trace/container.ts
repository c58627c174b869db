/**
 * Which container a process runs in, from the path of its cgroup: engines name the cgroup of a
 * container after its id, each in its own way, and no engine has to be asked.
 *
 * Sources: runc `libcontainer/cgroups`, moby `daemon/oci_linux.go`, containerd `internal/cri`, podman
 * `libpod/container_internal_linux.go`, cri-o `internal/config/cgmgr`, kubelet
 * `pkg/kubelet/cm/pod_container_manager_linux.go`.
 *
 * @module
 */

/** What made a container; kubernetes where its path names the pod but not the runtime. */
export type ContainerEngine =
  | "docker"
  | "containerd"
  | "podman"
  | "cri-o"
  | "kubernetes"
  | "unknown";

/** A container, as the path of its cgroup names it. */
export interface Container {
  /** What made it. */
  readonly engine: ContainerEngine;
  /** Its id: 64 hex digits. */
  readonly id: string;
  /** The Kubernetes pod that it belongs to; null: none. */
  readonly podUid: string | null;
}

/** Every engine gives its containers ids of 256 random bits. */
const ID = "[0-9a-f]{64}";

/** `docker-<id>.scope` with the systemd driver; podman and CRI-O have a prefix with cgroupfs too. */
const PREFIXED = new RegExp(
  `^(docker|nerdctl|cri-containerd|crio|libpod|libpod-payload)-(${ID})(?:\\.scope)?$`,
);

/** `<slice>:cri-containerd:<id>`: a systemd path that was taken literally by the cgroupfs driver. */
const LITERAL = new RegExp(`^[^:]+:(docker|nerdctl|cri-containerd|crio|libpod):(${ID})$`);

/** The cgroupfs driver: the id alone, beneath a folder that says whose it is. */
const BARE = new RegExp(`^${ID}$`);

const ENGINE_OF_PREFIX: Readonly<Record<string, ContainerEngine>> = {
  "docker": "docker",
  "nerdctl": "containerd",
  "cri-containerd": "containerd",
  "crio": "cri-o",
  "libpod": "podman",
  "libpod-payload": "podman",
};

/** Folders of the cgroupfs driver; containerd's are its namespaces: `default` and the kubelet's. */
const ENGINE_OF_PARENT: Readonly<Record<string, ContainerEngine>> = {
  "docker": "docker",
  "default": "containerd",
  "k8s.io": "containerd",
  "libpod_parent": "podman",
};

/**
 * `pod<uid>` with cgroupfs, `kubepods-burstable-pod<uid>.slice` with systemd, which has underscores for
 * the dashes. The uid of a static pod is a hash without dashes.
 */
const POD =
  /(?:^|-)pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice|$)/;

/**
 * The innermost container on `path`, a path of proc_pid_cgroup(5); null when it names none. A process
 * that an engine keeps beside a container (conmon) is not in it.
 */
export function containerOfPath(path: string): Container | null {
  // The kernel marks the cgroup of a process that outlived it.
  const parts = path.replace(/ \(deleted\)$/, "").split("/");
  for (let place = parts.length - 1; place > 0; place--) {
    const found = containerOfPart(parts[place] as string, parts[place - 1] as string);
    if (found !== null) return { ...found, podUid: podUidOf(parts.slice(0, place + 1)) };
  }
  return null;
}

function containerOfPart(part: string, parent: string): Omit<Container, "podUid"> | null {
  const [, prefix = "", id] = PREFIXED.exec(part) ?? LITERAL.exec(part) ?? [];
  if (id !== undefined) return { engine: ENGINE_OF_PREFIX[prefix] ?? "unknown", id };
  if (!BARE.test(part)) return null;
  const engine = POD.test(parent) ? "kubernetes" : ENGINE_OF_PARENT[parent];
  return { engine: engine ?? "unknown", id: part };
}

function podUidOf(parts: readonly string[]): string | null {
  for (const part of parts.toReversed()) {
    const uid = POD.exec(part)?.[1];
    if (uid !== undefined) return uid.replaceAll("_", "-");
  }
  return null;
}

/**
 * The container of a process from the text of its `/proc/PID/cgroup`; null when it is in none. The v2
 * line counts first; on a machine with both, the engine may use v1 alone.
 */
export function containerOfProcess(procPidCgroup: string): Container | null {
  // hierarchy-ID:controllers:path; the path may hold colons.
  const lines = procPidCgroup.split("\n").map((line) => /^(\d+):([^:]*):(.*)$/.exec(line));
  const unifiedFirst = lines.toSorted((a, b) => Number(b?.[1] === "0") - Number(a?.[1] === "0"));
  for (const line of unifiedFirst) {
    const found = containerOfPath(line?.[3] ?? "");
    if (found !== null) return found;
  }
  return null;
}

/** `container` as one word, the way Kubernetes writes it: `docker://<id>`. */
export function containerName({ engine, id }: Container): string {
  return `${engine}://${id}`;
}
