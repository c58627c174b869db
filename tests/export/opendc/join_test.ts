import { assertEquals } from "@std/assert";
import { TaskIndex } from "../../../export/opendc/join.ts";
import type { SourcedInvocation } from "../../../export/opendc/input.ts";
import { ctsInvocation, RUN_START_MS as T } from "../../support/cts_run.ts";

function invocation(
  source: number,
  given: Parameters<typeof ctsInvocation>[0],
): SourcedInvocation {
  return { ...ctsInvocation(given), source };
}

interface Row {
  readonly spanId: string | null;
  readonly traceId: string | null;
  readonly pid: number;
  readonly tsMs: number;
  readonly source: number;
}

const NOBODY: Row = { spanId: null, traceId: null, pid: 0, tsMs: T, source: 0 };

function find(index: TaskIndex, given: Partial<Row>): number {
  const { spanId, traceId, pid, tsMs, source } = { ...NOBODY, ...given };
  return index.find({ tail: { spanId, traceId }, pid, tsMs }, source);
}

const RUN = [
  invocation(0, { trace_id: "a", pid: 7, ts_start: T, ts_end: T + 100 }),
  invocation(1, { trace_id: "b", pid: 7, ts_start: T, ts_end: T + 100 }),
  // The same pid used again.
  invocation(0, { trace_id: "c", pid: 7, ts_start: T + 200, ts_end: T + 300 }),
  // Two attempts of one trace.
  invocation(0, { trace_id: "d", span_id: "d1", pid: 8, ts_start: T, ts_end: T + 100 }),
  invocation(0, { trace_id: "d", span_id: "d2", pid: 9, ts_start: T + 200, ts_end: T + 300 }),
];
const INDEX = new TaskIndex(RUN, { candidates: RUN });

const CASES = [
  ["by trace_id", { traceId: "b" }, 1],
  ["by span_id before anything else", { spanId: "d2", traceId: "d", tsMs: T + 50 }, 4],
  ["by time among attempts that share a trace_id", { traceId: "d", tsMs: T + 290 }, 4],
  ["to the nearest attempt when it is in none", { traceId: "d", tsMs: T + 110 }, 3],
  ["by pid within its own source", { pid: 7, source: 1, tsMs: T + 50 }, 1],
  ["by pid and time when the pid was used again", { pid: 7, tsMs: T + 250 }, 2],
] as const;

for (const [name, row, task] of CASES) {
  Deno.test(`TaskIndex finds a row's task ${name}`, () => {
    assertEquals(find(INDEX, row), task);
  });
}

Deno.test("TaskIndex tells foreign rows from those of invocations that are left out", () => {
  const index = new TaskIndex(RUN, { candidates: RUN.slice(1) });
  const leftOut = find(index, { traceId: "a" });
  const foreign = find(index, { traceId: "nobody" });
  const between = find(index, { pid: 7, tsMs: T + 150 });
  assertEquals([leftOut < 0, foreign < 0, between === foreign, leftOut === foreign], [
    true,
    true,
    true,
    false,
  ]);
});
