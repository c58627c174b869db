/**
 * The lines of `events.<module>.jsonl` that an attempt leaves. Pure.
 *
 * @module
 */

import type { AdapterHello } from "../trace/adapter_protocol.ts";
import type { ClockReading } from "../trace/clock.ts";
import { INVOCATION_EVENT, type InvocationEvent } from "../trace/records.ts";
import type { Task } from "../trace/task.ts";

/** An event of which nothing is known. */
const UNKNOWN = Object.fromEntries(
  Object.keys(INVOCATION_EVENT.fields).map((name) => [name, null]),
) as Record<keyof InvocationEvent, null>;

/** Identity of an attempt. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
}

/** A new identity: 16 and 8 random bytes, as W3C trace context has them. */
export function newSpan(): Span {
  return { traceId: randomHex(16), spanId: randomHex(8), parentId: null };
}

function randomHex(byteCount: number): string {
  return crypto.getRandomValues(new Uint8Array(byteCount)).toHex();
}

/** The event that every later one of the attempt repeats: what is known before the spawn. */
export function taskEvent(
  task: Task,
  { span, hello, instanceId }: {
    readonly span: Span;
    readonly hello: Pick<AdapterHello, "node_id" | "stage">;
    readonly instanceId: string;
  },
): InvocationEvent {
  return {
    ...UNKNOWN,
    event: "launch",
    trace_id: span.traceId,
    span_id: span.spanId,
    parent_id: span.parentId,
    module_id: task.kind,
    instance_id: instanceId,
    task_id: task.task_id,
    attempt: task.attempt,
    profile: task.profile,
    ts_enqueue: task.ts_enqueue,
    node: hello.node_id,
    stage: hello.stage,
    method: "CLI",
    path: task.kind === "ffmpeg" ? "ffmpeg" : task.argv?.[0] ?? null,
    input: task.input,
    output: task.output,
    cpu_units: task.cpu_units,
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
