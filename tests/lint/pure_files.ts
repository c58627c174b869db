/**
 * Files without clock, randomness or I/O: the same input gives the same output, on any machine. The
 * lint plugin keeps them so, and the architecture test looks that they import nothing else.
 */
export const PURE_FILES: readonly string[] = [
  "adapter/http_cpu_shares.ts",
  "adapter/http_headers.ts",
  "adapter/http_trace_context.ts",
  "scheduler/arrivals.ts",
  "scheduler/dispatch_plan.ts",
  "scheduler/mix.ts",
  "scheduler/node_policy.ts",
  "scheduler/profiles.ts",
  "scheduler/python_random.ts",
  "tasks/_video_recipe.ts",
  "trace/adapter_protocol.ts",
  "trace/container.ts",
  "trace/cts.ts",
  "trace/event_records.ts",
  "trace/observation_records.ts",
  "trace/record_fields.ts",
  "trace/records.ts",
  "trace/run_dir.ts",
  "trace/run_records.ts",
  "trace/schema.ts",
  "trace/task.ts",
  "trace/units.ts",
];
