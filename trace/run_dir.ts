/**
 * Where each file of a run is, and the rules of the names that become parts of a path.
 *
 * A node's run directory is `logs/<RUN_ID>/`; `logs/<RUN_ID>/<NODE_ID>/` where the runs of several
 * nodes are together. Nothing is ever written outside it but outputs and exports.
 *
 * @module
 */

import { join } from "@std/path";
import { quote } from "./schema.ts";

/** What a RUN_ID, NODE_ID or task id may be; `.` and `..` are refused besides. */
const IDENTIFIER = /^[A-Za-z0-9._-]{1,64}$/;

/** Node names that would collide with the queue's own keys `q:pending` and `q:dead`. */
const RESERVED_NODE_IDS = ["pending", "dead"];

/** True when `text` may be part of a path and of a key: 1 to 64 of `A-Za-z0-9._-`, not `.` or `..`. */
export function isIdentifier(text: string): boolean {
  return IDENTIFIER.test(text) && text !== "." && text !== "..";
}

/**
 * `text` as a RUN_ID.
 *
 * @throws {RangeError} when it is not 1 to 64 characters of `A-Za-z0-9._-`, or is `.` or `..`.
 */
export function parseRunId(text: string): string {
  return parseIdentifier("RUN_ID", text);
}

/**
 * `text` as a NODE_ID.
 *
 * @throws {RangeError} as {@linkcode parseRunId}, and for `pending` and `dead`, which name queues.
 */
export function parseNodeId(text: string): string {
  if (RESERVED_NODE_IDS.includes(text)) {
    throw new RangeError(
      `Cannot use NODE_ID "${text}": a name other than ${
        RESERVED_NODE_IDS.join(" and ")
      } is required`,
    );
  }
  return parseIdentifier("NODE_ID", text);
}

function parseIdentifier(name: string, text: string): string {
  if (isIdentifier(text)) return text;
  const got = text.length > 64 ? `${text.length} characters` : quote(text);
  throw new RangeError(
    `Cannot use ${name}: 1 to 64 characters of A-Za-z0-9._- are required (not "." or ".."), got ${got}`,
  );
}

/** A new RUN_ID from a time: `20250901T120000Z`, in UTC, as the seeds' `date -u +%Y%m%dT%H%M%SZ`. */
export function runIdAt(tsMs: number): string {
  return new Date(tsMs).toISOString().replace(/[-:]|\.\d+/g, "");
}

/** The files of one node's run directory. */
export class RunDir {
  /** The directory itself. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * The run directory of `runId` under `logs`: `logs/<runId>/`, or `logs/<runId>/<nodeId>/` when a
   * node is given.
   *
   * @throws {RangeError} when an id is not valid.
   */
  static of(logs: string, runId: string, nodeId?: string): RunDir {
    const run = join(logs, parseRunId(runId));
    return new RunDir(nodeId === undefined ? run : join(run, parseNodeId(nodeId)));
  }

  /** A directory that is known to be a node's run directory. */
  static at(path: string): RunDir {
    return new RunDir(path);
  }

  /** Raw samples, {@linkcode RAW_SAMPLE}. */
  get procMetrics(): string {
    return join(this.path, "proc_metrics.jsonl");
  }
  /** The processes behind the samples, {@linkcode PROCESS}. */
  get processes(): string {
    return join(this.path, "processes.jsonl");
  }
  /** The node, {@linkcode NODE_META}. */
  get nodeMeta(): string {
    return join(this.path, "node_meta.json");
  }
  /** What a service behind the HTTP adapter used, {@linkcode SERVICE_CPU}. */
  get serviceCpu(): string {
    return join(this.path, "service_cpu.jsonl");
  }
  /** The collector's account of itself, {@linkcode COLLECTOR_STATS}. */
  get collectorStats(): string {
    return join(this.path, "collector_stats.jsonl");
  }
  /** The whole host, {@linkcode HOST_METRICS}. */
  get hostMetrics(): string {
    return join(this.path, "host_metrics.jsonl");
  }
  /** Offsets to the controller's clock, {@linkcode CLOCK_OFFSET}. */
  get clock(): string {
    return join(this.path, "clock.jsonl");
  }
  /** What the time sync before the run printed. */
  get timesyncLog(): string {
    return join(this.path, "timesync.log");
  }
  /** Which attempts the queue accepted, {@linkcode TASK_RESULT}. */
  get results(): string {
    return join(this.path, "results.jsonl");
  }
  /** When the queue lost data, {@linkcode DATA_LOSS}. */
  get dataLosses(): string {
    return join(this.path, "data_losses.jsonl");
  }
  /** Flags of each dispatch and of each time that one was resumed, {@linkcode RUN_META}. */
  get dispatches(): string {
    return join(this.path, "dispatches.jsonl");
  }
  /** CPU limits over time, {@linkcode CPU_SHARE}. */
  get shares(): string {
    return join(this.path, "shares.jsonl");
  }
  /** The scheduler's decisions, {@linkcode PLACEMENT_EVENT}. */
  get placementEvents(): string {
    return join(this.path, "placement_events.jsonl");
  }
  /** A journal of each adapter that runs here: what it leaves running should it crash. */
  get adapters(): string {
    return join(this.path, "adapters");
  }
  /** Sentinels of running processes, by default PROC_PID_DIR. */
  get pids(): string {
    return join(this.path, "pids");
  }
  /** What queue tasks wrote to stdout and stderr. */
  get taskLogs(): string {
    return join(this.path, "task_logs");
  }
  /** Roles that run here now. */
  get roles(): string {
    return join(this.path, "roles");
  }
  /** The parsed run: what export reads. */
  get cts(): string {
    return join(this.path, "CTS");
  }

  /** Invocation events of one adapter module, {@linkcode INVOCATION_EVENT}. */
  events(moduleId: string): string {
    return join(this.path, `events.${parseIdentifier("module_id", moduleId)}.jsonl`);
  }
  /** Versions, flags and machine of one role, {@linkcode RUN_META}. */
  runMeta(role: string): string {
    return join(this.path, `run_meta.${role}.json`);
  }
  /** Identity of a running role, {@linkcode ROLE_IDENTITY}. */
  role(role: string): string {
    return join(this.roles, `${role}.json`);
  }
}
