import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { SourcedInvocation } from "../../../export/opendc/input.ts";
import {
  type Candidate,
  coresAt95,
  coresAtPeak,
  selectInvocations,
  taskIds,
  taskNames,
} from "../../../export/opendc/tasks.ts";
import { ctsInvocation, RUN_START_MS } from "../../support/cts_run.ts";

function sourced(given: Parameters<typeof ctsInvocation>[0]): SourcedInvocation {
  return { ...ctsInvocation(given), source: 0 };
}

function candidates(given: readonly Parameters<typeof ctsInvocation>[0][]): readonly Candidate[] {
  return selectInvocations(given.map(sourced), { status: "all", areServicesExported: false })
    .candidates;
}

Deno.test("selectInvocations() orders by submission, then by start", () => {
  const { candidates } = selectInvocations([
    sourced({ trace_id: "late", ts_enqueue: RUN_START_MS + 5 }),
    sourced({ trace_id: "second", ts_enqueue: RUN_START_MS, ts_start: RUN_START_MS + 2 }),
    sourced({ trace_id: "first", ts_enqueue: RUN_START_MS, ts_start: RUN_START_MS + 1 }),
    sourced({ trace_id: "untold", ts_enqueue: null, ts_start: RUN_START_MS + 3 }),
  ], { status: "done", areServicesExported: false });
  assertEquals(candidates.map(({ trace_id }) => trace_id), ["first", "second", "untold", "late"]);
});

Deno.test("selectInvocations() never takes a superseded attempt or one without an end", () => {
  const all = [
    sourced({ trace_id: "done" }),
    sourced({ trace_id: "superseded", state: "superseded" }),
    sourced({ trace_id: "running", state: "running", ts_end: null }),
    sourced({ trace_id: "endless", ts_end: null }),
    sourced({ trace_id: "backwards", ts_end: RUN_START_MS - 1 }),
    sourced({ trace_id: "failed", state: "failed" }),
  ];
  const done = selectInvocations(all, { status: "done", areServicesExported: false });
  assertEquals(done.candidates.map(({ trace_id }) => trace_id), ["done"]);
  assertEquals(done.leftOut.map(({ trace_id, reason }) => [trace_id, reason]), [
    ["superseded", "superseded"],
    ["running", "no_end"],
    ["endless", "no_end"],
    ["backwards", "no_end"],
    ["failed", "not_done"],
  ]);
  const every = selectInvocations(all, { status: "all", areServicesExported: false });
  assertEquals(every.candidates.map(({ trace_id }) => trace_id), ["done", "failed"]);
});

const ANY_PIDS = fc.array(fc.option(fc.integer({ min: 1, max: 6 })), { maxLength: 12 });

Deno.test("taskIds() are unique int32 in every mode", () => {
  fc.assert(
    fc.property(ANY_PIDS, fc.constantFrom("auto", "pid", "sequential"), (pids, mode) => {
      const ids = taskIds(candidates(pids.map((pid, at) => ({ trace_id: `${at}`, pid }))), mode);
      assertEquals(new Set(ids).size, pids.length);
      assert(ids.every((id) => id >= 1));
    }),
  );
});

Deno.test("taskIds() take the pids where they can", () => {
  const pidsOf = (pids: readonly (number | null)[]) =>
    candidates(pids.map((pid, at) => ({ trace_id: `${at}`, pid })));
  assertEquals([...taskIds(pidsOf([7, 9]), "auto")], [7, 9]);
  assertEquals([...taskIds(pidsOf([7, 7]), "auto")], [1, 2]);
  assertEquals([...taskIds(pidsOf([7, null]), "auto")], [1, 2]);
  assertEquals([...taskIds(pidsOf([7, 7, 9, null]), "pid")], [7, 10, 9, 11]);
  assertEquals([...taskIds(pidsOf([7, 9]), "sequential")], [1, 2]);
  assertThrows(
    () => taskIds(pidsOf([2 ** 31 - 1, null]), "pid"),
    RangeError,
    "--task-id-mode sequential",
  );
});

Deno.test("taskNames() tell apart what has one task id", () => {
  const names = taskNames(candidates([
    { trace_id: "a", task_id: "t1" },
    { trace_id: "b", task_id: "t1", attempt: 2 },
    { trace_id: "c", task_id: null },
    { trace_id: "c", task_id: null, span_id: "s2" },
  ]));
  assertEquals(names, ["t1", "t1#2", "c", "c-s2"]);
});

Deno.test("coresAt95() weighs by duration, coresAtPeak() does not", () => {
  const fragments = {
    length: 3,
    durationMs: Float64Array.of(90, 6, 4),
    cores: Float64Array.of(1, 2, 3),
    duplicates: 0,
    outside: 0,
  };
  assertEquals(coresAt95(fragments), 2);
  assertEquals(coresAtPeak(fragments), 3);
});
