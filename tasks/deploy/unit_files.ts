/** Units for systemd that run the roles of a node and of a controller. Pure. */

/** What units depend on. */
export interface UnitOptions {
  /** Folder of the executables, owned by root. */
  readonly dir: string;
  /** User that the roles run as. */
  readonly user: string;
  /** True where Redis speaks TLS: its authority is in `/etc/tracekit/ca.crt`. */
  readonly isTls: boolean;
  /** True where the adapter, alone, is started by sudo, so that it can limit CPUs. */
  readonly isAdapterPrivileged: boolean;
}

interface Unit {
  readonly role: string;
  readonly description: string;
  readonly exec: readonly string[];
  /** Files of variables below `/etc/tracekit`. */
  readonly environment: readonly string[];
  readonly settings: readonly string[];
}

/** What every role can do without: new privileges, devices, other people's files, the kernel's knobs. */
const CONFINED = [
  "NoNewPrivileges=yes",
  "CapabilityBoundingSet=",
  "PrivateDevices=yes",
  "ProtectClock=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
  "RestrictNamespaces=yes",
  "RestrictSUIDSGID=yes",
  "LockPersonality=yes",
  "SystemCallArchitectures=native",
];

/** What holds even where a program may gain privileges by sudo. */
const FILES = [
  "ProtectSystem=strict",
  "ProtectHome=yes",
  "PrivateTmp=yes",
  "UMask=0077",
];

/**
 * The unit files, by name. Their folders: `/etc/tracekit` has `run_id.env`, and `<role>.env`,
 * `<role>.password` and `ca.crt` as `controller start` wrote them; `/var/lib/tracekit` gets the logs.
 */
export function unitFiles(options: UnitOptions): ReadonlyMap<string, string> {
  const units = [collector(), worker(options), scheduler(options)];
  return new Map(units.map((unit) => [`tracekit-${unit.role}.service`, textOf(unit, options)]));
}

function collector(): Unit {
  return {
    role: "collector",
    description: "samples the processes of tasks",
    exec: ["tracekit-collector", "collector"],
    environment: ["run_id.env"],
    settings: [
      ...CONFINED,
      ...FILES,
      "ProtectControlGroups=yes",
      // The sampling thread asks for real-time priority 5: late readings would be fewer readings.
      "LimitRTPRIO=5",
    ],
  };
}

function worker(options: UnitOptions): Unit {
  const adapter = `"sudo -n ${options.dir}/tracekit-adapter"`;
  return {
    role: "worker",
    description: "takes tasks and has its adapter run them",
    exec: [
      "tracekit-worker",
      ...queueFlags(options),
      ...options.isAdapterPrivileged ? ["--adapter-command", adapter] : [],
    ],
    environment: ["run_id.env", "worker.env"],
    settings: [
      // sudo gains privileges, and each of the other settings would take that away.
      ...options.isAdapterPrivileged ? [] : [...CONFINED, "RestrictRealtime=yes"],
      ...FILES,
      // A group of its own below this unit's accounts for each task.
      "Delegate=yes",
      // The first SIGTERM is for the worker alone: it finishes what runs, and its adapter with it.
      "KillMode=mixed",
      "TimeoutStopSec=infinity",
    ],
  };
}

function scheduler(options: UnitOptions): Unit {
  return {
    role: "scheduler",
    description: "places tasks on nodes",
    exec: ["tracekit-scheduler", "scheduler", ...queueFlags(options)],
    environment: ["run_id.env", "scheduler.env"],
    settings: [
      ...CONFINED,
      ...FILES,
      "ProtectControlGroups=yes",
      "ProtectProc=invisible",
      "RestrictRealtime=yes",
    ],
  };
}

/** systemd hands the password over in a file that this unit alone can read. */
function queueFlags({ isTls }: UnitOptions): string[] {
  return [
    "--redis-password-file=${CREDENTIALS_DIRECTORY}/redis.password",
    ...isTls ? ["--tls-ca=/etc/tracekit/ca.crt"] : [],
  ];
}

function textOf(
  { role, description, exec, environment, settings }: Unit,
  { dir, user }: UnitOptions,
): string {
  const isOfQueue = environment.includes(`${role}.env`);
  return [
    "[Unit]",
    `Description=Tracekit ${role}: ${description}`,
    ...isOfQueue ? ["Wants=network-online.target", "After=network-online.target"] : [],
    "",
    "[Service]",
    "Type=exec",
    `User=${user}`,
    "WorkingDirectory=/var/lib/tracekit",
    "StateDirectory=tracekit",
    "CacheDirectory=tracekit",
    "Environment=TRACEKIT_CACHE_DIR=/var/cache/tracekit",
    ...environment.map((file) => `EnvironmentFile=/etc/tracekit/${file}`),
    ...isOfQueue ? [`LoadCredential=redis.password:/etc/tracekit/${role}.password`] : [],
    `ExecStart=${dir}/${exec.join(" ")}`,
    "Restart=on-failure",
    ...settings,
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");
}
