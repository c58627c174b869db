/**
 * Whitelist mode: a process is followed, with its descendants, while its sentinel is in the folder
 * PROC_PID_DIR.
 *
 * @module
 */

import { join } from "@std/path";
import type { Clock } from "../../trace/clock.ts";
import { ticksToMs } from "../../trace/units.ts";
import type { AlarmEvents } from "../sampling/alarm.ts";
import type { BirthWatch } from "./birth_watch.ts";
import { followCgroups, followChildren } from "./descendants.ts";
import type { Finder } from "./finder.ts";
import type { FollowedSet, FollowOutcome, Subject } from "../following/followed_set.ts";
import type { PidStat } from "../../trace/linux/pid_stat.ts";
import type { ProcessTable } from "./process_table.ts";
import { readSentinel, type SentinelContent, sentinelPid } from "./sentinel_file.ts";

/**
 * The folder is listed at least this often, ms, beside the events of its watch, which a network file
 * system does not send. Worst outcome there: a sentinel is noticed 1 s late.
 */
const LIST_INTERVAL_MS = 1000;

/**
 * So long a sentinel may exist though its process is gone, ms: its launcher removes it when it has reaped
 * the process. Longer, and it was left behind.
 */
const STALE_AFTER_MS = 2000;

/**
 * So long a process with an empty sentinel may have a name that does not match, ms: taskset or
 * systemd-run are there until they exec. After that it is reported as another process, yet still looked at.
 */
const LAUNCHER_LIMIT_MS = 5000;

/**
 * A sentinel is written after its process started. One that is older than the process by more than this,
 * ms, speaks of an earlier process with the same pid. Files of some file systems have times of 2 s.
 */
const WRITTEN_TOLERANCE_MS = 2000;

interface Sentinel {
  readonly pid: number;
  readonly content: SentinelContent;
  readonly subject: Subject;
  /** When it was noticed, boot clock, ms. */
  readonly noticedMs: number;
  /** waiting: not followed so far; over: followed once, and its process has gone. */
  state: "waiting" | "followed" | "over";
  isReported: boolean;
}

/** What whitelist mode needs. */
export interface WhitelistOptions {
  /** PROC_PID_DIR. */
  readonly folder: string;
  /** PROC_MATCH: which names an empty sentinel may stand for. */
  readonly match: RegExp;
  /** The processes under observation. */
  readonly followed: FollowedSet;
  /** Tells whether there can be new processes. */
  readonly births: BirthWatch;
  /** Who is on the host. */
  readonly table: ProcessTable;
  /** Stamps what is seen. */
  readonly clock: Clock;
  /** Tells the user. */
  readonly report: (line: string) => void;
}

/** Finds processes by their sentinels. */
export class Whitelist implements Finder {
  readonly mode = "whitelist";
  readonly #options: WhitelistOptions;
  /** Looked through at each tick: by forEach, because an iterator leaves an object behind for each. */
  readonly #sentinels = new Map<number, Sentinel>();
  #listedMs = -Infinity;
  /** True when something is followed whose descendants were not looked for so far. */
  #hasNewSubject = false;
  #foreign = 0;

  constructor(options: WhitelistOptions) {
    this.#options = options;
  }

  react({ names, isOverflow }: AlarmEvents): void {
    const bootMs = this.#options.clock.bootMs();
    if (isOverflow) this.#list(bootMs);
    for (const name of names) this.#update(name, bootMs);
    this.#sentinels.forEach((sentinel) => {
      if (sentinel.state === "waiting" && !sentinel.isReported) this.#attempt(sentinel, bootMs);
    });
  }

  refresh(): void {
    const { clock, births, followed, table } = this.#options;
    const bootMs = clock.bootMs();
    const isListDue = bootMs - this.#listedMs >= LIST_INTERVAL_MS;
    if (isListDue) this.#list(bootMs);
    this.#sentinels.forEach((sentinel) => {
      if (sentinel.state === "followed") {
        if (!followed.has(sentinel.pid)) sentinel.state = "over";
      } else if (isListDue || !sentinel.isReported) this.#attempt(sentinel, bootMs);
    });
    if (!births.hasAny(bootMs) && !this.#hasNewSubject) return;
    this.#hasNewSubject = false;
    const subjects: Subject[] = [];
    this.#sentinels.forEach(({ state, subject }) => {
      if (state !== "waiting") subjects.push(subject);
    });
    if (followCgroups(followed, subjects).length === 0) return;
    table.refresh(births.lastPid, bootMs);
    followChildren(followed, table);
  }

  takeForeignCount(): number {
    const foreign = this.#foreign;
    this.#foreign = 0;
    return foreign;
  }

  takeBornCount(): null {
    return null;
  }

  /** Look at the names that are new or no longer there, and at those that are not followed. */
  #list(bootMs: number): void {
    this.#listedMs = bootMs;
    const names = new Set<string>();
    for (const { name } of Deno.readDirSync(this.#options.folder)) names.add(name);
    for (const { pid, state } of this.#sentinels.values()) {
      const name = String(pid);
      // What is followed changes by an event only: its file need not be read every second.
      if (state !== "followed") this.#update(name, bootMs);
      else if (names.has(name)) names.delete(name);
      else names.add(name);
    }
    for (const name of names) this.#update(name, bootMs);
  }

  #update(name: string, bootMs: number): void {
    const pid = sentinelPid(name);
    if (pid === null) return;
    const content = readSentinel(join(this.#options.folder, name));
    const known = this.#sentinels.get(pid);
    if (known !== undefined) {
      if (content !== null && isSame(known.content, content)) return;
      this.#options.followed.drop(known.subject);
      this.#sentinels.delete(pid);
    }
    if (content === null) return;
    const ours = content.kind === "ours" ? content.sentinel : null;
    this.#sentinels.set(pid, {
      pid,
      content,
      subject: {
        traceId: ours?.trace_id ?? null,
        cgroup: ours?.cgroup ?? null,
        hasDescendants: true,
      },
      noticedMs: bootMs,
      state: "waiting",
      isReported: false,
    });
  }

  #attempt(sentinel: Sentinel, bootMs: number): void {
    const ageMs = bootMs - sentinel.noticedMs;
    if (sentinel.state === "over") {
      const isAlone = !this.#options.followed.hasAnyOf(sentinel.subject);
      if (isAlone && ageMs > STALE_AFTER_MS) this.#pass(sentinel, "its process has ended");
      return;
    }
    const { pid, content, subject } = sentinel;
    if (content.kind === "malformed") {
      // It may be in the middle of being written: the next event, or listing, sees it whole.
      if (ageMs > STALE_AFTER_MS) this.#pass(sentinel, content.reason);
      return;
    }
    const isMeant = (stat: PidStat) => this.#isMeant(content, stat);
    const outcome = this.#options.followed.follow(pid, { subject, isMeant });
    if (outcome.kind === "followed") {
      sentinel.state = "followed";
      this.#hasNewSubject = true;
    } else this.#judge(sentinel, outcome, ageMs);
  }

  #isMeant(content: SentinelContent, stat: PidStat): boolean {
    if (content.kind === "ours") return stat.startTicks === content.sentinel.start_ticks;
    return content.kind === "empty" && !this.#isYoungerThan(stat, content.writtenMs) &&
      this.#options.match.test(stat.comm);
  }

  /** True when the process started after `writtenMs`: it cannot be the one that was meant then. */
  #isYoungerThan({ startTicks }: PidStat, writtenMs: number): boolean {
    const { tsMs, bootMs } = this.#options.clock.now();
    return tsMs - bootMs + ticksToMs(startTicks) > writtenMs + WRITTEN_TOLERANCE_MS;
  }

  #judge(
    sentinel: Sentinel,
    outcome: Exclude<FollowOutcome, { kind: "followed" }>,
    ageMs: number,
  ): void {
    if (outcome.kind === "denied") this.#pass(sentinel, outcome.reason);
    else if (outcome.kind === "gone") {
      if (ageMs > STALE_AFTER_MS) this.#pass(sentinel, "there is no such process");
    } else if (sentinel.content.kind === "ours") {
      this.#pass(sentinel, `the pid belongs to another process now (${outcome.stat.comm})`);
    } else if (ageMs > LAUNCHER_LIMIT_MS) {
      this.#pass(
        sentinel,
        `its process "${outcome.stat.comm}" is another one: PROC_MATCH does not match, or it is younger than the sentinel`,
      );
    }
  }

  /** Count and report a sentinel once, and leave it alone. */
  #pass(sentinel: Sentinel, reason: string): void {
    if (sentinel.isReported) return;
    sentinel.isReported = true;
    this.#foreign++;
    this.#options.report(`sentinel ${sentinel.pid} skipped: ${reason}`);
  }
}

function isSame(a: SentinelContent, b: SentinelContent): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
