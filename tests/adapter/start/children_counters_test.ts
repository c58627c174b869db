import { assertEquals } from "@std/assert";
import { ChildrenCounters } from "../../../adapter/start/children_counters.ts";

/** A process whose children end when the test says so. */
class Parent {
  readonly counters: ChildrenCounters;
  readonly #there = new Set([1, 2, 3]);
  #ticks: [number, number] = [1000, 500];

  constructor() {
    this.counters = new ChildrenCounters({
      readTicks: () => this.#ticks,
      isThere: (pid) => this.#there.has(pid),
    });
  }

  reap(pid: number, [user, system]: readonly [number, number]): void {
    this.#there.delete(pid);
    this.#ticks = [this.#ticks[0] + user, this.#ticks[1] + system];
  }
}

Deno.test("ChildrenCounters gives each child what the counters grew by", () => {
  const parent = new Parent();
  parent.reap(1, [7, 2]);
  assertEquals(parent.counters.take(1, [2, 3]), { userMs: 70, systemMs: 20 });
  parent.reap(3, [1, 0]);
  assertEquals(parent.counters.take(3, [2]), { userMs: 10, systemMs: 0 });
});

Deno.test("ChildrenCounters tells nothing of children that ended together", () => {
  const parent = new Parent();
  parent.reap(1, [7, 2]);
  parent.reap(2, [5, 1]);
  assertEquals(parent.counters.take(1, [2, 3]), null);
  assertEquals(parent.counters.take(2, [3]), null);
  parent.reap(3, [1, 0]);
  assertEquals(parent.counters.take(3, []), { userMs: 10, systemMs: 0 });
});
