/** Everything that observes a tree of processes, on a clock that a test moves. */

import {
  INVOCATION_EVENT,
  type InvocationEvent,
  RAW_SAMPLE,
  type RawSample,
} from "../../trace/records.ts";
import type { Clock, ClockReading } from "../../trace/clock.ts";
import { BirthWatch } from "../../collector/finding/birth_watch.ts";
import { FollowedSet } from "../../collector/following/followed_set.ts";
import { openProcessReader } from "../../collector/following/process_reader.ts";
import { ServiceLog } from "../../collector/finding/service_log.ts";
import { ProcessTable } from "../../collector/finding/process_table.ts";
import { Procfs } from "../../collector/proc/procfs.ts";

/** A clock that does not move until it is moved. */
class ManualClock implements Clock {
  readonly isPrecise = true;
  #bootMs: number;
  #tsOffsetMs: number;

  /** @param bootMs Time since boot now. The wall clock is this machine's now. */
  constructor(bootMs = 300_000) {
    this.#bootMs = bootMs;
    this.#tsOffsetMs = Date.now() - bootMs;
  }

  /** Let time pass. */
  advance(ms: number): void {
    this.#bootMs += ms;
  }

  /** Set the wall clock: forward, or back below 0. */
  stepWall(ms: number): void {
    this.#tsOffsetMs += ms;
  }

  now(): ClockReading {
    return { tsMs: this.#bootMs + this.#tsOffsetMs, bootMs: this.#bootMs };
  }

  bootMs(): number {
    return this.#bootMs;
  }

  [Symbol.dispose](): void {}
}

/** What observes the processes below one mount, by clock ticks. */
export class Observation implements Disposable {
  readonly clock: ManualClock = new ManualClock();
  readonly procfs: Procfs;
  readonly births: BirthWatch;
  readonly table: ProcessTable;
  readonly followed: FollowedSet;
  readonly services: ServiceLog;
  /** What was written down of subjects that nobody launched. */
  readonly events: InvocationEvent[] = [];
  /** What was reported to the user. */
  readonly reports: string[] = [];

  constructor(mount: string) {
    const clock = this.clock;
    this.procfs = new Procfs(mount);
    this.births = new BirthWatch(this.procfs);
    this.table = new ProcessTable(this.procfs);
    const alarm = { watchEnd: () => null };
    const reader = openProcessReader({ procfs: this.procfs, clock, libc: null, alarm });
    this.followed = new FollowedSet({ procfs: this.procfs, reader, clock });
    this.services = new ServiceLog({
      procfs: this.procfs,
      followed: this.followed,
      clock,
      events: {
        append: (records) =>
          records.forEach((one) => this.events.push(INVOCATION_EVENT.decode(one, "event"))),
      },
      node: "n1",
      stage: "test",
      argv: "redacted",
    });
  }

  /** Note what is reported. */
  readonly report = (line: string): void => {
    this.reports.push(line);
  };

  /** The samples since the last call, decoded. */
  takeSamples(): RawSample[] {
    const text = new TextDecoder().decode(this.followed.takeLines());
    const lines = text.split("\n").slice(0, -1);
    return lines.map((line, at) => RAW_SAMPLE.decode(JSON.parse(line), `line ${at}`));
  }

  /** Processes of the samples since the last call, ascending. */
  takePids(): number[] {
    return this.takeSamples().map(({ pid }) => pid).sort((a, b) => a - b);
  }

  [Symbol.dispose](): void {
    this.followed[Symbol.dispose]();
    this.births[Symbol.dispose]();
  }
}
