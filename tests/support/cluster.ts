/**
 * Hosts of one's own: network namespaces joined by a bridge, each with its host name, its home and an
 * sshd. Nothing in them reaches this machine's network, and nothing of this machine's home is seen.
 */

import { join } from "@std/path";
import { isThere } from "../../trace/atomic_file.ts";
import { hasPrograms } from "./has_program.ts";
import { has } from "./left_out.ts";

/** Debian's libfaketime. */
const FAKETIME = `/usr/lib/${Deno.build.arch}-linux-gnu/faketime/libfaketime.so.1`;

/** True where hosts can be set up: for root, with the right to make namespaces, and the programs. */
export const CAN_BUILD_CLUSTER: boolean = has({
  "network namespaces, sshd and libfaketime": Deno.uid() === 0 && await isThere(FAKETIME) &&
    await hasPrograms("ip", "ssh", "sshd", "openssl", "unshare") &&
    new Deno.Command("unshare", { args: ["--net", "--mount", "true"], stderr: "null" })
      .outputSync().success,
});

/** One host. */
export interface ClusterHost {
  /** Its host name. */
  readonly name: string;
  /** Its address. */
  readonly address: string;
  /** Its network namespace. */
  readonly namespace: string;
  /** Its home, as this machine sees it. */
  readonly home: string;
}

/** What a program in the cluster left behind. */
export interface ClusterResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A cluster; dispose of it to end every process in it. */
export interface Cluster extends AsyncDisposable {
  readonly hosts: readonly ClusterHost[];
  /** Configuration for ssh and scp that enters every host as root. */
  readonly sshConfig: string;
  /** Run a program in the cluster's network, beside the hosts. */
  exec(
    args: readonly string[],
    options?: { readonly cwd?: string },
  ): Promise<ClusterResult>;
  /** Pull the cable of a host, or plug it in again. */
  setLink(host: ClusterHost, state: "up" | "down"): Promise<void>;
}

/** A host to set up. */
export interface HostPlan {
  /** Its host name. */
  readonly name: string;
  /** How far its wall clock is from this machine's, s. Default 0. */
  readonly clockShiftS?: number;
}

/** Set up hosts, with their files below `folder`. */
export async function startCluster(folder: string, plans: readonly HostPlan[]): Promise<Cluster> {
  // Names of interfaces have at most 15 characters.
  const tag = `tk${Deno.pid % 100_000}`;
  const hub = `${tag}hub`;
  const namespaces = [hub, ...plans.map((_, index) => `${tag}n${index}`)];
  const hosts: ClusterHost[] = [];
  async function dispose(): Promise<void> {
    for (const namespace of namespaces) {
      await shell(`ip netns pids ${namespace} 2>/dev/null | xargs -r kill -KILL;
        ip netns delete ${namespace} 2>/dev/null || true`);
    }
  }
  try {
    await shell(`ip netns add ${hub} && ip -n ${hub} link set lo up &&
      ip -n ${hub} link add br0 type bridge && ip -n ${hub} link set br0 up &&
      ip -n ${hub} address add 10.213.0.254/24 dev br0`);
    const key = join(folder, "id");
    await shell(`ssh-keygen -q -t ed25519 -N '' -f ${key} &&
      ssh-keygen -q -t ed25519 -N '' -f ${join(folder, "host_key")} && mkdir -p /run/sshd`);
    for (const [index, { name, clockShiftS }] of plans.entries()) {
      const host = {
        name,
        address: `10.213.0.${index + 1}`,
        namespace: `${tag}n${index}`,
        home: join(folder, name),
      };
      hosts.push(host);
      const variables = [...clockVariables(clockShiftS ?? 0), ...suiteVariables()];
      await startHost(host, { folder, hub, port: `${tag}p${index}`, variables });
    }
    const sshConfig = join(folder, "ssh_config");
    await Deno.writeTextFile(
      sshConfig,
      [
        "Host *",
        "  User root",
        `  IdentityFile ${key}`,
        "  IdentitiesOnly yes",
        "  StrictHostKeyChecking no",
        "  UserKnownHostsFile /dev/null",
        "  LogLevel ERROR",
        "  ConnectionAttempts 20",
        "",
      ].join("\n"),
    );
    return {
      hosts,
      sshConfig,
      async exec(args, { cwd } = {}): Promise<ClusterResult> {
        const { code, stdout, stderr } = await new Deno.Command("ip", {
          args: ["netns", "exec", hub, ...args],
          stdin: "null",
          ...cwd === undefined ? {} : { cwd, env: { INIT_CWD: cwd } },
        }).output();
        const decoder = new TextDecoder();
        return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
      },
      async setLink({ namespace }, state): Promise<void> {
        await shell(`ip -n ${namespace} link set eth0 ${state}`);
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/**
 * Variables that shift the wall clock of every program that has them, by Debian's libfaketime. It also
 * shifts the CPU clocks of other processes (their ids are unknown to it): no host with a collector can
 * have them.
 */
function clockVariables(shiftS: number): string[] {
  if (shiftS === 0) return [];
  return [
    // jemalloc, which Redis uses, asks for the time before the library is ready: the C library's own
    // malloc goes before it.
    `LD_PRELOAD=${FAKETIME}:libc.so.6`,
    `FAKETIME=${shiftS > 0 ? "+" : ""}${shiftS}`,
    "FAKETIME_DONT_FAKE_MONOTONIC=1",
    "NO_FAKE_STAT=1",
  ];
}

/** The variable by which `deno task test` finds what a killed suite leaves; sshd would not pass it on. */
function suiteVariables(): string[] {
  const suite = Deno.env.get("TRACEKIT_SUITE");
  return suite === undefined ? [] : [`TRACEKIT_SUITE=${suite}`];
}

/** A namespace with a cable to the hub, and an sshd in it whose sessions see the host's own home. */
async function startHost(
  { name, address, namespace, home }: ClusterHost,
  { folder, hub, port, variables }: {
    readonly folder: string;
    readonly hub: string;
    readonly port: string;
    readonly variables: readonly string[];
  },
): Promise<void> {
  await Deno.mkdir(join(home, ".ssh"), { recursive: true, mode: 0o700 });
  await Deno.copyFile(join(folder, "id.pub"), join(home, ".ssh", "authorized_keys"));
  const config = join(folder, `${name}.sshd`);
  await Deno.writeTextFile(
    config,
    [
      "Port 22",
      `ListenAddress ${address}`,
      `HostKey ${join(folder, "host_key")}`,
      "AuthorizedKeysFile .ssh/authorized_keys",
      "PermitRootLogin prohibit-password",
      "StrictModes no",
      "UsePAM no",
      "PidFile none",
      "MaxStartups 50",
      ...variables.length === 0 ? [] : [`SetEnv ${variables.join(" ")}`],
      "Subsystem sftp internal-sftp",
      "",
    ].join("\n"),
  );
  await shell(`ip netns add ${namespace} && ip -n ${namespace} link set lo up &&
    ip link add ${port} netns ${hub} type veth peer name eth0 netns ${namespace} &&
    ip -n ${hub} link set ${port} master br0 up &&
    ip -n ${namespace} address add ${address}/24 dev eth0 && ip -n ${namespace} link set eth0 up`);
  // The home of root hides this machine's: no Deno, no Node, no repository below it. What sshd starts
  // inherits the mounts and the host name.
  new Deno.Command("ip", {
    args: [
      ...["netns", "exec", namespace, "unshare", "--mount", "--uts", "sh", "-c"],
      'hostname "$1" && mount --bind "$2" /root && cd / && exec /usr/sbin/sshd -D -f "$3"',
      ...["sh", name, home, config],
    ],
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn().unref();
}

async function shell(script: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("sh", {
    args: ["-ec", script],
    stdin: "null",
    stdout: "null",
  }).output();
  if (!success) throw new Error(`${script}: ${new TextDecoder().decode(stderr)}`);
}
