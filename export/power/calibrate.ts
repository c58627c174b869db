/**
 * Fits OpenDC's power models to the readings of a meter, per type of machine.
 *
 * @module
 */

import {
  type CtsSource,
  ExportError,
  findSources,
  readRun,
  type SourcedInvocation,
} from "../opendc/input.ts";
import { emptyCounts, readRows, TaskIndex } from "../opendc/join.ts";
import type { CtsNode } from "../../trace/cts.ts";
import { fitModels, type FittedModel, powerAt, type PowerPoint } from "./models.ts";

/** A reading of a meter: the mean power up to its time since the reading before. */
export interface MeterReading {
  /** Time, epoch ms. */
  readonly tsMs: number;
  /** Power, W. */
  readonly watts: number;
}

/** A type of machine and its model. */
export interface MachinePower {
  /** Nodes of this type. */
  readonly nodes: readonly string[];
  /** Model of its CPU; null: not known. */
  readonly cpu_model: string | null;
  /** Its cores. */
  readonly cpu_cores: number;
  /** The best model, and how well it fits. */
  readonly best: FittedModel;
  /** All models, the best first. */
  readonly models: readonly FittedModel[];
  /** What was measured, in the order of time, and what the best model says, W. */
  readonly readings: readonly (PowerPoint & { readonly model_watts: number })[];
}

/** The file that a calibration writes and an export takes. */
export interface PowerFile {
  /** Version of its layout. */
  readonly power_version: "1";
  /** The run. */
  readonly run: string;
  /** The meter's file. */
  readonly meter: string;
  /** What the utilisation is. */
  readonly utilisation: string;
  /** The types of machine. */
  readonly machines: readonly MachinePower[];
}

/** Readings of a type of machine from which a model is fitted. */
const LEAST_READINGS = 20;

/**
 * Fit the models of the machines of `run` to the readings in `meter`: CSV with the columns `timestamp`
 * (epoch ms or ISO 8601), `node` and `watts`.
 *
 * @throws {ExportError} when the file is not of that form, or a node has too few readings.
 */
export async function calibratePower(
  { run, meter }: { readonly run: string; readonly meter: string },
): Promise<PowerFile> {
  const readings = await readMeter(meter);
  const sources = await findSources(run);
  const { nodes, invocations } = await readRun(sources);
  const unknown = [...readings.keys()].filter((node) => !nodes.has(node));
  if (unknown.length > 0) {
    throw new ExportError(
      `Cannot use "${meter}": nodes of the run (${
        [...nodes.keys()].join(", ")
      }) are required, got ${unknown.join(", ")}`,
    );
  }
  const intervals = new Map(
    [...readings].map(([name, own]) => [name, new ReadingIntervals(own)]),
  );
  await addCpu(sources, { invocations, intervals });
  const groups = new Map<string, { readonly node: CtsNode; readonly points: PowerPoint[] }[]>();
  for (const [name, own] of intervals) {
    const node = nodes.get(name) as CtsNode;
    const key = JSON.stringify([node.cpu_model, node.cpu_cores, node.cpu_freq_mhz]);
    groups.set(key, [...groups.get(key) ?? [], { node, points: own.points(node.cpu_cores) }]);
  }
  return {
    power_version: "1",
    run,
    meter,
    utilisation: "CPU time of the tasks, as a part of all cores",
    machines: [...groups.values()].map((group) => machineOf(group, meter)),
  };
}

function machineOf(
  group: readonly { readonly node: CtsNode; readonly points: readonly PowerPoint[] }[],
  meter: string,
): MachinePower {
  const points = group.flatMap((one) => one.points);
  const names = group.map(({ node }) => node.node_id);
  if (points.length < LEAST_READINGS) {
    throw new ExportError(
      `Cannot calibrate ${names.join(", ")}: ${LEAST_READINGS} readings are required, ` +
        `got ${points.length} in "${meter}"`,
    );
  }
  const models = fitModels(points);
  const best = models[0] as FittedModel;
  const [first] = group;
  return {
    nodes: names,
    cpu_model: first?.node.cpu_model ?? null,
    cpu_cores: first?.node.cpu_cores ?? 0,
    best,
    models,
    readings: points.map((point) => ({
      ...point,
      model_watts: powerAt(best.model, point.utilisation),
    })),
  };
}

/** CPU time between the readings of one node. */
class ReadingIntervals {
  readonly readings: readonly MeterReading[];
  readonly cpuMs: Float64Array;

  constructor(readings: readonly MeterReading[]) {
    this.readings = readings;
    this.cpuMs = new Float64Array(readings.length);
  }

  /** Add CPU time that was spent evenly between two times. */
  add(cpuMs: number, { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): void {
    for (let at = this.#after(fromMs); at < this.readings.length; at++) {
      const begin = this.readings[at - 1]?.tsMs ?? Infinity;
      const end = this.readings[at]?.tsMs ?? Infinity;
      if (begin >= toMs && toMs > fromMs) return;
      const part = toMs > fromMs
        ? (Math.min(end, toMs) - Math.max(begin, fromMs)) / (toMs - fromMs)
        : 1;
      if (part > 0) this.cpuMs[at] = (this.cpuMs[at] as number) + cpuMs * part;
      if (end >= toMs) return;
    }
  }

  /** Place of the first reading after a time, but not of the first one of all. */
  #after(tsMs: number): number {
    let low = 1;
    let high = this.readings.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.readings[middle] as MeterReading).tsMs > tsMs) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Utilisation and power in each interval. */
  points(cores: number): PowerPoint[] {
    return this.readings.slice(1).map(({ tsMs, watts }, at) => {
      const spanMs = tsMs - (this.readings[at] as MeterReading).tsMs;
      const used = (this.cpuMs[at + 1] as number) / (spanMs * cores);
      return { utilisation: Math.min(1, used), watts };
    });
  }
}

/** Add the CPU time of every task to the intervals of its node. */
async function addCpu(
  sources: readonly CtsSource[],
  { invocations, intervals }: {
    readonly invocations: readonly SourcedInvocation[];
    readonly intervals: ReadonlyMap<string, ReadingIntervals>;
  },
): Promise<void> {
  const store = {
    add: (
      task: number,
      { tsMs, dtMs, cpuMs }: {
        readonly tsMs: number;
        readonly dtMs: number;
        readonly cpuMs: number;
      },
    ) => {
      const node = invocations[task]?.node ?? "";
      intervals.get(node)?.add(cpuMs, { fromMs: tsMs - dtMs, toMs: tsMs });
    },
  };
  const index = new TaskIndex(invocations, { candidates: invocations });
  const peakRssKb = new Float64Array(invocations.length);
  const sink = { index, store, peakRssKb, counts: emptyCounts(), onRead: () => {} };
  for (const [at, source] of sources.entries()) await readRows(source, { at, sink });
}

/** Readings by node, in the order of time. */
async function readMeter(path: string): Promise<Map<string, MeterReading[]>> {
  const [header = "", ...lines] = (await Deno.readTextFile(path)).trim().split(/\r?\n/);
  const names = header.split(",").map((one) => one.trim());
  const columns = ["timestamp", "node", "watts"].map((name) => names.indexOf(name));
  if (columns.includes(-1)) {
    throw new ExportError(
      `Cannot read "${path}": columns timestamp, node, watts are required, got ${names.join(", ")}`,
    );
  }
  const readings = new Map<string, MeterReading[]>();
  for (const [row, line] of lines.entries()) {
    const cells = line.split(",").map((one) => one.trim());
    const [time = "", node = "", power = ""] = columns.map((at) => cells[at] ?? "");
    const tsMs = Number.isNaN(Number(time)) ? Date.parse(time) : Number(time);
    const watts = power === "" ? NaN : Number(power);
    if (time === "" || !Number.isFinite(tsMs) || node === "" || !(watts > 0)) {
      throw new ExportError(
        `Cannot read "${path}":${
          row + 2
        }: a time, a node and a power above 0 W are required, got ` +
          `"${line}"`,
      );
    }
    const own = readings.get(node) ?? [];
    own.push({ tsMs, watts });
    readings.set(node, own);
  }
  for (const own of readings.values()) own.sort((a, b) => a.tsMs - b.tsMs);
  return readings;
}
