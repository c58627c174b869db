import { assertEquals, assertThrows } from "@std/assert";
import { type Attempt, makeAttempts } from "../../../export/cts/attempts.ts";
import type { ProcessSeries, RowSink } from "../../../export/cts/process_series.ts";
import type { RawReading } from "../../../export/cts/raw_line.ts";
import { RunClock } from "../../../export/cts/run_clock.ts";
import { RunLedger, UnsortedError } from "../../../export/cts/run_ledger.ts";
import { INVOCATION_EVENT, RAW_SAMPLE, type RawSample } from "../../../trace/records.ts";
import { msToUs } from "../../../trace/units.ts";
import { invocationEvent, type Life, rawSample, RUN_START } from "../../support/raw_run.ts";

/** A ledger whose rows are noted as "trace end", in ms after the start of the run. */
class Ledger implements RowSink {
  readonly rows: string[] = [];
  readonly #ledger: RunLedger;

  constructor(lives: Readonly<Record<string, Life>>) {
    const first = reading(rawSample(0));
    const clock = new RunClock([[first]]);
    const events = Object.entries(lives).map(([trace_id, life], index) =>
      INVOCATION_EVENT.decode(
        invocationEvent(life, { trace_id, task_id: trace_id, pid: 1000 + index, user_ms: 1000 }),
        "here",
      )
    );
    const attempts: Attempt[] = makeAttempts(events, { results: new Map(), clock, cores: 4 });
    this.#ledger = new RunLedger({ attempts, clock, cores: 4, intervalUs: 200_000, sink: this });
  }

  get counts(): RunLedger["counts"] {
    return this.#ledger.counts;
  }

  read(atMs: number, given: Partial<RawSample>): void {
    this.#ledger.read(reading(rawSample(atMs, given)));
  }

  finish(): void {
    this.#ledger.finish();
  }

  reading(series: ProcessSeries, { endUs }: { readonly endUs: number }): void {
    this.#note(series.traceId ?? "nobody", endUs);
  }

  spread({ traceId }: { readonly traceId: string }, { endUs }: { readonly endUs: number }): void {
    this.#note(`${traceId} spread`, endUs);
  }

  shared(): never {
    throw new Error("there are no requests here");
  }

  #note(name: string, endUs: number): void {
    this.rows.push(`${name} ${endUs / 1000 - RUN_START.tsMs}`);
  }
}

function reading(sample: Partial<RawSample>): RawReading {
  const { ts_ms, boot_ms, pid, start_ticks, trace_id, cpu_ns, rss_kb } = RAW_SAMPLE.decode(
    { ...sample },
    "here",
  );
  return {
    tsUs: msToUs(ts_ms),
    bootUs: boot_ms === null ? -1 : msToUs(boot_ms),
    pid,
    startTicks: start_ticks ?? -1,
    cpuUs: Math.floor((cpu_ns ?? 0) / 1000),
    rssKb: rss_kb ?? -1,
    hwmKb: -1,
    traceId: () => trace_id,
  };
}

Deno.test("RunLedger closes a task soon after its end, while others continue", () => {
  const ledger = new Ledger({
    short: { startMs: 0, endMs: 500 },
    long: { startMs: 0, endMs: 9000 },
  });
  ledger.read(200, { trace_id: "short", pid: 1000, cpu_ns: 100e6 });
  for (let atMs = 201; atMs < 8000; atMs += 200) {
    ledger.read(atMs, { trace_id: "long", pid: 1001, cpu_ns: atMs * 1e5 });
    const isClosed = ledger.rows.includes("short spread 500");
    assertEquals(isClosed, atMs > 2000, `at ${atMs}`);
  }
  ledger.finish();
  assertEquals(ledger.rows.at(-1), "long spread 9000");
});

Deno.test("RunLedger leaves out what a task's processes do after its end", () => {
  const ledger = new Ledger({ task: { startMs: 0, endMs: 500 } });
  for (let atMs = 200; atMs < 9000; atMs += 200) {
    ledger.read(atMs, { trace_id: "task", cpu_ns: atMs * 1e5 });
  }
  // Its own pid in a later life, and a child of it, belong to nobody's end either.
  ledger.read(9000, { trace_id: "task", pid: 7, start_ticks: 7, cpu_ns: 1e6 });
  ledger.finish();
  // The rest of the total goes to the tail, and beyond what that can hold to the whole life.
  assertEquals(ledger.rows, ["task 200", "task 400", "task spread 500", "task spread 500"]);
  assertEquals([ledger.counts.samples, ledger.counts.afterEnd], [2, 43]);
  assertEquals(ledger.counts.foreignProcesses, 0);
});

Deno.test("RunLedger takes what has ended as read at its task's end", () => {
  const ended = { trace_id: "task", rss_kb: null };
  const child = { ...ended, pid: 7, start_ticks: RUN_START.bootMs / 10 + 10 };
  const ledger = new Ledger({ task: { startMs: 0, endMs: 500 } });
  ledger.read(200, { trace_id: "task", cpu_ns: 100e6 });
  ledger.read(500.06, { ...ended, cpu_ns: 390e6 });
  ledger.read(500.07, { ...child, cpu_ns: 610e6 });
  // More than the total has left: that one continued after the task.
  ledger.read(500.08, { ...child, pid: 8, cpu_ns: 1e6 });
  // The same once more is nothing; more than at its end is not this task's.
  ledger.read(600, { ...ended, cpu_ns: 390e6 });
  ledger.read(601, { ...ended, cpu_ns: 391e6 });
  ledger.finish();
  assertEquals(ledger.rows, ["task 200", "task 500", "task 500"]);
  assertEquals([ledger.counts.samples, ledger.counts.afterEnd], [4, 2]);
  assertEquals(ledger.counts.duplicates, 0);
});

Deno.test("RunLedger asks for readings to be sorted, of one process or of all", () => {
  const ledger = new Ledger({ a: { startMs: 0, endMs: 90_000 }, b: { startMs: 0, endMs: 90_000 } });
  ledger.read(5000, { trace_id: "a", pid: 1000, cpu_ns: 5e6 });
  // Within one walk over all processes the order does not matter.
  ledger.read(4500, { trace_id: "b", pid: 1001, cpu_ns: 5e6 });
  assertThrows(() => ledger.read(4900, { trace_id: "a", pid: 1000, cpu_ns: 4e6 }), UnsortedError);
  assertThrows(() => ledger.read(3900, { trace_id: "b", pid: 1002, cpu_ns: 4e6 }), UnsortedError);
});

Deno.test("RunLedger tells a clock that was set back from lines in the wrong order", () => {
  const ledger = new Ledger({ a: { startMs: 0, endMs: 90_000 } });
  const bare = { trace_id: "a", boot_ms: null };
  ledger.read(5000, { ...bare, cpu_ns: 500e6 });
  ledger.read(1000, { ...bare, cpu_ns: 600e6 });
  ledger.read(1200, { ...bare, cpu_ns: 700e6 });
  assertEquals(ledger.counts.clockBackSteps, 1);
  assertThrows(() => ledger.read(1100, { ...bare, cpu_ns: 650e6 }), UnsortedError);
});
