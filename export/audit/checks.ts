/**
 * The checks of the audit: each finding says what was found, what it costs and what to do.
 *
 * @module
 */

import { counted } from "../../trace/counted.ts";
import { usToMs } from "../../trace/units.ts";
import type { AuditFacts, CollectorAccount } from "./facts.ts";
import { EXAMPLES, type Finding, namesOf, onCount, onSome } from "./finding.ts";
import { type Attempt, isObserved } from "../cts/attempts.ts";
import { queueFindings } from "./queue_checks.ts";
import {
  clockFindings,
  conservationFindings,
  crossFindings,
  readingFindings,
  serviceNotes,
} from "./trace_checks.ts";

/** Share of missed ticks that is told as a finding: below it the series has a hole now and then. */
const MISSED_RATIO = 0.01;

/**
 * Slack between a queue's and a node's clock where their offset was not measured, ms: two programs of
 * one machine stamp within it.
 */
const CLOCK_SLACK_MS = 5;

/** What holds of totals that nobody accounted for. */
function observedNotes({ attempts }: AuditFacts): string[] {
  const observed = attempts.filter(({ event }) => isObserved(event));
  const counted = observed.filter(({ account }) => account.cpuUs === null).length;
  if (counted === 0) return [];
  return [
    `The CPU time of ${counted} of ${observed.length} observed services is the sum of readings: what ` +
    `was used before the first and after the last one is missing.`,
  ];
}

/** Findings and notes of a run. */
export interface CheckResults {
  /** What is not as it should be. */
  readonly findings: readonly Finding[];
  /** What is worth knowing and costs nothing. */
  readonly notes: readonly string[];
}

/** Run every check. */
export function auditChecks(facts: AuditFacts, collector: CollectorAccount | null): CheckResults {
  const notes = [...serviceNotes(facts), ...observedNotes(facts)];
  const findings = [
    ...collectorFindings(facts, { collector, notes }),
    ...fileFindings(facts),
    ...fieldFindings(facts),
    ...orderFindings(facts),
    ...queueFindings(facts),
    ...readingFindings(facts, notes),
    ...crossFindings(facts, notes),
    ...conservationFindings(facts),
    ...clockFindings(facts),
  ];
  return { findings, notes };
}

function collectorFindings(
  { counts, lines, inputs }: AuditFacts,
  { collector, notes }: { collector: CollectorAccount | null; notes: string[] },
): Finding[] {
  if (collector === null) {
    const isThere = [...inputs.files.keys()].some((path) => path.endsWith("collector_stats.jsonl"));
    return onCount(isThere ? 1 : 0, {
      check: "no_collector_account",
      what: "The collector left no account of itself",
      cost: "Its cost, its lateness and the samples that it wrote are not known.",
      action: "End it with stop-collect, which lets it write its account.",
    });
  }
  const { missed_ticks, ticks, late_p99_ms, interval_ms, samples, denied, foreign } = collector;
  const isGappy = missed_ticks > (ticks + missed_ticks) * MISSED_RATIO;
  if (missed_ticks > 0 && !isGappy) notes.push(`${missed_ticks} of ${ticks} ticks were missed.`);
  notes.push(...birthNotes(collector));
  const kept = counts.samples + counts.duplicates + counts.afterEnd;
  const lost = samples - kept;
  return [
    ...onCount(isGappy ? missed_ticks : 0, {
      check: "missed_ticks",
      what: `${missed_ticks} of ${ticks + missed_ticks} ticks were missed`,
      cost: "The series is coarser there; totals are exact all the same.",
      action: "Give the collector real-time priority, or a longer interval.",
    }),
    ...onCount(late_p99_ms > interval_ms ? 1 : 0, {
      check: "late_ticks",
      what: `The slowest hundredth of ticks was up to ${late_p99_ms} ms late`,
      cost: "Intervals are uneven; each row says how long it was.",
      action: "Give the collector real-time priority, or a core of its own.",
    }),
    ...onCount(Math.max(0, lost), {
      check: "lost_samples",
      what: `The collector wrote ${samples} samples, ${kept} are there`,
      cost: "The series has a hole; what it held is spread over it from the exit totals.",
      action: "Copy the whole run directory, and look for a full disk.",
    }),
    ...onCount(lost < 0 && lines.lines > 0 ? -lost : 0, {
      check: "collector_cut_off",
      what: `${kept} samples are there, the collector's account ends at ${samples}`,
      cost: "It was killed, or still runs: its own cost and lateness at the end are not known.",
      action: "End it with stop-collect before parse.",
    }),
    ...onCount(denied, {
      check: "denied",
      what: `${denied} processes could not be read`,
      cost: "They have no series; tasks keep their exact totals.",
      action: "Run the collector as the user of the tasks, or as root.",
    }),
    ...onSome(inputs.stats.flatMap(({ problems }) => problems?.split("\n") ?? []), {
      check: "kernel_files",
      what: (count) => `${count} files of the kernel could not be used`,
      cost: "What they say is null in the records; the series of readings is whole.",
      action: "Mount proc without subset=pid, or see whether a container cuts its files short.",
    }),
    ...onCount(foreign, {
      check: "foreign_sentinels",
      what: `${foreign} sentinels were stale or of another process, and were ignored`,
      cost: "Processes that they stand for are not in the trace.",
      action: "Empty the pids folder before the next run.",
    }),
  ];
}

/** What a collector that looks at ticks cannot see where it does not control the launches. */
function birthNotes({ forks, births_met, births_seen }: CollectorAccount): string[] {
  if (forks === null || births_met === null) return [];
  const unmet = Math.max(0, forks - births_met);
  return [
    `${forks} processes and threads were born on the host: a tick met ${births_met} processes, of ` +
    `which ${births_seen} came under observation with those that were there; the other ${unmet} are ` +
    "threads, or were born and gone between two ticks and are not in the trace.",
  ];
}

function fileFindings({ inputs }: AuditFacts): Finding[] {
  const lines = [...inputs.files].flatMap(
    ([path, { lines, torn, malformed, foreign, examples }]) => {
      const count = torn + malformed + foreign;
      if (count === 0) return [];
      return [{
        check: "bad_lines",
        count,
        what:
          `${path}: of ${lines} lines ${torn} torn, ${malformed} malformed, ${foreign} of another ` +
          "kind",
        cost: "These lines are not in the trace; totals come from the exit events.",
        action: "A torn last line is what a crash leaves; for the others see who else wrote there.",
        examples: examples.slice(0, EXAMPLES),
      }];
    },
  );
  return [
    ...onSome(inputs.missing, {
      check: "missing_files",
      what: (count) => `${counted(count, "file")} of a complete run missing`,
      cost: "Without node_meta.json nothing can be exported; without events there are no tasks; " +
        "without samples there is no series.",
      action: "Copy the whole run directory, or see whether the collector and the worker ran.",
    }),
    ...onSome(inputs.unreadable, {
      check: "unreadable_files",
      what: (count) => `${count} files are not what their names promise`,
      cost: "They count as missing.",
      action: "Copy them again from the node.",
    }),
    ...lines,
    ...onCount(inputs.events.duplicates, {
      check: "duplicate_events",
      what: `${inputs.events.duplicates} event lines repeat another one`,
      cost: "Nothing: the first counts.",
      action: "See whether chunks were merged twice.",
    }),
  ];
}

function fieldFindings({ attempts }: AuditFacts): Finding[] {
  const ran = attempts.filter(({ event }) => event.event === "exit");
  const lacking = (of: (attempt: Attempt) => unknown): string[] =>
    namesOf(ran.filter((attempt) => of(attempt) === null));
  return [
    ...onSome(namesOf(attempts.filter(({ event }) => event.event === "launch")), {
      check: "no_exit",
      what: (count) => `${count} attempts were launched and have no exit event`,
      cost: "They have no end and no exact total; export leaves them out.",
      action:
        "They still run, or their adapter was killed: see results.jsonl for what became of them.",
    }),
    ...onSome(lacking(({ event }) => event.ts_start ?? event.boot_start_ms), {
      check: "no_start",
      what: (count) => `${count} attempts have no start`,
      cost:
        "They cannot be placed in time; export leaves them out, and CPU time that no reading saw is " +
        "in no row.",
      action: "See the adapter's events of these tasks.",
    }),
    ...onSome(lacking(({ account, event }) => isObserved(event) ? "" : account.cpuUs), {
      check: "no_total",
      what: (count) => `${count} attempts have no exact CPU total`,
      cost: "CPU time that no reading saw is lost for them.",
      action: "See doctor for what the adapter can account with on this machine.",
    }),
    ...onSome(lacking(({ event }) => event.task_id === null ? "" : event.ts_enqueue), {
      check: "no_enqueue",
      what: (count) => `${count} tasks of the queue have no ts_enqueue`,
      cost: "Their waits are not known; export takes their start instead of the submission.",
      action: "Enqueue through dispatch, which stamps them.",
    }),
  ];
}

function orderFindings(facts: AuditFacts): Finding[] {
  const { attempts, inputs, isAligned } = facts;
  const slackMs = inputs.offsets.reduce(
    (most, { offset_ms, error_ms }) =>
      Math.max(most, error_ms + (isAligned ? 0 : Math.abs(offset_ms))),
    CLOCK_SLACK_MS,
  );
  const early = attempts.filter(({ event, account }) =>
    event.ts_enqueue !== null && account.startUs !== -Infinity &&
    usToMs(account.startUs) < event.ts_enqueue - slackMs
  );
  const backwards = attempts.filter(({ event }) =>
    event.boot_start_ms !== null && event.boot_end_ms !== null
      ? event.boot_end_ms < event.boot_start_ms
      : event.ts_start !== null && event.ts_end !== null && event.ts_end < event.ts_start
  );
  return [
    ...onSome(namesOf(early), {
      check: "start_before_enqueue",
      what: (count) => `${count} attempts started before they were enqueued`,
      cost: "Their waits are wrong: the clocks of controller and node differ.",
      action: "Parse with --align controller, and synchronise the clocks before the next run.",
    }),
    ...onSome(namesOf(backwards), {
      check: "end_before_start",
      what: (count) => `${count} attempts end before they start`,
      cost: "Their run time is wrong; they are given 1 ms.",
      action: "The wall clock was set back and no boot clock is on record: use our adapter.",
    }),
  ];
}
