/**
 * The audit's checks of the trace itself: readings, totals and clocks.
 *
 * @module
 */

import { roundToUs, usToMs } from "../../trace/units.ts";
import type { AuditFacts } from "./facts.ts";
import { type Finding, largest, nameOf, namesOf, onCount, onSome } from "./finding.ts";
import type { Attempt } from "../cts/attempts.ts";

/** Bound of the clock's error that is told, ms: waits are judged to a few percent of seconds. */
const CLOCK_ERROR_MS = 5;

/** Shortest life for which the part that readings saw is judged, ms: five ticks of the default. */
const JUDGED_LIFE_MS = 1000;

/**
 * Intervals' worth of CPU time that readings may leave to the exit total: what a task can use between its
 * last reading and its end where no tick is late.
 */
const UNSEEN_INTERVALS = 1;

/** Intervals after which a task must have been read: a sentinel is noticed at once, but not in no time. */
const UNSAMPLED_INTERVALS = 2;

/** Order, repetition and growth of the readings. */
export function readingFindings({ counts, isSorted }: AuditFacts, notes: string[]): Finding[] {
  if (counts.afterEnd > 0) {
    notes.push(
      `${counts.afterEnd} readings show a task's processes after its end; they are left out.`,
    );
  }
  if (counts.reusedPids > 0) {
    notes.push(`${counts.reusedPids} pids were used again; start times keep the processes apart.`);
  }
  return [
    ...onCount(counts.decreases, {
      check: "decreasing_totals",
      what: `${counts.decreases} readings show less CPU time than the one before`,
      cost: "Nothing is taken off; the series is constant until the total is reached again.",
      action: "See whether two collectors wrote into this file.",
    }),
    ...onCount(counts.duplicates, {
      check: "duplicate_samples",
      what: `${counts.duplicates} samples repeat another one`,
      cost: "Nothing: each counts once.",
      action: "See whether two collectors ran, or chunks were merged twice.",
    }),
    ...onCount(isSorted ? 1 : 0, {
      check: "unsorted_samples",
      what: "Samples are not in the order of time",
      cost: "Nothing: they were sorted.",
      action: "Put chunks together with merge, which keeps their order.",
    }),
    ...onCount(counts.clockBackSteps, {
      check: "clock_went_back",
      what: `The wall clock went back for ${counts.clockBackSteps} readings without a boot clock`,
      cost: "Intervals across the step are not known; what was used in them is in the next ones.",
      action: "Collect with our collector, which writes the boot clock too.",
    }),
  ];
}

/** Invocations against samples, sentinels and the decisions of the queue. */
export function crossFindings(
  { attempts, counts, inputs, intervalMs }: AuditFacts,
  notes: string[],
): Finding[] {
  const unsampled = attempts.filter(({ event, account }) =>
    event.event === "exit" && event.pid !== null && account.samples === 0
  );
  const long = unsampled.filter(({ account }) =>
    lifeMs(account) > UNSAMPLED_INTERVALS * intervalMs
  );
  const short = unsampled.length - long.length;
  if (short > 0) {
    notes.push(
      `${short} attempts were shorter than ${UNSAMPLED_INTERVALS} intervals and have no samples; ` +
        "their rows come from their exact totals.",
    );
  }
  if (counts.foreignProcesses > 0) {
    notes.push(
      `${counts.foreignProcesses} processes belong to no invocation; they used ` +
        `${(usToMs(counts.foreignUs) / 1000).toFixed(3)} s CPU, and their rows have no trace.`,
    );
  }
  const running = new Set(
    attempts.filter(({ state }) => state === "running").map(({ event }) => String(event.pid)),
  );
  const hasDecisions = inputs.results.size > 0;
  const undecided = attempts.filter(({ event }) =>
    event.event === "exit" && event.task_id !== null && !inputs.results.has(event.task_id)
  );
  return [
    ...onSome(namesOf(long), {
      check: "no_samples",
      what: (count) => `${count} attempts have no samples`,
      cost: "They have an exact total but no series.",
      action: "See whether the collector ran all the time, and followed this node's pids folder.",
    }),
    ...onSome([...counts.strangerTraces], {
      check: "samples_without_invocation",
      what: (count) => `${count} traces have samples and no event`,
      cost: "Their CPU time belongs to no task.",
      action: "See whether all event files of the node are here.",
    }),
    ...onSome(inputs.sentinels.filter((pid) => !running.has(pid)), {
      check: "leftover_sentinels",
      what: (count) => `${count} sentinels were left behind`,
      cost: "Nothing for this run; a later process with such a pid would be sampled.",
      action: "Remove them from the pids folder.",
    }),
    ...onSome(hasDecisions ? namesOf(undecided) : [], {
      check: "no_result",
      what: (count) => `${count} attempts ended and the queue decided nothing about their tasks`,
      cost: "Their state is taken from the exit code.",
      action: "See whether results.jsonl is complete, and whether the worker still runs.",
    }),
    ...onCount(hasDecisions ? 0 : undecided.length, {
      check: "no_results",
      what: "There is no results.jsonl",
      cost: "States are taken from exit codes: of two attempts of a task both may count.",
      action: "Put the scheduler's results.jsonl beside the events, or one folder above.",
    }),
  ];
}

/** What services used besides their requests. */
export function serviceNotes({ service }: AuditFacts): string[] {
  const { cpuMs, backgroundMs, unknownMs, lines } = service;
  if (lines === null) return [];
  const background =
    `Of ${roundToUs(cpuMs)} ms of its service, ${roundToUs(backgroundMs)} ms were used with no ` +
    "request open: they are rows without a trace, and no task's.";
  if (unknownMs === 0) return [background];
  return [
    background,
    `${roundToUs(unknownMs)} ms went to requests that left no event: the adapter was killed.`,
  ];
}

/** Rows against exact totals. */
export function conservationFindings({ attempts, counts, intervalMs }: AuditFacts): Finding[] {
  const residual = attempts.filter(({ account }) => account.residualUs > 0);
  const excess = attempts.filter(({ account }) => account.excessUs > 0);
  const overfull = attempts.filter(({ account }) => account.overfullRows > 0);
  const unseen = judgedAttempts(attempts)
    .filter(({ account }) => unseenIntervals(account, intervalMs) > UNSEEN_INTERVALS);
  return [
    ...onSome(namesOf(residual), {
      check: "residual",
      what: (count) => `The rows of ${count} attempts do not sum to their exact totals`,
      cost: "Export would give a wrong load.",
      action: "This is a defect of parse: keep the run directory and report it.",
    }),
    ...onSome(excess.map((one) => `${nameOf(one)}: ${usToMs(one.account.excessUs)} ms`), {
      check: "readings_above_total",
      what: (count) =>
        `The readings of ${count} attempts show more CPU time than their exit totals`,
      cost: "The readings count: the total misses processes that nobody waited for.",
      action: "Let the adapter account by cgroup, which counts re-parented processes.",
    }),
    ...onSome(overfull.map((one) => `${nameOf(one)}: ${one.account.overfullRows} rows`), {
      check: "above_capacity",
      what: (count) => `${count} attempts used more CPU time than their cores have in the interval`,
      cost: "The sums are kept; some rows exceed dt × cores.",
      action: "See whether the cores of the node or the cpuset of the task are recorded right.",
    }),
    ...onCount(counts.foreignOverfullRows, {
      check: "above_capacity_foreign",
      what: `${counts.foreignOverfullRows} rows of processes without a task exceed dt × cores`,
      cost: "The sums are kept.",
      action: "See whether the cores of the node are recorded right.",
    }),
    ...onSome(unseen.map((one) => `${nameOf(one)}: ${usToMs(one.account.unseenUs)} ms`), {
      check: "unseen_cpu",
      what: (count) =>
        `Of ${count} attempts of a second or more the readings missed more than an interval's worth`,
      cost: "Their totals are exact, their series is partly spread evenly.",
      action: "They fork short children (nothing to do), or the collector was held up.",
    }),
  ];
}

/** The clocks. */
export function clockFindings({ attempts, inputs, clock }: AuditFacts): Finding[] {
  const isFromQueue = attempts.some(({ event }) => event.ts_enqueue !== null);
  const worstMs = largest(inputs.offsets, ({ error_ms }) => error_ms);
  return [
    ...onCount(isFromQueue && inputs.offsets.length === 0 ? 1 : 0, {
      check: "clock_unknown",
      what: "The offset to the controller's clock was not measured",
      cost: "Waits are off by as much as the two clocks differ.",
      action: "Run the tasks through our worker, which measures it.",
    }),
    ...onCount(worstMs > CLOCK_ERROR_MS ? 1 : 0, {
      check: "clock_error",
      what: `The offset to the controller's clock is known to ${worstMs} ms only`,
      cost: "Waits are off by up to that.",
      action: "See whether the way to the controller was loaded; measure again.",
    }),
    ...onCount(clock.reboots, {
      check: "reboot",
      what: `The machine was started again ${clock.reboots} times during the run`,
      cost: "Tasks that ran then have no end; intervals do not cross it.",
      action: "See whether the tasks were tried again: results.jsonl says so.",
    }),
    ...onSome(
      clock.steps.map(({ atUs, stepUs }) =>
        `${new Date(usToMs(atUs)).toISOString()}: ${usToMs(stepUs)} ms`
      ),
      {
        check: "clock_stepped",
        what: (count) => `The wall clock was set ${count} times during the run`,
        cost: "Nothing: intervals come from the boot clock. Dates are those before the first step.",
        action: "Let nobody set the clock in the middle of a run.",
      },
    ),
  ];
}

function lifeMs({ startUs, endUs }: Attempt["account"]): number {
  return startUs === -Infinity || endUs === Infinity ? 0 : usToMs(endUs - startUs);
}

/** Attempts that lasted long enough for what their readings saw of them to be judged. */
export function judgedAttempts(attempts: readonly Attempt[]): Attempt[] {
  return attempts.filter(({ account }) => account.samples > 0 && lifeMs(account) >= JUDGED_LIFE_MS);
}

/**
 * CPU time that no reading saw, in intervals' worth: as much as the task can use in one sampling interval,
 * which is the interval times the cores that it was seen to use at once.
 */
export function unseenIntervals(account: Attempt["account"], intervalMs: number): number {
  if (account.unseenUs === 0) return 0;
  return usToMs(account.unseenUs) / (intervalMs * account.parallelism);
}
