/**
 * What the scheduler knows of the nodes: a copy of their books, kept true by what scripts return.
 *
 * @module
 */

import type { Host } from "./placement.ts";
import type { HostState } from "../queue/queue.ts";

/** A node's books as placement needs them. */
export function hostFrom(state: HostState): Host {
  const { node, capacity, used, hold, slots, tasks, isDraining } = state;
  return {
    node,
    capacity,
    free: capacity - used - hold,
    freeSlots: slots === 0 ? null : slots - tasks,
    tasks,
    isDraining,
  };
}

/** Hosts in the order of their names. */
export class HostMirror {
  #hosts: Host[] = [];

  /** The hosts, sorted by name: compared by code units, as the seeds sort. */
  get hosts(): readonly Host[] {
    return this.#hosts;
  }

  /** Forget everything and take these. */
  replace(states: readonly HostState[]): void {
    this.#hosts = states.map(hostFrom).sort((a, b) => a.node < b.node ? -1 : 1);
  }

  /** Take a node's new state, or remove it. */
  update(node: string, state: HostState | null): void {
    if (state !== null) {
      this.set(hostFrom(state));
      return;
    }
    const at = this.#positionOf(node);
    if (this.#hosts[at]?.node === node) this.#hosts.splice(at, 1);
  }

  /** Take `host` in, instead of the one of that name. */
  set(host: Host): void {
    const at = this.#positionOf(host.node);
    this.#hosts.splice(at, this.#hosts[at]?.node === host.node ? 1 : 0, host);
  }

  /** The host of that name. */
  get(node: string): Host | null {
    const found = this.#hosts[this.#positionOf(node)];
    return found?.node === node ? found : null;
  }

  #positionOf(node: string): number {
    let low = 0;
    let high = this.#hosts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#hosts[middle]?.node ?? "") < node) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
