import { assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { TreeMeter } from "../../../adapter/http/tree_meter.ts";
import { EventLines } from "../../../adapter/http/events.ts";
import type { InvocationEvent, ServiceCpu } from "../../../trace/records.ts";
import { startBurningService } from "../../support/burning_service.ts";
import { CLOSED_PORT } from "../../support/ports.ts";
import { CAN_MOUNT, tinyFilesystem } from "../../support/tiny_filesystem.ts";
import { traceService } from "../../support/traced_service.ts";
import { waitFor } from "../../support/wait_for.ts";

async function get(port: number, path: string): Promise<void> {
  await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
}

function sumOf(values: readonly (number | null)[]): number {
  return values.reduce((sum: number, value) => sum + (value ?? NaN), 0);
}

/** CPU time of requests and background is that of the service, to the ns that a double holds. */
function assertConserved(
  events: readonly InvocationEvent[],
  intervals: readonly ServiceCpu[],
): void {
  const given = sumOf(events.map(({ cpu_ms }) => cpu_ms)) +
    sumOf(intervals.map(({ background_ms }) => background_ms));
  assertAlmostEquals(given, sumOf(intervals.map(({ cpu_ms }) => cpu_ms)), 1e-6);
}

Deno.test("Recorder gives each request what it used, and keeps what none used apart", async () => {
  await using service = await startBurningService();
  using meter = new TreeMeter(service.pid);
  await using traced = await traceService({ target: service.port, meter });
  const { port } = traced.proxy;
  await get(port, "/burn?ms=100");
  await get(port, "/nothing");
  const events = await traced.events(2);
  traced.recorder.tick();
  const backgroundMs = async () =>
    sumOf((await traced.intervals()).map(({ background_ms }) => background_ms));
  const beforeMs = await backgroundMs();
  await service.burn(100);
  traced.recorder.tick();
  traced.recorder.settle();
  const apartMs = await backgroundMs() - beforeMs;
  assertEquals(events.map(({ path }) => path), ["/burn", "/nothing"]);
  const [burn = 0, nothing = 0] = events.map(({ cpu_ms }) => cpu_ms ?? NaN);
  // Beyond what it was told to use, a runtime that is still warming up needs some ms, more on a slow
  // machine; what the wrong one got would be 100 ms and more.
  for (const ms of [burn, apartMs]) assertEquals(ms >= 100 && ms < 200, true, `${ms} ms`);
  assertEquals(nothing < 100, true, `nothing ${nothing}`);
  assertConserved(events, await traced.intervals());
});

Deno.test("Recorder shares what was used while requests overlap, over many intervals", async () => {
  await using service = await startBurningService();
  using meter = new TreeMeter(service.pid);
  await using traced = await traceService({ target: service.port, meter });
  const { port } = traced.proxy;
  // The service does one after the other, but has them all from the beginning.
  const requests = [1, 2, 3].map(() => get(port, "/hold"));
  await service.holds(3);
  await service.burn(60);
  traced.recorder.tick();
  for (const answered of [1, 2, 3]) {
    await service.answerAfter(100);
    await waitFor({
      what: `answer ${answered} to have passed`,
      read: () => traced.recorder.requestCount,
      until: (count) => count === answered,
    });
    traced.recorder.tick();
  }
  await Promise.all(requests);
  traced.recorder.settle();
  const events = await traced.events(3);
  const intervals = await traced.intervals();
  assertConserved(events, intervals);
  const total = sumOf(events.map(({ cpu_ms }) => cpu_ms));
  assertEquals(total >= 360 && total < 500, true, `${total} ms`);
  // 20 + 33 + 50 + 100 ms for the last one, which was alone at the end; 20 + 33 for the first.
  const shares = events.map(({ cpu_ms }) => cpu_ms ?? NaN).sort((a, b) => a - b);
  assertEquals((shares[2] ?? NaN) > 2 * (shares[0] ?? NaN), true, `${shares}`);
  for (const { span_id, cpu_ms } of events) {
    const named = sumOf(intervals.map(({ shares }) => shares[span_id] ?? 0));
    assertEquals(named > 0 && named <= (cpu_ms ?? NaN), true, `${named} of ${cpu_ms}`);
  }
});

Deno.test("Recorder says that the service is gone, and knows no CPU time from there on", async () => {
  const service = await startBurningService();
  using meter = new TreeMeter(service.pid);
  await using traced = await traceService({ target: service.port, meter });
  await get(traced.proxy.port, "/nothing");
  await service[Symbol.asyncDispose]();
  traced.recorder.tick();
  assertEquals(traced.reports, [
    "the service is gone: what requests use is not known from here on",
  ]);
  await get(traced.proxy.port, "/nothing");
  const [, after] = await traced.events(2);
  assertEquals([after?.status, after?.cpu_ms, after?.cpu_source], [502, null, "none"]);
});

Deno.test("Recorder knows that a request that did not reach the service used nothing", async () => {
  using meter = new TreeMeter(Deno.pid);
  await using traced = await traceService({ target: CLOSED_PORT, meter });
  await get(traced.proxy.port, "/");
  const [event] = await traced.events(1);
  assertEquals([event?.status, event?.cpu_ms, event?.cpu_source], [502, 0, "shared"]);
});

Deno.test("a request's event says when what happened, in order", async () => {
  await using service = await startBurningService();
  await using traced = await traceService({ target: service.port });
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
  const url = `http://127.0.0.1:${traced.proxy.port}/wait?ms=40&secret=1`;
  await (await fetch(url, { method: "POST", body: "12345", headers })).text();
  const [event] = await traced.events(1);
  const { ts_start, ts_forward, ts_first_byte, ts_end } = event as InvocationEvent;
  const times = [ts_start, ts_forward, ts_first_byte, ts_end].map((one) => one ?? NaN);
  assertEquals(times.every((one, at) => at === 0 || one >= (times[at - 1] ?? NaN)), true);
  assertEquals((ts_first_byte ?? NaN) - (ts_forward ?? NaN) >= 30, true);
  assertEquals(event?.trace_id, traceId);
  assertEquals(event?.parent_id, "b7ad6b7169203331");
  assertMatch(event?.span_id ?? "", /^[0-9a-f]{16}$/);
  assertEquals(
    [event?.method, event?.path, event?.status, event?.bytes_in, event?.bytes_out],
    ["POST", "/wait", 200, 5, 5],
  );
  assertEquals([event?.is_aborted, event?.reason], [false, null]);
});

Deno.test({
  name: "EventLines keeps what a full disk refuses, and says so",
  ignore: !CAN_MOUNT,
  fn: async () => {
    await using disk = await tinyFilesystem({ bytes: 16 * 1024 });
    const reports: string[] = [];
    const path = join(disk.path, "events.jsonl");
    const count = 100;
    {
      using lines = new EventLines<{ n: number; text: string }>(path, (line) => reports.push(line));
      for (let n = 0; n < count; n++) {
        lines.add({ n, text: "x".repeat(200) });
        if (n % 10 === 9) lines.flush();
      }
      assertEquals(reports.length, 1);
      assertMatch(
        reports[0] ?? "",
        /^Cannot append to ".*records are kept until that works again$/,
      );
      assertEquals(lines.pendingCount > 0, true);
      await disk.free();
      lines.flush();
      assertEquals([lines.pendingCount, lines.lostCount], [0, 0]);
      assertMatch(reports[1] ?? "", /kept records are written now$/);
    }
    const written = (await Deno.readTextFile(path)).trimEnd().split("\n");
    assertEquals(written.map((line) => JSON.parse(line).n), [...Array(count).keys()]);
  },
});

Deno.test({
  name: "EventLines counts what it could not write to the end",
  ignore: !CAN_MOUNT,
  fn: async () => {
    await using disk = await tinyFilesystem({ bytes: 4096 });
    const lines = new EventLines<{ text: string }>(join(disk.path, "events.jsonl"), () => {});
    for (let n = 0; n < 50; n++) lines.add({ text: "x".repeat(200) });
    lines[Symbol.dispose]();
    assertEquals(lines.lostCount, 50);
  },
});
