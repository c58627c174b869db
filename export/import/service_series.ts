/**
 * Subjects that a monitor followed, whose start and end nobody recorded: each is one invocation from its
 * first reading to its last.
 *
 * @module
 */

import type { ImportSink } from "./contract.ts";

/** What is known of one subject. */
interface Followed {
  readonly profile: string | null;
  readonly firstMs: number;
  lastMs: number;
  lastCpuMs: number;
  cpuMs: number;
  memoryKb: number | null;
}

/** One reading. */
interface SubjectReading {
  /** Kind of subject. */
  readonly profile: string | null;
  /** Time of the reading, epoch ms. */
  readonly tsMs: number;
  /** Resident memory, kB. */
  readonly memoryKb: number | null;
}

/** Follows the subjects of one host. */
export class ServiceSeries {
  readonly #sink: ImportSink;
  readonly #node: string | null;
  readonly #subjects = new Map<string, Followed>();

  /** A series of `node` that tells `sink`. */
  constructor(sink: ImportSink, node: string | null) {
    this.#sink = sink;
    this.#node = node;
  }

  /** A reading of the mean use since the one before, in cores. */
  rate(id: string, reading: SubjectReading & { readonly cores: number }): void {
    const known = this.#subjects.get(id);
    if (known === undefined) this.#begin(id, reading, 0);
    else this.#add(id, known, { reading, cpuMs: reading.cores * (reading.tsMs - known.lastMs) });
  }

  /** A reading of a counter of CPU time since any start, ms; one that falls has begun again at 0. */
  counter(id: string, reading: SubjectReading & { readonly totalMs: number }): void {
    const known = this.#subjects.get(id);
    if (known === undefined) return this.#begin(id, reading, reading.totalMs);
    const difference = reading.totalMs - known.lastCpuMs;
    known.lastCpuMs = reading.totalMs;
    this.#add(id, known, { reading, cpuMs: difference < 0 ? reading.totalMs : difference });
  }

  /** Tell the invocations. */
  close(): void {
    for (const [id, { profile, firstMs, lastMs, cpuMs, memoryKb }] of this.#subjects) {
      if (lastMs === firstMs) {
        this.#sink.leftOut("subjects with a single reading");
        continue;
      }
      this.#sink.invocation({
        id,
        node: this.#node,
        profile,
        submitMs: null,
        startMs: firstMs,
        endMs: lastMs,
        state: "done",
        status: null,
        cores: null,
        cpuMs,
        memoryKb,
      });
    }
  }

  #begin(id: string, { profile, tsMs, memoryKb }: SubjectReading, lastCpuMs: number): void {
    const subject = { profile, firstMs: tsMs, lastMs: tsMs, lastCpuMs, cpuMs: 0, memoryKb };
    this.#subjects.set(id, subject);
  }

  #add(
    id: string,
    known: Followed,
    { reading: { tsMs, memoryKb }, cpuMs }: { reading: SubjectReading; cpuMs: number },
  ): void {
    const dtMs = tsMs - known.lastMs;
    if (dtMs <= 0) {
      return this.#sink.bad(id, `a later time than ${known.lastMs} is required, got ${tsMs}`);
    }
    this.#sink.sample({ id, tsMs, dtMs, cpuMs, memoryKb });
    known.lastMs = tsMs;
    known.cpuMs += cpuMs;
    if (memoryKb !== null) known.memoryKb = Math.max(known.memoryKb ?? 0, memoryKb);
  }
}
