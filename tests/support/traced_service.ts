/** The proxy of the HTTP adapter before a service of a test, and the events that it leaves. */

import { join } from "@std/path";
import { EventLines } from "../../adapter/http/events.ts";
import type { CpuMeter } from "../../adapter/http/cpu_meter.ts";
import { HttpProxy } from "../../adapter/http/proxy.ts";
import { Recorder } from "../../adapter/http/recorder.ts";
import { openClock } from "../../trace/clock.ts";
import {
  INVOCATION_EVENT,
  type InvocationEvent,
  SERVICE_CPU,
  type ServiceCpu,
} from "../../trace/records.ts";
import { tempFolder } from "./temp_folder.ts";
import { waitFor } from "./wait_for.ts";

/** How {@linkcode traceService} works. */
export interface TraceOptions {
  /** Port of the service on 127.0.0.1. */
  readonly target: number;
  /** Longest silence of the service, ms. Default 0: any. */
  readonly stallMs?: number;
  /** What the service uses. Default: not known. */
  readonly meter?: CpuMeter;
}

/** A proxy of a test. */
export interface TracedService extends AsyncDisposable {
  readonly proxy: HttpProxy;
  readonly recorder: Recorder;
  /** What the user was told. */
  readonly reports: readonly string[];
  /** Wait until `count` requests are over, and give their events. */
  events(count: number): Promise<InvocationEvent[]>;
  /** The intervals so far. */
  intervals(): Promise<ServiceCpu[]>;
}

/** Open a proxy before the service. */
export async function traceService(options: TraceOptions): Promise<TracedService> {
  const folder = await tempFolder();
  const clock = openClock();
  const reports: string[] = [];
  const report = (line: string) => void reports.push(line);
  const events = new EventLines<Partial<InvocationEvent>>(
    join(folder.path, "events.jsonl"),
    report,
  );
  const intervals = new EventLines<ServiceCpu>(join(folder.path, "service_cpu.jsonl"), report);
  const recorder = new Recorder({
    clock,
    meter: options.meter ?? null,
    cores: navigator.hardwareConcurrency,
    identity: {
      module_id: "http",
      instance_id: "test",
      node: "node",
      stage: null,
      container: null,
    },
    events,
    intervals,
    report,
  });
  const proxy = await HttpProxy.open({
    listen: { hostname: "127.0.0.1", port: 0 },
    target: { hostname: "127.0.0.1", port: options.target },
    stallMs: options.stallMs ?? 0,
    recorder,
  });
  return {
    proxy,
    recorder,
    reports,
    events: async (count) => {
      await waitFor({
        what: `${count} events`,
        read: () => events.pendingCount,
        until: (pending) => pending >= count,
      });
      events.flush();
      return await readLines(join(folder.path, "events.jsonl"), INVOCATION_EVENT.decode);
    },
    intervals: async () => {
      intervals.flush();
      return await readLines(join(folder.path, "service_cpu.jsonl"), SERVICE_CPU.decode);
    },
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      events[Symbol.dispose]();
      intervals[Symbol.dispose]();
      clock[Symbol.dispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function readLines<T>(
  path: string,
  decode: (value: unknown, where: string) => T,
): Promise<T[]> {
  const text = await Deno.readTextFile(path);
  return text.split("\n").filter((line) => line !== "").map((line) =>
    decode(JSON.parse(line), path)
  );
}
