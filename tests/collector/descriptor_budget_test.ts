import { assertEquals } from "@std/assert";
import { DescriptorBudget } from "../../collector/descriptor_budget.ts";

Deno.test("DescriptorBudget has room up to a reserve, and is ample up to the half", () => {
  const budget = new DescriptorBudget(264);
  const held: Disposable[] = [];
  while (budget.isAmple) held.push(budget.take());
  assertEquals([held.length, budget.hasRoom], [100, true]);
  while (budget.hasRoom) held.push(budget.take());
  assertEquals(held.length, 264 - 64);
  held.pop()?.[Symbol.dispose]();
  assertEquals([budget.hasRoom, budget.isAmple], [true, false]);
});
