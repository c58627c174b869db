/**
 * The adapter of one node: starts the attempts that its worker asks for, and ends them when asked, or
 * when the worker is gone.
 *
 * @module
 */

import {
  ADAPTER_PROTOCOL,
  type AdapterHello,
  type AdapterReady,
  type AdapterReply,
  type LaunchRequest,
} from "../trace/adapter_protocol.ts";
import { messageOf } from "../trace/atomic_file.ts";
import { Attempt } from "./attempt.ts";
import { RecordError } from "./disk_room.ts";
import type { CgroupBase } from "./place/cgroup_base.ts";
import type { SystemdAccess } from "./place/scope_place.ts";
import { endScopes } from "./place/sweep_scopes.ts";
import { Guard } from "./guard.ts";
import type { StopOptions } from "./lifetime.ts";
import type { NodeContext } from "./node_context.ts";
import { type AdapterMeans, type OpenNode, openNode } from "./open_node.ts";

/** The adapter cannot continue, and the launch that showed it. */
export class AttemptError extends Error {
  override readonly name = "AttemptError";
  /** The launch. */
  readonly launchId: string;

  constructor(message: string, { launchId, cause }: { launchId: string; cause: unknown }) {
    super(message, { cause });
    this.launchId = launchId;
  }
}

/** The adapter of one node. */
export class Adapter implements Disposable {
  /** The answer to hello. */
  readonly ready: AdapterReady;
  readonly #node: NodeContext;
  readonly #cgroups: CgroupBase | null;
  readonly #systemd: SystemdAccess | null;
  readonly #guard: Guard | null;
  readonly #report: (reply: AdapterReply) => void;
  readonly #running = new Map<string, { attempt: Attempt; over: Promise<void> }>();
  readonly #failure = Promise.withResolvers<never>();

  private constructor(
    { node, cgroups, systemd, notes, swept, failed }: OpenNode,
    { starter, libc, report }: AdapterMeans,
  ) {
    this.#node = node;
    this.#cgroups = cgroups;
    this.#systemd = systemd;
    const { instanceId } = node.origin;
    this.#guard = libc && cgroups && Guard.start({ libc, starter, cgroups, systemd, instanceId });
    this.#report = report;
    failed.then(this.#failure.reject);
    const accounting = [cgroups?.description, libc && "wait4 rusage"].filter(Boolean);
    this.ready = {
      type: "ready",
      protocol: ADAPTER_PROTOCOL,
      pid: Deno.pid,
      launcher: starter.kind,
      accounting: accounting.join(", ") || "none",
      cpu_control: node.control.kind,
      notes,
      swept,
    };
  }

  /**
   * Begin the service that `hello` asks for.
   *
   * @throws {AdapterError} when it cannot be given.
   * @throws {ControlError} when it forces a control that is not there.
   */
  static async open(hello: AdapterHello, means: AdapterMeans): Promise<Adapter> {
    return new Adapter(await openNode(hello, means), means);
  }

  /** Rejects when the adapter cannot continue: its files can no longer be written. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /** Start an attempt; replies tell of it. */
  launch({ launch_id, task }: LaunchRequest): void {
    const attempt = new Attempt(task, {
      node: this.#node,
      onStarted: (started) => this.#report({ type: "started", launch_id, ...started }),
    });
    const over = this.#follow(launch_id, attempt);
    this.#running.set(launch_id, { attempt, over });
  }

  /** End one attempt, or all. */
  stop(launchId: string | null, options: StopOptions): void {
    const wanted = launchId === null ? this.#running.values() : [this.#running.get(launchId)];
    for (const running of wanted) running?.attempt.stop(options);
  }

  /** End all attempts and wait for them; records that a full disk does not take are lost. */
  async stopAll(options: StopOptions): Promise<void> {
    this.stop(null, options);
    this.#node.room.close();
    await Promise.all([...this.#running.values()].map(({ over }) => over));
  }

  /** Ends what still runs, without a record. */
  [Symbol.dispose](): void {
    const { instanceId } = this.#node.origin;
    if (this.#running.size > 0 && this.#systemd !== null) endScopes(this.#systemd, instanceId);
    this.#guard?.[Symbol.dispose]();
    this.#cgroups?.[Symbol.dispose]();
    this.#node.journal[Symbol.dispose]();
    this.#node.files[Symbol.dispose]();
  }

  async #follow(launchId: string, attempt: Attempt): Promise<void> {
    try {
      const result = await attempt.run();
      this.#report(
        result.kind === "refused"
          ? { type: "refused", launch_id: launchId, reason: result.reason }
          : {
            type: "exited",
            launch_id: launchId,
            is_done: result.isDone,
            is_interrupted: result.isInterrupted,
            event: result.event,
          },
      );
    } catch (error) {
      const run = this.#node.hello.run_dir;
      const message = error instanceof RecordError
        ? `Cannot record what runs in "${run}": ${error.message}`
        : `Cannot continue after ${attempt.describe()}: ${messageOf(error)}`;
      this.#failure.reject(new AttemptError(message, { launchId, cause: error }));
    }
    this.#running.delete(launchId);
  }
}
