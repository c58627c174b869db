import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import { Coalescer } from "../../../adapter/cpu/coalescer.ts";

Deno.test("Coalescer works once for the requests of a burst", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let runs = 0;
  const coalescer = new Coalescer(() => {
    runs++;
    resolve();
  }, 1);
  for (let request = 0; request < 100; request++) coalescer.request();
  assertEquals(runs, 0);
  await promise;
  assertEquals(runs, 1);
});

Deno.test("Coalescer leaves nine times the time of costly work free", async () => {
  const starts: number[] = [];
  let next = Promise.withResolvers<void>();
  const coalescer = new Coalescer(() => {
    const start = performance.now();
    starts.push(start);
    while (performance.now() < start + 5);
    next.resolve();
  }, 1);
  for (let round = 0; round < 2; round++) {
    coalescer.request();
    await next.promise;
    next = Promise.withResolvers();
  }
  const [first = 0, second = 0] = starts;
  assertGreaterOrEqual(second - first, 45);
});

Deno.test("Coalescer forgets what was cancelled, and works at once without a pause", () => {
  let runs = 0;
  const late = new Coalescer(() => runs++, 1);
  late.request();
  late.cancel();
  new Coalescer(() => runs++, 0).request();
  assertEquals(runs, 1);
});
