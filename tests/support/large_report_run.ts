/** Large parsed runs of many different tasks, for the bench of reports: the same seed, the same run. */

import { join } from "@std/path";
import { JsonLinesWriter } from "../../trace/json_lines.ts";
import { ctsInvocation, ctsNode, RUN_START_MS } from "./cts_run.ts";

/** Size of a run. */
export interface LargeReportRunOptions {
  /** Folder to write it into. */
  readonly folder: string;
  /** Number of tasks. */
  readonly tasks: number;
  /** Nodes, each with a directory of its own. */
  readonly nodes: number;
  /** Rows of samples of each task. */
  readonly rowsPerTask: number;
}

/** Tasks that run at once on a node. */
const LANES = 8;

/** Mean run time, ms; run times are exponential. */
const RUN_MS = 20_000;

/** Part of the tasks that fail. */
const FAILED = 0.01;

/** Write the run: each lane of each node takes the next task as soon as it is free. */
export async function writeLargeReportRun(
  { folder, tasks, nodes, rowsPerTask }: LargeReportRunOptions,
): Promise<void> {
  let state = 1;
  const random = (): number => (state = state * 16_807 % 2_147_483_647) / 2_147_483_647;
  await Deno.mkdir(folder, { recursive: true });
  using results = JsonLinesWriter.open(join(folder, "results.jsonl"));
  for (let node = 0; node < nodes; node++) {
    const nodeId = `node${node + 1}`;
    const cts = join(folder, nodeId, "CTS");
    await Deno.mkdir(cts, { recursive: true });
    const about = ctsNode({ node_id: nodeId, cpu_cores: 16, capacity_units: 16 });
    await Deno.writeTextFile(join(cts, "nodes.json"), JSON.stringify([about]));
    using invocations = JsonLinesWriter.open(join(cts, "invocations.jsonl"));
    using rows = JsonLinesWriter.open(join(cts, "proc_metrics.jsonl"));
    const free = new Float64Array(LANES).map(() => RUN_START_MS + random() * 5000);
    for (let task = node; task < tasks; task += nodes) {
      const lane = free.indexOf(free.reduce((least, one) => Math.min(least, one), Infinity));
      const enqueue = RUN_START_MS + task * RUN_MS / (nodes * LANES) * 0.9;
      const assigned = Math.max(enqueue + 2 * random(), free[lane] as number);
      const start = assigned + 4 + 8 * random();
      const run = 50 - RUN_MS * Math.log(1 - random());
      free[lane] = start + run + 5;
      const isFailed = random() < FAILED;
      const cpuMs = run * (0.2 + 1.6 * random());
      const one = {
        task_id: `20250901T120000Z-ab12-${String(task).padStart(7, "0")}`,
        attempt: 1,
        node: nodeId,
        state: isFailed ? "failed" : "done",
        status: isFailed ? 1 : 0,
        ts_enqueue: stamp(enqueue),
        cpu_units: 2,
        profile: `profile${Math.floor(5 * random())}`,
      } as const;
      results.append([{
        ...one,
        reason: null,
        ts_assigned: stamp(assigned),
        ts_finish: stamp(start + run + 2),
        seq: task + 1,
      }]);
      invocations.append([ctsInvocation({
        ...one,
        trace_id: task.toString(16).padStart(32, "0"),
        pid: 1000 + task % 30_000,
        ts_start: stamp(start),
        ts_end: stamp(start + run),
        cpu_ms: stamp(cpuMs),
        cpu_source: "cgroup_v2",
        cpu_seen_ms: stamp(cpuMs * 0.99),
        max_rss_kb: Math.floor(50_000 + 400_000 * random()),
        samples: rowsPerTask,
      })]);
      let text = "";
      for (let row = 1; row <= rowsPerTask; row++) {
        text += JSON.stringify({
          ts_ms: stamp(start + run * row / rowsPerTask),
          pid: 1000 + task % 30_000,
          dt_ms: stamp(run / rowsPerTask),
          cpu_ms: stamp(cpuMs / rowsPerTask),
          rss_kb: Math.floor(400_000 * random()),
          trace_id: task.toString(16).padStart(32, "0"),
          source: "reading",
        }) + "\n";
      }
      if (text !== "") rows.appendText(text);
    }
  }
}

/** To the µs, as records have it. */
function stamp(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
