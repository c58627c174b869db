import { assertEquals } from "@std/assert";
import { type NodePolicy, placeOnNodes } from "../../../scheduler/dispatch/node_policy.ts";
import { completeTask, type Task } from "../../../trace/task.ts";

const DURATIONS_S = [30, 60, 120, 180, 30, 60];
const TASKS = DURATIONS_S.map((seconds, index) =>
  completeTask({ input: String(seconds), output: "o" }, "test", `t${index}`)
);

function durationS({ input }: Task): number {
  return Number(input);
}

function placement(policy: NodePolicy): string {
  return placeOnNodes(TASKS, { nodes: ["a", "b", "c"], policy, durationS })
    .map(({ node, task }) => `${node}${task.input}`).join(" ");
}

Deno.test("placeOnNodes() rr3 goes round the nodes in the order given", () => {
  assertEquals(placement("rr3"), "a30 b60 c120 a180 b30 c60");
});

Deno.test("placeOnNodes() duration-greedy gives each task to the least loaded, in order", () => {
  assertEquals(placement("duration-greedy"), "a30 b60 c120 a180 b30 b60");
});

Deno.test("placeOnNodes() lpt-duration goes longest first", () => {
  assertEquals(placement("lpt-duration"), "a180 b120 c60 c60 b30 c30");
});
