import { assertEquals } from "@std/assert";
import { reportOf } from "../../tasks/demo/report.ts";
import { ctsInvocation } from "../support/cts_run.ts";

Deno.test("reportOf() names the log of what failed", () => {
  const failed = ctsInvocation({
    trace_id: "x",
    task_id: "t1",
    attempt: 2,
    node: "cloud2",
    state: "failed",
  });
  const lines = reportOf({
    runId: "r",
    total: 1,
    ended: { done: 0, failed: 1, dead: 0, cancelled: 0 },
    invocations: [failed],
    audits: [],
    screen: [],
    runDir: "/logs/r",
    exportDir: "/export",
    report: "/logs/r/report.html",
  });
  assertEquals(lines.filter((line) => line.startsWith("t1 failed")), [
    "t1 failed: what it said is in /logs/r/cloud2/task_logs/t1.2.log",
  ]);
});
