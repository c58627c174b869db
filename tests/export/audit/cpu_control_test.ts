import { assertEquals } from "@std/assert";
import type { AttemptEvent } from "../../../export/cts/attempt_records.ts";
import { cpuControlAccount } from "../../../export/audit/cpu_control.ts";

/** An attempt of which only CPU control is told. */
function attempt(
  given: Pick<AttemptEvent, "cpu_binding" | "is_cpuset_shared" | "throttled_ms">,
): AttemptEvent {
  return {
    ...{ ts_start: 0, boot_start_ms: 0, ts_end: 1, boot_end_ms: 1, ts_enqueue: null },
    ...{ pid: 1, start_ticks: 1, event: "exit", trace_id: "t", span_id: "s", module_id: "command" },
    ...{ task_id: null, attempt: null, profile: null, node: "n1", cpuset: null, cpu_units: null },
    ...{ status: 0, is_aborted: null, user_ms: 0, system_ms: 0, cpu_ms: null, cpu_source: null },
    ...{ max_rss_kb: null, max_rss_source: null },
    ...given,
  };
}

Deno.test("cpuControlAccount() counts bindings, want of cores and throttling", () => {
  const events = [
    attempt({ cpu_binding: "exclusive", is_cpuset_shared: false, throttled_ms: null }),
    attempt({ cpu_binding: "exclusive", is_cpuset_shared: true, throttled_ms: 0 }),
    attempt({ cpu_binding: "shared", is_cpuset_shared: null, throttled_ms: 1.5 }),
    attempt({ cpu_binding: "shared", is_cpuset_shared: null, throttled_ms: 0.25 }),
    attempt({ cpu_binding: null, is_cpuset_shared: null, throttled_ms: null }),
  ];
  assertEquals(cpuControlAccount(events, { cgroup_v1: 7 }), {
    bindings: { exclusive: 2, shared: 2, unknown: 1 },
    on_shared_cores: 1,
    limits_set: { cgroup_v1: 7 },
    throttled: 2,
    throttled_ms: 1.75,
  });
});

Deno.test("cpuControlAccount() does not take unknown throttling for none", () => {
  const events = [attempt({ cpu_binding: "none", is_cpuset_shared: null, throttled_ms: null })];
  assertEquals(cpuControlAccount(events, {}).throttled_ms, null);
});
