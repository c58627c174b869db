/**
 * What is known of an invocation before it is started: the base of each of its event lines.
 *
 * @module
 */

import { INVOCATION_EVENT, type InvocationEvent } from "../trace/records.ts";
import type { Task } from "../trace/task.ts";
import { type ClockReading } from "../trace/clock.ts";
import { contextOf, type TraceContext } from "./trace_context.ts";

/** Who records: the same for every invocation of an adapter. */
export interface EventOrigin {
  /** NODE_ID. */
  readonly nodeId: string;
  /** STAGE. */
  readonly stage: string | null;
  /** Identity of this adapter process. */
  readonly instanceId: string;
}

/** An event of which nothing is known. */
const UNKNOWN = Object.fromEntries(
  Object.keys(INVOCATION_EVENT.fields).map((name) => [name, null]),
) as Record<keyof InvocationEvent, null>;

/** The context of a new invocation: in the caller's trace when it gave one, else in a new one. */
export function newContext(traceparent: string | null): TraceContext {
  return contextOf(traceparent === null ? [] : [traceparent], randomHex);
}

function randomHex(digits: number): string {
  return crypto.getRandomValues(new Uint8Array(digits / 2)).toHex();
}

/** The event of an attempt of `task`. */
export function taskEvent(
  task: Task,
  { context, origin }: { readonly context: TraceContext; readonly origin: EventOrigin },
): InvocationEvent {
  return {
    ...originEvent(context, origin),
    module_id: task.kind,
    task_id: task.task_id,
    attempt: task.attempt,
    profile: task.profile,
    ts_enqueue: task.ts_enqueue,
    path: task.kind === "ffmpeg" ? "ffmpeg" : task.argv?.[0] ?? null,
    input: task.input,
    output: task.output,
    cpu_units: task.cpu_units,
  };
}

/** The event of a command that nobody queued. */
export function commandEvent(
  argv: readonly string[],
  { context, origin }: { readonly context: TraceContext; readonly origin: EventOrigin },
): InvocationEvent {
  const program = argv[0]?.split("/").at(-1) ?? null;
  const isFfmpeg = program === "ffmpeg";
  const input = isFfmpeg ? argv[argv.indexOf("-i") + 1] ?? null : null;
  const last = argv.at(-1) ?? "";
  return {
    ...originEvent(context, origin),
    module_id: isFfmpeg ? "ffmpeg" : "command",
    path: program,
    input: argv.includes("-i") ? input : null,
    output: isFfmpeg && argv.length > 1 && !last.startsWith("-") ? last : null,
  };
}

function originEvent(
  { traceId, spanId, parentId }: TraceContext,
  { nodeId, stage, instanceId }: EventOrigin,
): InvocationEvent {
  return {
    ...UNKNOWN,
    event: "launch",
    trace_id: traceId,
    span_id: spanId,
    parent_id: parentId,
    module_id: "command",
    instance_id: instanceId,
    node: nodeId,
    stage,
    method: "CLI",
  };
}

/** What of an event says when it began and ended. */
export function timesOf(
  start: ClockReading,
  end: ClockReading | null,
): Pick<InvocationEvent, "ts_start" | "ts_end" | "boot_start_ms" | "boot_end_ms"> {
  return {
    ts_start: start.tsMs,
    ts_end: end?.tsMs ?? null,
    boot_start_ms: start.bootMs,
    boot_end_ms: end?.bootMs ?? null,
  };
}
