/**
 * What a worker needs of whatever starts its tasks. The adapter's client implements it; the worker
 * gets it as a parameter, so that neither role imports the other.
 *
 * @module
 */

import type { AdapterReady, LaunchStarted } from "./adapter_protocol.ts";
import type { InvocationEvent } from "./records.ts";
import type { Task } from "./task.ts";

/** How one attempt ended. */
export type LaunchOutcome =
  /** The process ran; `isDone` when it exited 0 with its outputs in place. */
  | { readonly kind: "exited"; readonly isDone: boolean; readonly event: InvocationEvent }
  /** The task was not acceptable: running it again would not help. */
  | { readonly kind: "refused"; readonly reason: string }
  /** It did not come to its end, through no fault of its own. */
  | { readonly kind: "lost"; readonly reason: string }
  /** The adapter died without a word: how the process ended is not known; it is being ended. */
  | { readonly kind: "crashed"; readonly reason: string };

/** One attempt that was handed to the adapter. */
export interface Launch {
  /** Identity of this launch within its adapter. */
  readonly launchId: string;
  /** Resolves when the process runs; null when it never did. Never rejects. */
  readonly started: Promise<LaunchStarted | null>;
  /** Resolves when it ended. Never rejects. */
  readonly outcome: Promise<LaunchOutcome>;
  /** End its whole process tree: SIGTERM, then SIGKILL after `graceMs`. */
  stop(options: { readonly reason: string; readonly graceMs: number }): void;
}

/** Starts attempts and tells how they end. */
export interface Launcher {
  /** What the adapter can do on this machine. */
  readonly ready: AdapterReady;
  /** Start one attempt; returns at once. */
  launch(task: Task): Launch;
  /** Resolves with the reason when the adapter is gone; what it ran has crashed then. */
  readonly closed: Promise<string>;
}
