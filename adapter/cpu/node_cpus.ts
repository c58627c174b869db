/**
 * Gives a node's CPUs to its tasks: cores of their own in exclusive mode, max-min fair shares of all
 * of them in shared mode.
 *
 * @module
 */

import { formatCpuList, parseCpuList } from "../../trace/cpu_list.ts";
import type { Task } from "../../trace/task.ts";
import { Coalescer } from "./coalescer.ts";
import { chooseCores } from "./core_allocator.ts";
import { type CpuLimits, weightOf } from "./limits.ts";
import type { CpuPlace } from "./topology.ts";
import { JobRefusedError } from "../job.ts";
import { type FairShare, fairShares } from "./fair_shares.ts";

/** The CPUs of a node and how they are given. */
export interface NodeCpusOptions {
  /** The node's CPUs, neighbours beside each other. */
  readonly places: readonly CpuPlace[];
  /** How they are given. */
  readonly mode: "exclusive" | "shared";
  /** True when they are a part of the machine's, so that every task must be kept inside. */
  readonly isShareOfMachine: boolean;
  /** Weight of one vCPU. */
  readonly weightPerUnit: number;
  /**
   * Told what all tasks weigh together, whenever that changes: the group above them must weigh as much
   * against the rest of the machine as its tasks would without a group.
   */
  readonly onTotalWeight: (weight: number) => void;
  /** How soon the other tasks' limits follow a start or end, ms; 0: at once. Default 5. */
  readonly pauseMs?: number;
}

/**
 * How soon the others' limits follow, ms: a burst of starts is one change. For so long more may be given
 * than there is, and the kernel shares it out by weight.
 */
const PAUSE_MS = 5;

/** What a task has of a node's CPUs; disposal gives it back. */
export interface CpuLease extends Disposable {
  /** The limits in force. */
  readonly limits: CpuLimits;
  /** True when another task has, or had meanwhile, one of the same CPUs; null when not bound to any. */
  readonly isShared: boolean | null;
  /** From now on `apply` makes limits take effect: at once, and whenever they change. */
  bind(apply: (limits: CpuLimits) => void): void;
}

/** The CPUs of one node. */
export class NodeCpus {
  readonly #options: NodeCpusOptions;
  readonly #loads = new Map<number, number>();
  readonly #leases = new Set<Lease>();
  readonly #rebalance: Coalescer;

  constructor(options: NodeCpusOptions) {
    this.#options = options;
    this.#rebalance = new Coalescer(() => this.#applyShares(), options.pauseMs ?? PAUSE_MS);
  }

  /**
   * Give CPUs to a task. In shared mode it has its share at once; the others' follow within moments.
   *
   * @throws {JobRefusedError} when it names CPUs that the node does not have.
   */
  take(task: Task): CpuLease {
    const explicit = this.#explicit(task);
    const lease = this.#options.mode === "exclusive"
      ? this.#exclusive(task, explicit)
      : this.#shared(task, explicit);
    this.#leases.add(lease);
    const share = this.#shares().get(lease);
    if (share !== undefined) lease.change(share);
    this.#rebalance.request();
    return lease;
  }

  #exclusive(task: Task, explicit: number[] | null): Lease {
    const { places } = this.#options;
    const cpus = explicit ?? chooseCores(task.cpu_units, { places, loads: this.#loads });
    const neighbours = [...this.#leases].filter((other) =>
      other.limits.cpus?.some((cpu) => cpus.includes(cpu))
    );
    for (const other of neighbours) other.isShared = true;
    this.#count(cpus, 1);
    const weight = this.#weightOf(task);
    return new Lease({ cpus, quotaCores: quotaOf(task), weight }, {
      demand: null,
      weight,
      isShared: neighbours.length > 0,
      onReturn: (lease) => {
        this.#count(cpus, -1);
        this.#return(lease);
      },
    });
  }

  #shared(task: Task, explicit: number[] | null): Lease {
    const { places, isShareOfMachine } = this.#options;
    const all = isShareOfMachine ? places.map(({ cpu }) => cpu).sort((a, b) => a - b) : null;
    const demand = Math.min(task.cpu_units, quotaOf(task) ?? Infinity);
    const weight = this.#weightOf(task);
    const cpus = explicit ?? all;
    return new Lease({ cpus, quotaCores: demand, weight }, {
      demand,
      weight,
      isShared: cpus && true,
      onReturn: (lease) => this.#return(lease),
    });
  }

  #weightOf(task: Task): number {
    return task.cpu_weight ?? weightOf(task.cpu_units, this.#options.weightPerUnit);
  }

  #return(lease: Lease): void {
    this.#leases.delete(lease);
    if (this.#leases.size === 0) this.#rebalance.cancel();
    else this.#rebalance.request();
  }

  /** What is due to each task that shares the node. */
  #shares(): Map<Lease, FairShare> {
    const sharing = [...this.#leases].filter((lease) => lease.demand !== null);
    const demands = sharing.map(({ demand, weight }) => ({ cores: demand ?? 0, weight }));
    const shares = fairShares(this.#options.places.length, demands);
    return new Map(shares.map((share, index) => [sharing[index] as Lease, share]));
  }

  /** Give each what is due to it: first those that get less. */
  #applyShares(): void {
    let total = 0;
    for (const { weight } of this.#leases) total += weight;
    this.#options.onTotalWeight(total);
    const growth = ([lease, { cores }]: [Lease, FairShare]) =>
      cores - (lease.limits.quotaCores ?? 0);
    const changes = [...this.#shares()].sort((a, b) => growth(a) - growth(b));
    for (const [lease, share] of changes) lease.change(share);
  }

  #explicit({ cpuset }: Task): number[] | null {
    if (cpuset === null) return null;
    const own = this.#options.places.map(({ cpu }) => cpu);
    const cpus = parseOrRefuse(cpuset);
    if (cpus.every((cpu) => own.includes(cpu))) return cpus;
    throw new JobRefusedError(
      `cpuset "${cpuset}" must be inside this node's CPUs ${formatCpuList(own)}`,
    );
  }

  #count(cpus: readonly number[], change: number): void {
    for (const cpu of cpus) this.#loads.set(cpu, (this.#loads.get(cpu) ?? 0) + change);
  }
}

class Lease implements CpuLease {
  isShared: boolean | null;
  /** Cores that it would use if it had the node to itself; null: it does not take part in sharing. */
  readonly demand: number | null;
  /** Its weight where everybody gets what it asks for. */
  readonly weight: number;
  readonly #onReturn: (lease: Lease) => void;
  #limits: CpuLimits;
  #apply: ((limits: CpuLimits) => void) | null = null;

  constructor(
    limits: CpuLimits,
    { demand, weight, isShared, onReturn }: {
      readonly demand: number | null;
      readonly weight: number;
      readonly isShared: boolean | null;
      readonly onReturn: (lease: Lease) => void;
    },
  ) {
    this.#limits = limits;
    this.demand = demand;
    this.weight = weight;
    this.isShared = isShared;
    this.#onReturn = onReturn;
  }

  get limits(): CpuLimits {
    return this.#limits;
  }

  bind(apply: (limits: CpuLimits) => void): void {
    this.#apply = apply;
    apply(this.#limits);
  }

  change({ cores, weight }: FairShare): void {
    if (cores === this.#limits.quotaCores && weight === this.#limits.weight) return;
    this.#limits = { ...this.#limits, quotaCores: cores, weight };
    this.#apply?.(this.#limits);
  }

  [Symbol.dispose](): void {
    this.#apply = null;
    this.#onReturn(this);
  }
}

function quotaOf({ cpu_quota }: Task): number | null {
  return cpu_quota === null ? null : cpu_quota / 100;
}

function parseOrRefuse(cpuset: string): number[] {
  try {
    return parseCpuList(cpuset);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new JobRefusedError(error.message);
  }
}
