import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { PendingWindow, placesBetween } from "../../scheduler/pending_window.ts";

Deno.test("placesBetween() puts what has no place between its neighbours", () => {
  assertEquals(placesBetween([1, null, 2]), [1, 1.5, 2]);
  assertEquals(placesBetween([1, null, null, null, 2]), [1, 1.25, 1.5, 1.75, 2]);
  assertEquals(placesBetween([null, 7]), [6.5, 7]);
  assertEquals(placesBetween([3, null, null]), [3, null, null]);
  assertEquals(placesBetween([null]), [null]);
  assertEquals(placesBetween([]), []);
});

Deno.test("placesBetween() keeps the order, whatever is missing", () => {
  const places = fc.array(fc.boolean(), { maxLength: 20 }).map((known) =>
    known.map((is, at) => is ? at * 3 : null)
  );
  fc.assert(fc.property(places, (given) => {
    const filled = placesBetween(given);
    const last = given.findLastIndex((place) => place !== null);
    for (const [at, place] of filled.entries()) {
      if (given[at] !== null) assertEquals(place, given[at]);
      assertEquals(place === null, at > last, "only the end stays open");
      const before = filled[at - 1];
      if (at > 0 && place !== null) assert((before ?? NaN) < place);
    }
  }));
});

function listed(seq: number | null): string {
  const task = { task_id: `t${seq ?? "-hand"}`, kind: "command", argv: ["true"] };
  return JSON.stringify(seq === null ? task : { ...task, seq, ts_enqueue: seq });
}

Deno.test("PendingWindow reads on until the place of what was pushed by hand is known", async () => {
  const list = [listed(1), listed(2), listed(null), listed(3), listed(4)];
  const asked: number[] = [];
  const adopted: unknown[] = [];
  const window = new PendingWindow({
    window: (count) => {
      asked.push(count);
      return Promise.resolve(list.slice(0, count));
    },
    adopt: ({ index }, task, seq) => {
      adopted.push([index, task.task_id, seq]);
      list[index] = JSON.stringify({ ...JSON.parse(list[index] ?? ""), seq, ts_enqueue: 0 });
      return Promise.resolve(true);
    },
    bury: () => Promise.reject(new Error("nothing is poison")),
  }, () => {});
  const tasks = await window.read(3);
  assertEquals(adopted, [[2, "t-hand", 2.5]]);
  assertEquals(tasks.map(({ seq }) => seq), [1, 2, 2.5]);
  assertEquals(asked, [3, 6, 6]);
});
