/**
 * Files without clock, randomness or I/O: the same input gives the same output, on any machine. The
 * lint plugin keeps them so, and the architecture test looks that they import nothing else.
 */
export const PURE_FILES: readonly string[] = [
  "trace/adapter_protocol.ts",
  "trace/container.ts",
  "trace/cts.ts",
  "trace/records.ts",
  "trace/schema.ts",
  "trace/task.ts",
  "trace/units.ts",
];
