/**
 * The HTTP adapter as a whole: a proxy before a service, and the record of what passes and what it
 * costs, until it is told to stop.
 *
 * @module
 */

import { openClock } from "../../trace/clock.ts";
import type { InvocationEvent, ServiceCpu } from "../../trace/records.ts";
import type { RunDir } from "../../trace/run_dir.ts";
import type { CpuMeter } from "./cpu_meter.ts";
import { EventLines } from "./events.ts";
import type { ServiceAddress } from "./failure.ts";
import { HttpProxy } from "./proxy.ts";
import { Recorder } from "./recorder.ts";

/** Module of its events: they are in `events.http.jsonl`. */
const MODULE_ID = "http";

/** How often the processes of the service are looked for, in intervals: about once a second. */
const INTERVALS_PER_REFRESH = 5;

/** How {@linkcode adaptHttp} works. */
export interface HttpAdapterOptions {
  /** Where to listen; port 0 takes a free one. */
  readonly listen: ServiceAddress;
  /** Where the service listens. */
  readonly target: ServiceAddress;
  /** What the service uses; null: that is not known. */
  readonly meter: CpuMeter | null;
  /** Container of the service, as ENGINE://ID; null: none. */
  readonly container: string | null;
  /** Cores that the service can use at once. */
  readonly cores: number;
  /** Longest silence of the service with a request before it, ms; 0: any. */
  readonly stallMs: number;
  /** How often the service's CPU time is read besides the requests' own beginnings and ends, ms. */
  readonly intervalMs: number;
  /** Time for requests to end after the signal, ms. */
  readonly graceMs: number;
  /** Where the run is recorded; the folder exists. */
  readonly runDir: RunDir;
  /** NODE_ID. */
  readonly nodeId: string;
  /** STAGE. */
  readonly stage: string | null;
  /** Ends it: no new connections, requests on their way get the grace. */
  readonly signal: AbortSignal;
  /** Ends the grace. */
  readonly force: AbortSignal;
  /** Called once, when requests are taken, with the port. */
  readonly onListening: (port: number) => void;
  /** Tells the user. */
  readonly report: (line: string) => void;
}

/** What there is at the end. */
export interface HttpAdapterResult {
  /** Requests recorded. */
  readonly requestCount: number;
  /** Records that could not be written. */
  readonly lostCount: number;
}

/**
 * Pass requests on and record them until the signal is aborted.
 *
 * @throws {ListenError} when the address cannot be listened on.
 */
export async function adaptHttp(options: HttpAdapterOptions): Promise<HttpAdapterResult> {
  const { runDir, report, meter, nodeId, stage, container, signal } = options;
  using clock = openClock();
  const events = new EventLines<Partial<InvocationEvent>>(runDir.events(MODULE_ID), report);
  const intervals = new EventLines<ServiceCpu>(runDir.serviceCpu, report);
  const identity = {
    module_id: MODULE_ID,
    instance_id: crypto.randomUUID(),
    node: nodeId,
    stage,
    container,
  };
  const recorder = new Recorder({
    clock,
    meter,
    cores: options.cores,
    identity,
    events,
    intervals,
    report,
  });
  let ticks = 0;
  const timer = setInterval(() => {
    ticks++;
    if (ticks % INTERVALS_PER_REFRESH === 0) meter?.refresh();
    recorder.tick();
    events.flush();
    intervals.flush();
  }, options.intervalMs);
  try {
    await using proxy = await HttpProxy.open({ ...options, recorder });
    options.onListening(proxy.port);
    await aborted(signal);
    if (proxy.openCount > 0) {
      report(`${proxy.openCount} requests are on their way: they get ${options.graceMs / 1000} s`);
    }
    const end = AbortSignal.any([options.force, AbortSignal.timeout(options.graceMs)]);
    await Promise.race([proxy.drain(), aborted(end)]);
  } finally {
    clearInterval(timer);
    recorder.settle();
    events[Symbol.dispose]();
    intervals[Symbol.dispose]();
  }
  return {
    requestCount: recorder.requestCount,
    lostCount: events.lostCount + intervals.lostCount,
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}
