import { assert, assertEquals } from "@std/assert";
import type { Clock } from "../../../trace/clock.ts";
import { type Alarm, openAlarm } from "../../../collector/sampling/alarm.ts";
import { SamplingCalls } from "../../../collector/sampling_calls.ts";
import { Procfs } from "../../../collector/proc/procfs.ts";
import { openReadingClock } from "../../../collector/sampling/reading_clock.ts";
import { Child } from "../child.ts";

/** Longer than any test waits for an event, ms: an alarm that misses it fails the test by its time. */
const LONG_MS = 20_000;

interface Tools extends AsyncDisposable {
  readonly alarm: Alarm;
  readonly clock: Clock;
  readonly folder: string;
  readonly abort: () => void;
}

async function openTools({ ffi }: { ffi: boolean }): Promise<Tools> {
  const folder = await Deno.makeTempDir({ prefix: "alarm_" });
  const resources = new DisposableStack();
  const libc = ffi ? SamplingCalls.open() : null;
  if (libc !== null) resources.use(libc);
  const clock = resources.use(openReadingClock(new Procfs(), { ffi }));
  const controller = new AbortController();
  const alarm = resources.use(openAlarm({ folder, clock, libc, signal: controller.signal }));
  return {
    alarm,
    clock,
    folder,
    abort: () => controller.abort(),
    async [Symbol.asyncDispose](): Promise<void> {
      resources.dispose();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

for (const ffi of [true, false]) {
  const name = ffi ? "Alarm.wait() of the kernel" : "Alarm.wait() of the runtime";

  Deno.test(`${name} ends at its deadline, not before`, async () => {
    await using tools = await openTools({ ffi });
    const deadlineMs = tools.clock.bootMs() + 30;
    const events = await tools.alarm.wait(deadlineMs);
    // The runtime's timers count whole milliseconds.
    assert(tools.clock.bootMs() >= deadlineMs - (ffi ? 0 : 1));
    assertEquals(events, { ended: [], names: [], isOverflow: false });
  });

  Deno.test(`${name} ends at once when the deadline has passed`, async () => {
    await using tools = await openTools({ ffi });
    await tools.alarm.wait(tools.clock.bootMs() - 1000);
    await tools.alarm.wait(0);
  });

  Deno.test(`${name} hears of a file that was written, renamed into the folder or removed`, async () => {
    await using tools = await openTools({ ffi });
    const deadlineMs = tools.clock.bootMs() + LONG_MS;
    const heard = new Set<string>();
    const changes: [string, () => void][] = [
      ["1", () => Deno.writeTextFileSync(`${tools.folder}/1`, "")],
      ["2", () => {
        Deno.writeTextFileSync(`${tools.folder}/2.tmp-1`, "{}");
        Deno.renameSync(`${tools.folder}/2.tmp-1`, `${tools.folder}/2`);
      }],
      ["1", () => Deno.removeSync(`${tools.folder}/1`)],
    ];
    for (const [expected, change] of changes) {
      heard.clear();
      change();
      while (!heard.has(expected)) {
        for (const one of (await tools.alarm.wait(deadlineMs)).names) heard.add(one);
        assert(tools.clock.bootMs() < deadlineMs, `no event of "${expected}", but ${[...heard]}`);
      }
    }
  });

  Deno.test(`${name} ends when the signal is aborted`, async () => {
    await using tools = await openTools({ ffi });
    const startMs = tools.clock.bootMs();
    setTimeout(tools.abort, 5);
    await tools.alarm.wait(startMs + LONG_MS);
    assert(tools.clock.bootMs() < startMs + LONG_MS);
    await tools.alarm.wait(startMs + LONG_MS);
  });

  Deno.test(`${name} lets a signal of the system through`, async () => {
    await using tools = await openTools({ ffi });
    const startMs = tools.clock.bootMs();
    Deno.addSignalListener("SIGUSR2", tools.abort);
    try {
      Deno.kill(Deno.pid, "SIGUSR2");
      await tools.alarm.wait(startMs + LONG_MS);
    } finally {
      Deno.removeSignalListener("SIGUSR2", tools.abort);
    }
    assert(tools.clock.bootMs() < startMs + LONG_MS);
  });
}

Deno.test("Alarm.watchEnd() tells of each process that ends, and of none that was let go", async () => {
  await using tools = await openTools({ ffi: true });
  await using first = Child.start();
  await using second = Child.start();
  await using third = Child.start();
  using firstWatch = tools.alarm.watchEnd(first.pid);
  using secondWatch = tools.alarm.watchEnd(second.pid);
  using thirdWatch = tools.alarm.watchEnd(third.pid);
  assert(firstWatch !== null && secondWatch !== null && thirdWatch !== null);
  firstWatch[Symbol.dispose]();
  await first.tell();
  await first.status;
  await second.tell();
  await second.status;
  const { ended } = await tools.alarm.wait(tools.clock.bootMs() + LONG_MS);
  assertEquals(ended, [second.pid]);
});

Deno.test("Alarm.watchEnd() is null for a process that is not there", async () => {
  await using tools = await openTools({ ffi: true });
  assertEquals(tools.alarm.watchEnd(2 ** 22 + 1), null);
});
