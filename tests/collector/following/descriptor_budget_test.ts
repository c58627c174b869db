import { assertEquals } from "@std/assert";
import { DescriptorBudget } from "../../../collector/following/descriptor_budget.ts";

Deno.test("DescriptorBudget has room up to a reserve, and is ample up to the half", () => {
  const budget = new DescriptorBudget(264);
  let held = 0;
  for (; budget.isAmple; held++) budget.take(1);
  assertEquals([held, budget.hasRoom], [100, true]);
  for (; budget.hasRoom; held++) budget.take(1);
  assertEquals(held, 264 - 64);
  budget.giveBack(1);
  assertEquals([budget.hasRoom, budget.isAmple], [true, false]);
});
