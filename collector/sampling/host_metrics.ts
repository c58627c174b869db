/**
 * The whole host: CPU by mode, memory, network and pressure.
 *
 * @module
 */

import type { Clock } from "../../trace/clock.ts";
import type { LineSink } from "../../trace/patient_writer.ts";
import type { HostMetrics } from "../../trace/records.ts";
import { parseMeminfo } from "../proc/meminfo.ts";
import { parseNetDev } from "../proc/net_dev.ts";
import { parsePressure } from "../proc/pressure.ts";
import { parseCpuTicks } from "../proc/stat.ts";
import type { Procfs } from "../proc/procfs.ts";

/** Where and when the host is read. */
export interface HostOptions {
  /** Stamps the record. */
  readonly clock: Clock;
  /** Interface whose traffic counts; null: all together but the loopback. */
  readonly interface: string | null;
}

/** The host's counters now; what this kernel does not tell is null. */
export function readHostMetrics(procfs: Procfs, options: HostOptions): HostMetrics {
  const { tsMs, bootMs } = options.clock.now();
  const ticks = procfs.parse("stat", parseCpuTicks);
  const memory = procfs.parse("meminfo", parseMeminfo);
  const traffic = [...procfs.parseIfThere("net/dev", parseNetDev) ?? []]
    .filter(([name]) => options.interface === null ? name !== "lo" : name === options.interface)
    .map(([, one]) => one);
  const pressure = (resource: string) =>
    parsePressure(procfs.readIfThere(`pressure/${resource}`) ?? "");
  const [cpu, mem, io] = [pressure("cpu"), pressure("memory"), pressure("io")];
  return {
    ts_ms: tsMs,
    boot_ms: bootMs,
    user_ticks: ticks?.user ?? null,
    nice_ticks: ticks?.nice ?? null,
    system_ticks: ticks?.system ?? null,
    idle_ticks: ticks?.idle ?? null,
    iowait_ticks: ticks?.iowait ?? null,
    irq_ticks: ticks?.irq ?? null,
    softirq_ticks: ticks?.softirq ?? null,
    steal_ticks: ticks?.steal ?? null,
    mem_total_kb: memory?.get("MemTotal") ?? null,
    mem_free_kb: memory?.get("MemFree") ?? null,
    mem_available_kb: memory?.get("MemAvailable") ?? null,
    swap_used_kb: difference(memory?.get("SwapTotal"), memory?.get("SwapFree")),
    interface: options.interface,
    received_bytes: total(traffic.map((one) => one.receivedBytes)),
    sent_bytes: total(traffic.map((one) => one.sentBytes)),
    cpu_some_us: cpu.someUs,
    memory_some_us: mem.someUs,
    memory_full_us: mem.fullUs,
    io_some_us: io.someUs,
    io_full_us: io.fullUs,
  };
}

function difference(whole: number | undefined, part: number | undefined): number | null {
  return whole === undefined || part === undefined ? null : whole - part;
}

/** Null for an interface that is not there: unknown is not 0. */
function total(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}

/** Time between two readings of the host, ms: its counters are read for a slow picture of the whole. */
const HOST_INTERVAL_MS = 1000;

/** Writes the host's counters once a second, with the ticks of the sampler. */
export class HostSeries {
  readonly #procfs: Procfs;
  readonly #options: HostOptions;
  readonly #writer: LineSink;
  #dueMs = -Infinity;

  constructor(procfs: Procfs, options: HostOptions & { readonly writer: LineSink }) {
    this.#procfs = procfs;
    this.#options = options;
    this.#writer = options.writer;
  }

  /** Write a line when a second has passed. */
  writeIfDue(): void {
    if (this.#options.clock.bootMs() >= this.#dueMs) this.write();
  }

  /** Write a line now. */
  write(): void {
    this.#dueMs = this.#options.clock.bootMs() + HOST_INTERVAL_MS;
    this.#writer.append([readHostMetrics(this.#procfs, this.#options)]);
  }
}
