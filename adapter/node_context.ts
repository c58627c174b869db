/**
 * What all attempts on a node share.
 *
 * @module
 */

import type { AdapterHello } from "../trace/adapter_protocol.ts";
import type { Clock } from "../trace/clock.ts";
import type { CpuControl } from "./place/cpu_control.ts";
import type { DiskRoom } from "./disk_room.ts";
import type { FileRights } from "./file_rights.ts";
import type { EventOrigin } from "./invocation_events.ts";
import type { Journal } from "./journal.ts";
import type { NodeCpus } from "./cpu/node_cpus.ts";
import type { JobRules } from "./prepare_job.ts";
import type { RunFiles } from "./run_files.ts";
import type { Rights } from "./start/spawn_plan.ts";
import type { StartCalls } from "./start/start_calls.ts";
import type { Starter } from "./start/starter.ts";

/** What all attempts on a node share. */
export interface NodeContext {
  /** What the worker asked for. */
  readonly hello: AdapterHello;
  /** Who records. */
  readonly origin: EventOrigin;
  /** Both clocks of this machine. */
  readonly clock: Clock;
  /** Starts processes. */
  readonly starter: Starter;
  /** Gives CPUs to tasks. */
  readonly cpus: NodeCpus;
  /** Makes the places where tasks run. */
  readonly control: CpuControl;
  /** Files of the run directory. */
  readonly files: RunFiles;
  /** Writes records, and waits while the disk is full. */
  readonly room: DiskRoom;
  /** Told of a failure of the run directory that nobody waits for. */
  readonly onFailure: (error: Error) => void;
  /** Null where FFI is unavailable. */
  readonly libc: StartCalls | null;
  /** What a crash may leave. */
  readonly journal: Journal;
  /** Rights of the adapter's own file accesses. */
  readonly fileRights: FileRights;
  /** Rights of tasks; null: the adapter's own. */
  readonly taskRights: Rights | null;
  /** What tasks may do. */
  readonly rules: JobRules;
  /** Environment that every task gets. */
  readonly env: Readonly<Record<string, string>>;
}
