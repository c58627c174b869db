/** Large run directories for benchmarks: tasks one after another on many lanes, samples by tick. */

import { join } from "@std/path";
import { JsonLinesWriter } from "../../trace/json_lines.ts";
import { invocationEvent, nodeMeta, RUN_START } from "./raw_run.ts";

/** Size of a run. */
export interface LargeRawRunOptions {
  /** The node's run directory. */
  readonly folder: string;
  /** Samples in all, about. */
  readonly samples: number;
  /** Samples of each task. Default 500. */
  readonly samplesPerTask?: number;
  /** Tasks that run at once. Default 200. */
  readonly concurrency?: number;
}

/** Sampling interval of the run, ms, and how long after its last sample a task ends. */
const INTERVAL_MS = 200;
const TAIL_MS = 100;

/** CPU time that a task uses between two ticks, ns, and behind the last one. */
const USED_NS = 150_000_000;
const TAIL_NS = 70_000_000;

/** Write the run. */
export async function writeLargeRawRun(
  { folder, samples, samplesPerTask = 500, concurrency = 200 }: LargeRawRunOptions,
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, "node_meta.json"), JSON.stringify(nodeMeta()));
  using events = JsonLinesWriter.open(join(folder, "events.command.jsonl"));
  using lines = JsonLinesWriter.open(join(folder, "proc_metrics.jsonl"));
  const ticks = Math.ceil(samples / concurrency);
  for (let tick = 1; tick <= ticks; tick++) {
    const step = (tick - 1) % samplesPerTask + 1;
    let text = "";
    for (let lane = 0; lane < concurrency; lane++) {
      const task = Math.floor((tick - 1) / samplesPerTask) * concurrency + lane;
      const atMs = tick * INTERVAL_MS + lane * 0.011;
      const cpuNs = step * USED_NS + (task * 7919 + tick * 104_729) % 1_000_000;
      text += `{"ts_ms":${stamp(RUN_START.tsMs + atMs)},"boot_ms":${
        stamp(RUN_START.bootMs + atMs)
      },"pid":${10_000 + task},"start_ticks":${startTicksOf(tick - step)},"trace_id":"${
        traceIdOf(task)
      }","cpu_ns":${cpuNs},"rss_kb":${90_000 + step}}\n`;
      if (step === samplesPerTask || tick === ticks) {
        events.append([eventOf(task, { startTick: tick - step, endTick: tick })]);
      }
    }
    lines.appendText(text);
  }
}

function eventOf(
  task: number,
  { startTick, endTick }: { startTick: number; endTick: number },
): object {
  const life = { startMs: startTick * INTERVAL_MS, endMs: endTick * INTERVAL_MS + TAIL_MS };
  return invocationEvent(life, {
    trace_id: traceIdOf(task),
    span_id: traceIdOf(task).slice(16),
    task_id: `t${task}`,
    pid: 10_000 + task,
    start_ticks: startTicksOf(startTick),
    user_ms: ((endTick - startTick) * USED_NS + TAIL_NS) / 1e6,
  });
}

function startTicksOf(tick: number): number {
  return (RUN_START.bootMs + tick * INTERVAL_MS) / 10;
}

function traceIdOf(task: number): string {
  return task.toString(16).padStart(32, "0");
}

function stamp(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
