/**
 * What is in the files of a run directory while it is recorded. Times `ts_*` are epoch ms with
 * decimals where the source has them; the boot clock is beside them where order or intervals
 * matter. Fields are added, never renamed.
 *
 * @module
 */

export {
  CLOCK_OFFSET,
  type ClockOffset,
  COLLECTOR_STATS,
  type CollectorStats,
  HOST_METRICS,
  type HostMetrics,
  PROCESS,
  type Process,
  RAW_SAMPLE,
  type RawSample,
} from "./observation_records.ts";
export {
  CPU_SHARE,
  type CpuShare,
  DATA_LOSS,
  type DataLoss,
  END_STATES,
  INVOCATION_EVENT,
  type InvocationEvent,
  MEMORY_SOURCES,
  PLACEMENT_EVENT,
  type PlacementEvent,
  SENTINEL,
  type Sentinel,
  SERVICE_CPU,
  type ServiceCpu,
  TASK_RESULT,
  type TaskResult,
  TOTAL_SOURCES,
} from "./event_records.ts";
export {
  NODE_META,
  type NodeMeta,
  ROLE_IDENTITY,
  type RoleIdentity,
  RUN_META,
  type RunMeta,
} from "./run_records.ts";

/** Version of these records; a reader refuses a newer major. */
export const FORMAT_VERSION = "1.0";
