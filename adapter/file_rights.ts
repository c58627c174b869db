/**
 * Whose rights the adapter's own file accesses have: files of a run belong to the worker's user, also
 * when a root adapter writes them, and a link that the user planted leads no further than the user.
 *
 * @module
 */

import type { StartCalls } from "./start/start_calls.ts";
import type { Rights } from "./start/spawn_plan.ts";

const ROOT = { uid: 0, gid: 0 };

/** Runs file accesses as the worker's user. */
export class FileRights {
  readonly #libc: StartCalls | null;
  readonly #rights: Rights | null;

  /** @param rights The worker's user; null: the adapter runs as that user already. */
  constructor(libc: StartCalls | null, rights: Rights | null) {
    this.#libc = libc;
    this.#rights = rights;
  }

  /** The worker's user, where that is another one than the adapter's; null: it is the same. */
  get uid(): number | null {
    return this.#libc === null ? null : this.#rights?.uid ?? null;
  }

  /**
   * Run `access` with the user's rights. It must be synchronous: the rights are those of this thread,
   * and asynchronous file access runs on others.
   */
  asUser<T>(access: () => T): T {
    if (this.#libc === null || this.#rights === null) return access();
    this.#libc.setFileRights(this.#rights);
    try {
      return access();
    } finally {
      this.#libc.setFileRights(ROOT);
    }
  }
}
