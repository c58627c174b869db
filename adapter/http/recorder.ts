/**
 * Keeps the record of a service's requests: their times and CPU shares, one event each when it is over,
 * and what the service used in each interval.
 *
 * @module
 */

import type { Clock, ClockReading } from "../../trace/clock.ts";
import type { InvocationEvent, ServiceCpu } from "../../trace/records.ts";
import { nsToMs, roundToUs } from "../../trace/units.ts";
import type { CpuMeter } from "./cpu_meter.ts";
import { CpuShares, type Share } from "./cpu_shares.ts";
import type { EventLines } from "./events.ts";
import type { TraceContext } from "../trace_context.ts";

/** What is the same in every event of this adapter. */
export type EventIdentity = Pick<
  InvocationEvent,
  "module_id" | "instance_id" | "node" | "stage" | "container"
>;

/** The head of a request, as far as its event names it. */
export interface RequestHead {
  /** Method of the request line. */
  readonly method: string;
  /** Target of the request line. */
  readonly url: string;
  /** Its place in its trace. */
  readonly context: TraceContext;
}

/** How a request ended. */
export interface RequestEnd {
  /** Bytes of its body that came, framing not counted. */
  readonly bytesIn: number;
  /** Bytes of the response's body that came, framing not counted. */
  readonly bytesOut: number;
  /** True where either side broke off. */
  readonly isAborted: boolean;
  /** Why it did not end as it should; null: it did. */
  readonly reason: string | null;
}

/** How a {@linkcode Recorder} records. */
export interface RecorderOptions {
  /** Clocks of this machine. */
  readonly clock: Clock;
  /** What the service uses; null: that is not known. */
  readonly meter: CpuMeter | null;
  /** Cores of the machine. */
  readonly cores: number;
  /** What is the same in every event. */
  readonly identity: EventIdentity;
  /** Takes one event per request. */
  readonly events: EventLines<Partial<InvocationEvent>>;
  /** Takes one line per interval. */
  readonly intervals: EventLines<ServiceCpu>;
  /** Is told when the service cannot be read any more. */
  readonly report: (line: string) => void;
}

/** Records the requests of one service. */
export class Recorder {
  /** How it records. */
  readonly options: RecorderOptions;
  readonly #open = new Set<RequestRecord>();
  readonly #shares: CpuShares | null;
  #isGone = false;
  #totalNs: number;
  #intervalStart: ClockReading;
  #intervalStartNs: number;
  #requestCount = 0;

  constructor(options: RecorderOptions) {
    this.options = options;
    const { clock, meter, cores } = options;
    const totalNs = meter?.readNs() ?? null;
    this.#intervalStart = clock.now();
    this.#totalNs = this.#intervalStartNs = totalNs ?? 0;
    const { bootMs } = this.#intervalStart;
    this.#shares = totalNs === null ? null : new CpuShares({ cores, totalNs, bootMs });
  }

  /** Requests that are over. */
  get requestCount(): number {
    return this.#requestCount;
  }

  /** True while the service's CPU time is known. */
  get isMeasuring(): boolean {
    return this.#shares !== null && !this.#isGone;
  }

  /** A request has come. */
  begin(head: RequestHead): RequestRecord {
    return new RequestRecord(this, head);
  }

  /** What came was not a request, or too much of one: it was refused with `status`. */
  refuse({ status, reason, context }: RefusedRequest): void {
    const { tsMs, bootMs } = this.options.clock.now();
    this.options.events.add({
      event: "refused",
      trace_id: context.traceId,
      span_id: context.spanId,
      ...this.options.identity,
      ts_start: tsMs,
      ts_end: tsMs,
      boot_start_ms: bootMs,
      boot_end_ms: bootMs,
      status,
      reason,
    });
  }

  /** The service works on `record` from now on; its share, or null when nothing is known of its CPU. */
  openShare(record: RequestRecord): Share | null {
    if (this.#shares === null || this.#isGone) return null;
    this.#read(this.options.clock.bootMs());
    this.#open.add(record);
    return this.#shares.open();
  }

  /** The service is done with `record`: what it got since its share was last taken from, ns. */
  closeShare(record: RequestRecord, share: Share): number {
    if (this.#shares === null) return 0;
    this.#read(this.options.clock.bootMs());
    this.#open.delete(record);
    return this.#shares.close(share);
  }

  /** A request is over: keep its event. */
  keep(event: Partial<InvocationEvent>): void {
    this.#requestCount++;
    this.options.events.add(event);
  }

  /** The end of an interval: write down what was used in it. */
  tick(): void {
    const { clock, meter, identity, intervals } = this.options;
    if (this.#shares === null || meter === null) return;
    const start = this.#intervalStart;
    const now = clock.now();
    this.#read(now.bootMs);
    const usedNs = this.#totalNs - this.#intervalStartNs;
    this.#intervalStart = now;
    this.#intervalStartNs = this.#totalNs;
    const shares: Record<string, number> = {};
    for (const record of this.#open) {
      const takenNs = record.takeShare(this.#shares);
      if (takenNs > 0) shares[record.context.spanId] = nsToMs(takenNs);
    }
    const backgroundNs = this.#shares.takeBackground();
    // An interval without a line is one in which the service used nothing.
    if (usedNs === 0 && backgroundNs === 0) return;
    intervals.add({
      ts_ms: now.tsMs,
      boot_ms: now.bootMs,
      instance_id: identity.instance_id,
      dt_ms: roundToUs(now.bootMs - start.bootMs),
      cpu_ms: nsToMs(usedNs),
      background_ms: nsToMs(backgroundNs),
      cpu_source: meter.source,
      container: identity.container,
      shares,
    });
  }

  /** The end, with no request open: what nobody got is background. */
  settle(): void {
    this.#shares?.settle();
    this.tick();
  }

  #read(bootMs: number): void {
    const totalNs = this.#isGone ? null : this.options.meter?.readNs() ?? null;
    if (totalNs !== null && this.#shares !== null) {
      this.#totalNs = totalNs;
      this.#shares.read({ totalNs, bootMs });
    } else if (!this.#isGone) {
      this.#isGone = true;
      this.options.report("the service is gone: what requests use is not known from here on");
    }
  }
}

/** What was refused. */
export interface RefusedRequest {
  /** Status that the client got. */
  readonly status: number;
  /** Why. */
  readonly reason: string;
  /** Names the event. */
  readonly context: TraceContext;
}

/** One request, told as it happens. */
export class RequestRecord {
  /** Its place in its trace. */
  readonly context: TraceContext;
  readonly #recorder: Recorder;
  readonly #head: RequestHead;
  readonly #start: ClockReading;
  #forwardMs: number | null = null;
  #firstByteMs: number | null = null;
  #status: number | null = null;
  #share: Share | null = null;
  /** CPU time it got; null: not known. One that never reaches the service gets none. */
  #cpuNs: number | null;

  /** A request that came now. */
  constructor(recorder: Recorder, head: RequestHead) {
    this.#recorder = recorder;
    this.#head = head;
    this.context = head.context;
    this.#start = recorder.options.clock.now();
    this.#cpuNs = recorder.isMeasuring ? 0 : null;
  }

  /** The service has it now. */
  forwarded(): void {
    this.#forwardMs = this.#recorder.options.clock.now().tsMs;
    this.#share = this.#recorder.openShare(this);
    if (this.#share === null) this.#cpuNs = null;
  }

  /** The head of a response is there. */
  answered(status: number): void {
    this.#firstByteMs = this.#recorder.options.clock.now().tsMs;
    this.#status = status;
  }

  /** Take what it got from its share, which stays open, ns. */
  takeShare(shares: CpuShares): number {
    const takenNs = this.#share === null ? 0 : shares.take(this.#share);
    this.#cpuNs = (this.#cpuNs ?? 0) + takenNs;
    return takenNs;
  }

  /** The last byte of the response is there: the service is done with it. */
  served(): void {
    if (this.#share === null) return;
    this.#cpuNs = (this.#cpuNs ?? 0) + this.#recorder.closeShare(this, this.#share);
    this.#share = null;
  }

  /** The last byte has left, or will not. */
  over({ bytesIn, bytesOut, isAborted, reason }: RequestEnd): void {
    this.served();
    const { clock, identity } = this.#recorder.options;
    const end = clock.now();
    this.#recorder.keep({
      event: "exit",
      trace_id: this.context.traceId,
      span_id: this.context.spanId,
      parent_id: this.context.parentId,
      ...identity,
      ts_start: this.#start.tsMs,
      ts_end: end.tsMs,
      boot_start_ms: this.#start.bootMs,
      boot_end_ms: end.bootMs,
      ts_forward: this.#forwardMs,
      ts_first_byte: this.#firstByteMs,
      is_aborted: isAborted,
      method: this.#head.method,
      path: pathOf(this.#head.url),
      bytes_in: bytesIn,
      bytes_out: bytesOut,
      status: this.#status,
      reason,
      cpu_ms: this.#cpuNs === null ? null : nsToMs(this.#cpuNs),
      cpu_source: this.#cpuNs === null ? "none" : "shared",
    });
  }
}

/** The path without its query, which may hold what is nobody else's business. */
function pathOf(url: string): string {
  const end = url.indexOf("?");
  return end < 0 ? url : url.slice(0, end);
}
