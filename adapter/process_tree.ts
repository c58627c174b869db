/**
 * A task's processes: its first one and all descendants, as far as the kernel keeps them together.
 *
 * @module
 */

import {
  listProcesses,
  readProcessStat,
  readUids,
  signalProcess,
} from "../trace/linux/processes.ts";

/** The processes of one task. */
export interface ProcessTree {
  /** Those that run now. */
  pids(): number[];
  /** End all with SIGKILL. */
  kill(): void;
}

/** Send `signal` to every process of `tree`. */
export function signalTree(tree: ProcessTree, signal: Deno.Signal): void {
  for (const pid of tree.pids()) signalProcess(pid, signal);
}

/**
 * The session of a task's first process: what holds a tree together without a cgroup. A descendant
 * that makes a session of its own escapes.
 */
export class SessionTree implements ProcessTree {
  readonly #leader: number;
  readonly #uid: number | null;

  /** @param uid User whose processes alone belong to it; null: whoever's. */
  constructor(leader: number, uid: number | null = null) {
    this.#leader = leader;
    this.#uid = uid;
  }

  pids(): number[] {
    return listProcesses().filter((pid) => {
      const stat = readProcessStat(pid);
      return stat !== null && stat.session === this.#leader && stat.state !== "Z" &&
        (this.#uid === null || readUids(pid).every((one) => one === this.#uid));
    });
  }

  kill(): void {
    killUntilGone(this);
  }
}

/** Rounds of SIGKILL: each catches what forked during the one before; a fork bomb outruns any number. */
const KILL_ROUNDS = 50;

/** SIGKILL to every process of `tree`, again while new ones appear. */
export function killUntilGone(tree: ProcessTree): void {
  for (let round = 0; round < KILL_ROUNDS; round++) {
    const pids = tree.pids();
    if (pids.length === 0) return;
    for (const pid of pids) signalProcess(pid, "SIGKILL");
  }
}
