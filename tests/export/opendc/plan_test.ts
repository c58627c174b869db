import { assertEquals } from "@std/assert";
import { fragmentsOfTask, planTasks } from "../../../export/opendc/plan.ts";
import { RowStore } from "../../../export/opendc/rows.ts";
import { selectInvocations } from "../../../export/opendc/tasks.ts";
import { ctsInvocation, ctsNode, RUN_START_MS as T } from "../../support/cts_run.ts";

const OVER_PROVISIONED = ctsNode({ node_id: "cloud1", cpu_cores: 2, capacity_units: 8 });

/** Plan tasks without rows on a node of 2 cores that offers 8 vCPUs. */
function plan(
  given: readonly Parameters<typeof ctsInvocation>[0][],
  { isFilling }: { readonly isFilling: boolean },
): { readonly kinds: readonly string[]; readonly cores: readonly number[] } {
  using store = new RowStore({ tasks: given.length, spillPath: "/nowhere" });
  store.seal();
  const { candidates } = selectInvocations(
    given.map((one) => ({ ...ctsInvocation(one), source: 0 })),
    { status: "all", areServicesExported: false },
  );
  const { tasks, notMeasured } = planTasks(candidates, {
    store,
    peakRssKb: new Float64Array(given.length),
    hosts: new Map([["cloud1", { node: OVER_PROVISIONED, freqMhz: 2400 }]]),
    taskIdMode: "auto",
    isFilling,
  });
  return {
    kinds: [...tasks.map(({ kind }) => kind), ...notMeasured.map(({ reason }) => reason)],
    cores: tasks.map((task) => fragmentsOfTask(task, store).cores[0] ?? NaN),
  };
}

Deno.test("planTasks() keeps an exact total without rows, and leaves out what has neither", () => {
  const given = [
    { trace_id: "total", cpu_ms: 500, ts_end: T + 1000 },
    { trace_id: "none", cpu_units: 2 },
  ];
  assertEquals(plan(given, { isFilling: false }), {
    kinds: ["total", "not_measured"],
    cores: [0.5],
  });
});

Deno.test("planTasks() fills from the reservation, as far as the machine has it", () => {
  const given = [
    { trace_id: "one", cpu_units: 1, ts_start: T, pid: 1 },
    { trace_id: "six", cpu_units: 6, ts_start: T + 1, pid: 2 },
  ];
  assertEquals(plan(given, { isFilling: true }), { kinds: ["filled", "filled"], cores: [1, 2] });
});

Deno.test("planTasks() does not fill where nothing was reserved", () => {
  const given = [{ trace_id: "command", cpu_units: null }];
  assertEquals(plan(given, { isFilling: true }), { kinds: ["not_measured"], cores: [] });
});
