/** Large parsed runs for benchmarks: many tasks side by side on several nodes, rows by time. */

import { join } from "@std/path";
import { JsonLinesWriter } from "../../trace/json_lines.ts";
import { ctsInvocation, ctsNode, RUN_START_MS } from "./cts_run.ts";

/** Size of a run. */
export interface LargeRunOptions {
  /** Folder to write it into. */
  readonly folder: string;
  /** Number of tasks. */
  readonly tasks: number;
  /** Rows of each task. */
  readonly rowsPerTask: number;
  /** Nodes, each with a directory of its own. Default 4. */
  readonly nodes?: number;
  /** Tasks that run at once on a node. Default 16. */
  readonly concurrency?: number;
}

/** Sampling interval of the run, ms. */
const INTERVAL_MS = 200;

/** Write a run of `tasks` × `rowsPerTask` rows as parse does. */
export async function writeLargeRun(
  { folder, tasks, rowsPerTask, nodes = 4, concurrency = 16 }: LargeRunOptions,
): Promise<void> {
  for (let node = 0; node < nodes; node++) {
    const nodeId = `cloud${node + 1}`;
    const cts = join(folder, nodeId, "CTS");
    await Deno.mkdir(cts, { recursive: true });
    await Deno.writeTextFile(
      join(cts, "nodes.json"),
      JSON.stringify([ctsNode({ node_id: nodeId, cpu_cores: 32 })]),
    );
    using invocations = JsonLinesWriter.open(join(cts, "invocations.jsonl"));
    using rows = JsonLinesWriter.open(join(cts, "proc_metrics.jsonl"));
    const own = Array.from({ length: tasks }, (_, task) => task).filter((task) =>
      task % nodes === node
    );
    for (let first = 0; first < own.length; first += concurrency) {
      const batch = own.slice(first, first + concurrency);
      const startMs = RUN_START_MS + (first / concurrency) * (rowsPerTask * INTERVAL_MS + 50);
      invocations.append(batch.map((task, lane) =>
        ctsInvocation({
          trace_id: traceIdOf(task),
          task_id: `t${task}`,
          node: nodeId,
          pid: 1000 + task,
          ts_enqueue: RUN_START_MS + task * 0.5,
          ts_start: startMs + lane * 1.25,
          ts_end: startMs + lane * 1.25 + rowsPerTask * INTERVAL_MS,
          cpu_units: 2,
          max_rss_kb: 100_000,
          samples: rowsPerTask,
        })
      ));
      for (let tick = 1; tick <= rowsPerTask; tick++) {
        let text = "";
        for (const [lane, task] of batch.entries()) {
          const tsMs = startMs + lane * 1.25 + tick * INTERVAL_MS;
          const cpuMs = ((task * 7919 + tick * 104_729) % 380_000) / 1000;
          text +=
            `{"ts_ms":${tsMs},"pid":${1000 + task},"dt_ms":${INTERVAL_MS},"cpu_ms":${cpuMs},` +
            `"rss_kb":${90_000 + tick % 10_000},"trace_id":"${
              traceIdOf(task)
            }","source":"reading"}\n`;
        }
        rows.appendText(text);
      }
    }
  }
}

function traceIdOf(task: number): string {
  return task.toString(16).padStart(32, "0");
}
