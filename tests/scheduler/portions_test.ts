import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { portionsOf } from "../../scheduler/portions.ts";

Deno.test("portionsOf() keeps every task in its order, within the bounds of a call", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 70_000 }), { maxLength: 300 });
  fc.assert(fc.property(sizes, (tasks) => {
    const portions = portionsOf(tasks, (chars) => chars);
    assertEquals(portions.flat(), tasks);
    for (const portion of portions) {
      const chars = portion.reduce((sum, task) => sum + task, 0);
      assert(portion.length > 0 && portion.length <= 64, `${portion.length} tasks`);
      assert(chars <= 200_000, `${chars} characters`);
    }
  }));
});

Deno.test("portionsOf() sends what is too long by itself alone", () => {
  assertEquals(portionsOf([5, 300_000, 6, 7], (chars) => chars), [[5], [300_000], [6, 7]]);
});

Deno.test("portionsOf() fills each call but the last", () => {
  const lengths = portionsOf(Array(200).fill(300), (chars) => chars).map(({ length }) => length);
  assertEquals(lengths, [64, 64, 64, 8]);
});
