import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type MetricRow, ProcessSeries, type RowSink } from "../../../export/cts/process_series.ts";
import { TaskAccount } from "../../../export/cts/task_account.ts";
import { ProfilePool } from "../../../export/cts/usage_profile.ts";

const INTERVAL_US = 200_000;

interface Row extends MetricRow {
  readonly pid: number | null;
  readonly isReading: boolean;
}

class Rows implements RowSink {
  readonly all: Row[] = [];
  reading(series: ProcessSeries, row: MetricRow): void {
    this.all.push({ ...row, pid: series.pid, isReading: true });
  }
  spread(_account: TaskAccount, row: MetricRow & { readonly pid: number | null }): void {
    this.all.push({ ...row, isReading: false });
  }
  shared(): never {
    throw new Error("a task without requests has no shared rows");
  }
  get cpuUs(): number {
    return this.all.reduce((sum, { cpuUs }) => sum + cpuUs, 0);
  }
}

/** What really happened: which process used how much in each slot of time, and who was looked at when. */
interface Truth {
  readonly cores: number;
  readonly startUs: number;
  /** Length of each slot, and the part of the cores that each process used in it. */
  readonly slots: readonly { readonly widthUs: number; readonly shares: readonly number[] }[];
  /** Slots in which each process lives; it uses nothing outside. */
  readonly lives: readonly {
    readonly first: number;
    readonly last: number;
    readonly isSeen: boolean;
  }[];
  /** Ticks, as parts of the task's life. */
  readonly ticks: readonly number[];
  /** Step of what a reading shows: 1 µs, or a clock tick. */
  readonly stepUs: number;
  /** How long after its stamp a reading is really taken. */
  readonly delayUs: number;
  /** What the kernel cut off the total, as user and as system time. */
  readonly cutUs: number;
}

const PROCESSES = 4;

/** One for all cases, so that each begins with a profile that another one has used. */
const profiles = new ProfilePool();

const truths: fc.Arbitrary<Truth> = fc.record({
  cores: fc.integer({ min: 1, max: 8 }),
  startUs: fc.integer({ min: 1_000_000, max: 2 ** 50 }),
  slots: fc.array(
    fc.record({
      widthUs: fc.oneof(fc.integer({ min: 1, max: 400_000 }), fc.constant(200_000)),
      // The idle core is one of the users: cores are full where it has no share.
      shares: fc.array(fc.nat(10), { minLength: PROCESSES + 1, maxLength: PROCESSES + 1 }),
    }),
    { minLength: 1, maxLength: 12, size: "max" },
  ),
  lives: fc.array(
    fc.tuple(fc.nat(11), fc.nat(11), fc.boolean()).map(([one, other, isSeen]) => ({
      first: Math.min(one, other),
      last: Math.max(one, other),
      isSeen,
    })),
    { minLength: PROCESSES, maxLength: PROCESSES },
  ),
  ticks: fc.array(fc.integer({ min: 0, max: 1000 }).map((part) => part / 1000), {
    maxLength: 20,
    size: "max",
  }),
  stepUs: fc.constantFrom(1, 10_000),
  delayUs: fc.constantFrom(0, 0, 30_000),
  cutUs: fc.nat(2),
});

function endOf({ startUs, slots }: Truth): number {
  return slots.reduce((at, { widthUs }) => at + widthUs, startUs);
}

/** CPU time of a process from its start to `atUs`, exact. */
function usedUntil(truth: Truth, { process, atUs }: { process: number; atUs: number }): number {
  const life = truth.lives[process]!;
  let slotStart = truth.startUs;
  let usedUs = 0;
  for (const [index, { widthUs, shares }] of truth.slots.entries()) {
    const sum = Math.max(1, shares.reduce((total, one) => total + one, 0));
    const lengthUs = Math.max(0, Math.min(atUs, slotStart + widthUs) - slotStart);
    const isAlive = index >= life.first && index <= life.last;
    if (isAlive) usedUs += lengthUs * truth.cores * (shares[process]! / sum);
    slotStart += widthUs;
  }
  return usedUs;
}

/** Let the conservation step see what `truth` shows it. */
function observe(truth: Truth): { account: TaskAccount; rows: Rows; totalUs: number } {
  const endUs = endOf(truth);
  const exactUs = truth.lives.map((_, process) => usedUntil(truth, { process, atUs: endUs }));
  const usedUs = Math.floor(exactUs.reduce((sum, one) => sum + one, 0));
  const totalUs = Math.max(0, usedUs - truth.cutUs);
  const account = new TaskAccount({
    totalStepUs: 0,
    traceId: "t",
    startUs: truth.startUs,
    endUs,
    totalUs,
    cores: truth.cores,
    pid: 1,
    startTicks: null,
    profiles,
  });
  const rows = new Rows();
  const ticks = truth.ticks.map((part) =>
    Math.round(truth.startUs + part * (endUs - truth.startUs))
  )
    .sort((a, b) => a - b);
  const starts = truth.slots.reduce(
    (all, { widthUs }) => [...all, all.at(-1)! + widthUs],
    [truth.startUs],
  );
  for (const atUs of ticks) {
    for (const [process, { first, last, isSeen }] of truth.lives.entries()) {
      const bornUs = starts[first] ?? Infinity;
      const goneUs = starts[last + 1] ?? endUs;
      if (!isSeen || first > last || atUs < bornUs || atUs > goneUs) continue;
      let series = account.processes.find(({ pid }) => pid === process + 1);
      if (series === undefined) {
        series = new ProcessSeries({
          pid: process + 1,
          startTicks: 0,
          fromUs: bornUs,
          cores: truth.cores,
          account,
          traceId: null,
          sink: rows,
        });
        account.processes.push(series);
      }
      const exact = usedUntil(truth, { process, atUs: Math.min(endUs, atUs + truth.delayUs) });
      const cpuUs = Math.floor(exact / truth.stepUs) * truth.stepUs;
      series.read({ atUs, cpuUs, rssKb: 1, hwmKb: -1 });
    }
  }
  account.finish(rows, INTERVAL_US);
  return { account, rows, totalUs };
}

Deno.test("TaskAccount writes rows that sum to the exact total", () => {
  fc.assert(
    fc.property(truths, (truth) => {
      const { account, rows, totalUs } = observe(truth);
      assertEquals(rows.cpuUs, totalUs);
      assertEquals(account.cpuUs, totalUs);
      assertEquals(account.rowsUs, totalUs);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("TaskAccount writes no row outside the task's life, and none without length", () => {
  fc.assert(
    fc.property(truths, (truth) => {
      const { rows } = observe(truth);
      assert(rows.all.length > 0);
      for (const { endUs, dtUs } of rows.all) {
        assert(dtUs > 0);
        assert(endUs - dtUs >= truth.startUs && endUs <= endOf(truth));
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("TaskAccount writes no row beyond dt × cores, whatever steps and delays readings have", () => {
  fc.assert(
    fc.property(truths, (truth) => {
      const { rows, account } = observe(truth);
      for (const { cpuUs, dtUs } of rows.all) {
        assert(Number.isSafeInteger(cpuUs) && cpuUs >= 0);
        // Clock ticks of several processes can be out by a tick each at the very end.
        if (truth.stepUs === 1) assert(cpuUs <= dtUs * truth.cores, `${cpuUs} in ${dtUs}`);
      }
      if (truth.stepUs === 1) assertEquals(account.overfullRows, 0);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("TaskAccount never exceeds the cores between two ticks, all rows of a task together", () => {
  fc.assert(
    fc.property(truths, (truth) => {
      // Every process lives for the whole task and is read at every tick: then rows end at ticks.
      const lives = truth.lives.map(({ isSeen }) => ({ first: 0, last: 11, isSeen }));
      const { rows } = observe({ ...truth, lives, stepUs: 1, delayUs: 0 });
      const edges = [...new Set(rows.all.flatMap(({ endUs, dtUs }) => [endUs - dtUs, endUs]))]
        .sort((a, b) => a - b);
      const wide = edges.filter((at, index) => index === 0 || at - edges[index - 1]! >= 20_000);
      for (const [index, toUs] of wide.entries()) {
        const fromUs = wide[index - 1];
        if (fromUs === undefined) continue;
        const usedUs = rows.all.reduce((sum, { endUs, dtUs, cpuUs }) => {
          const overlap = Math.min(toUs, endUs) - Math.max(fromUs, endUs - dtUs);
          return overlap > 0 ? sum + cpuUs * (overlap / dtUs) : sum;
        }, 0);
        assert(usedUs <= (toUs - fromUs) * truth.cores + 50, `${usedUs} in ${toUs - fromUs}`);
      }
    }),
    { numRuns: 2000 },
  );
});
