import { assert, assertEquals, assertThrows } from "@std/assert";
import { resolve } from "@std/path";
import fc from "fast-check";
import { isIdentifier, parseNodeId, parseRunId, RunDir, runIdAt } from "../../trace/run_dir.ts";

const VALID = ["a", "20250901T120000Z", "node-1.example_x", "...", "-x", "x".repeat(64)];

const INVALID = [
  "",
  ".",
  "..",
  "../../x",
  "a/b",
  "/etc",
  "a b",
  "a\n",
  "ä",
  "a\0b",
  "x".repeat(65),
  "x".repeat(300),
];

for (const id of VALID) {
  Deno.test(`parseRunId() accepts ${id.slice(0, 20)} (${id.length} characters)`, () => {
    assertEquals(parseRunId(id), id);
    assertEquals(parseNodeId(id), id);
  });
}

for (const id of INVALID) {
  Deno.test(`parseRunId() refuses ${JSON.stringify(id).slice(0, 20)} (${id.length} characters)`, () => {
    assertThrows(() => parseRunId(id), RangeError, "Cannot use RUN_ID: 1 to 64 characters");
    assertThrows(() => parseNodeId(id), RangeError, "Cannot use NODE_ID: 1 to 64 characters");
    assertThrows(() => RunDir.of("logs", id), RangeError);
    assertThrows(() => RunDir.of("logs", "run", id), RangeError);
    assertThrows(() => RunDir.of("logs", "run").events(id), RangeError);
  });
}

Deno.test("parseRunId() does not repeat 300 characters", () => {
  const error = assertThrows(() => parseRunId("x".repeat(300)), RangeError);
  assert(error.message.endsWith("got 300 characters"), error.message);
});

for (const id of ["pending", "dead"]) {
  Deno.test(`parseNodeId() refuses ${id}, whose queue would be the queue's own`, () => {
    assertThrows(() => parseNodeId(id), RangeError, "a name other than pending and dead");
    assertEquals(parseRunId(id), id);
  });
}

Deno.test("RunDir.of() stays inside the folder of runs, whatever the ids", () => {
  const logs = resolve("logs");
  fc.assert(fc.property(fc.string(), fc.string(), (runId, nodeId) => {
    fc.pre(isIdentifier(runId) && isIdentifier(nodeId));
    fc.pre(nodeId !== "pending" && nodeId !== "dead");
    assert(resolve(RunDir.of(logs, runId, nodeId).path).startsWith(`${logs}/${runId}/`));
  }));
});

Deno.test("RunDir.of() gives a node a folder of its own only when asked", () => {
  assertEquals(RunDir.of("logs", "run").path, "logs/run");
  assertEquals(RunDir.of("logs", "run", "cloud1").path, "logs/run/cloud1");
  assertEquals(RunDir.of("logs", "run", "cloud1").pids, "logs/run/cloud1/pids");
});

Deno.test("runIdAt() writes UTC as date -u +%Y%m%dT%H%M%SZ does", () => {
  assertEquals(runIdAt(Date.UTC(2025, 8, 1, 12, 0, 0, 123)), "20250901T120000Z");
  assert(isIdentifier(runIdAt(Date.UTC(2025, 0, 2))));
});
