/**
 * Under which conditions a run was recorded: the machine, the programs, their processes.
 *
 * @module
 */

import {
  integer,
  mapOf,
  nullable,
  number,
  oneOf,
  record,
  type RecordOf,
  string,
} from "./schema.ts";
import { BOOT_MS, NODE, PID, START_TICKS, TS_MS } from "./record_fields.ts";

/** `node_meta.json`: the machine, from /proc and /sys. */
export const NODE_META = record("node metadata", {
  format_version: string({ doc: "FORMAT_VERSION of the writer." }),
  run_id: string({ doc: "RUN_ID." }),
  node_id: NODE,
  stage: nullable(string({ doc: "STAGE." })),
  host_name: nullable(string({ doc: "Name of the machine." })),
  boot_id: nullable(string({ doc: "Identity of this boot, random/boot_id." })),
  ts_ms: TS_MS,
  boot_ms: nullable(BOOT_MS),
  cpu_cores: integer({
    doc: "Logical cores that this node's roles may use.",
    unit: "count",
    min: 1,
  }),
  cpus: nullable(string({ doc: "Which ones, where the node is a share of a machine." })),
  machine_cores: nullable(integer({ doc: "Logical cores of the machine.", unit: "count", min: 1 })),
  cpu_model: nullable(string({ doc: "model name of /proc/cpuinfo." })),
  cpu_freq_mhz: nullable(
    number({ doc: "Frequency of a core; the mean where cores differ.", unit: "mhz", min: 1 }),
  ),
  cpu_freq_source: nullable(
    oneOf(["override", "cpufreq_max", "cpuinfo"], { doc: "Where the frequency comes from." }),
  ),
  mem_kb: nullable(integer({ doc: "MemTotal of proc_meminfo(5).", unit: "kb", min: 1 })),
  mem_mb: nullable(number({ doc: "The same in MiB.", unit: "mb" })),
  interface: nullable(string({ doc: "Network interface towards the controller." })),
  kernel: nullable(string({ doc: "Kernel release." })),
  cgroup_version: nullable(oneOf(["v1", "v2", "hybrid"], { doc: "cgroup hierarchies mounted." })),
});
/** The machine, {@linkcode NODE_META}. */
export type NodeMeta = RecordOf<typeof NODE_META>;

/** `run_meta.<role>.json`: with which program and flags a role ran. */
export const RUN_META = record("run metadata", {
  format_version: string({ doc: "FORMAT_VERSION of the writer." }),
  run_id: string({ doc: "RUN_ID." }),
  node_id: nullable(NODE),
  role: string({ doc: "collector, worker, scheduler, dispatcher." }),
  version: string({ doc: "Version of Tracekit." }),
  deno_version: string({ doc: "Version of Deno." }),
  ts_start: number({ doc: "Start of the role.", unit: "epoch_ms" }),
  flags: mapOf(string({ doc: "Its value, as text." }), { doc: "Flags in force, secrets removed." }),
  capacity_units: nullable(integer({ doc: "Capacity of a worker.", unit: "vcpu", min: 1 })),
  slots: nullable(integer({ doc: "Slots of a worker; 0: capacity only.", unit: "count", min: 0 })),
  allocation_ratio: nullable(number({ doc: "Over-provisioning factor of a worker." })),
  cpu_binding: nullable(oneOf(["exclusive", "shared"], { doc: "Execution mode of a worker." })),
});
/** With which program and flags a role ran, {@linkcode RUN_META}. */
export type RunMeta = RecordOf<typeof RUN_META>;

/** `roles/<role>.json`: the process that a role runs as. */
export const ROLE_IDENTITY = record("role identity", {
  role: string({ doc: "Name of the role." }),
  run_id: string({ doc: "RUN_ID." }),
  node_id: nullable(NODE),
  pid: PID,
  start_ticks: START_TICKS,
  boot_id: string({ doc: "Boot in which the pid is valid." }),
  ts_start: number({ doc: "Start of the role.", unit: "epoch_ms" }),
});
/** The process that a role runs as, {@linkcode ROLE_IDENTITY}. */
export type RoleIdentity = RecordOf<typeof ROLE_IDENTITY>;
