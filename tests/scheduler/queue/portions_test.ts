import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { portionsOf } from "../../../scheduler/queue/portions.ts";

Deno.test("portionsOf() keeps every task in its order, within the bounds of a call", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 70_000 }), { maxLength: 300 });
  fc.assert(fc.property(sizes, (tasks) => {
    const portions = portionsOf(tasks, { charsOf: (chars) => chars });
    assertEquals(portions.flat(), tasks);
    for (const portion of portions) {
      const chars = portion.reduce((sum, task) => sum + task, 0);
      assert(portion.length > 0 && portion.length <= 64, `${portion.length} tasks`);
      assert(chars <= 200_000, `${chars} characters`);
    }
  }));
});

Deno.test("portionsOf() sends what is too long by itself alone", () => {
  const portions = portionsOf([5, 300_000, 6, 7], { charsOf: (chars) => chars });
  assertEquals(portions, [[5], [300_000], [6, 7]]);
});

Deno.test("portionsOf() fills each call but the last", () => {
  const portions = portionsOf(Array(200).fill(300), { charsOf: (chars) => chars });
  assertEquals(portions.map(({ length }) => length), [64, 64, 64, 8]);
});

Deno.test("portionsOf() puts fewer tasks into a call that goes to many nodes", () => {
  const tasks = Array.from({ length: 100 }, (_, at) => at);
  const sizes = (nodes: number) =>
    portionsOf(tasks, { charsOf: () => 300, nodeOf: (at) => `n${at % nodes}` })
      .map(({ length }) => length);
  assertEquals(sizes(1), [64, 36]);
  assertEquals(sizes(10), [55, 45]);
  assertEquals(sizes(100), [32, 32, 32, 4]);
});
