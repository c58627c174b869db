import { assert, assertEquals } from "@std/assert";
import { openClock } from "../../trace/clock.ts";

/** The boot clock by the kernel's own file, ms; it has steps of 10 ms. */
function uptimeMs(): number {
  return Number(Deno.readTextFileSync("/proc/uptime").split(" ", 1)[0]) * 1000;
}

Deno.test("openClock() reads both clocks as the kernel has them", () => {
  using clock = openClock();
  assert(clock.isPrecise);
  const before = { tsMs: Date.now(), bootMs: uptimeMs() };
  const { tsMs, bootMs } = clock.now();
  const after = { tsMs: Date.now(), bootMs: uptimeMs() };
  // Date.now() and /proc/uptime round down, so that an exact reading may be one step above.
  assert(before.tsMs <= tsMs && tsMs <= after.tsMs + 1, `${before.tsMs} ${tsMs} ${after.tsMs}`);
  assert(before.bootMs <= bootMs && bootMs <= after.bootMs + 10, `${before.bootMs} ${bootMs}`);
});

Deno.test("bootMs() never goes back and resolves microseconds", () => {
  using clock = openClock();
  const readings = Array.from({ length: 10_000 }, () => clock.bootMs());
  assertEquals(readings, readings.toSorted((a, b) => a - b));
  assert(readings.some((one) => !Number.isInteger(one)));
});

Deno.test("openClock() without FFI says that it is coarse", async () => {
  // Every path below /proc needs all permissions, so that the coarse clock serves where there is no
  // usable libc; here it is shown by a program that may do everything but load one.
  const program = `
    Deno.dlopen = () => { throw new Error("Could not open library: cannot open shared object file"); };
    const { openClock } = await import(${
    JSON.stringify(new URL("../../trace/clock.ts", import.meta.url).href)
  });
    using clock = openClock();
    console.log(JSON.stringify({ isPrecise: clock.isPrecise, ...clock.now() }));
  `;
  const before = { tsMs: Date.now(), bootMs: uptimeMs() };
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--config", new URL("../../deno.json", import.meta.url).pathname, program],
  }).output();
  const { isPrecise, tsMs, bootMs } = JSON.parse(new TextDecoder().decode(stdout));
  assertEquals(isPrecise, false);
  assert(before.tsMs <= tsMs && tsMs <= Date.now(), `${before.tsMs} ${tsMs}`);
  assert(before.bootMs <= bootMs && bootMs <= uptimeMs(), `${before.bootMs} ${bootMs}`);
});
