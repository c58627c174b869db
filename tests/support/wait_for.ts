/** Waiting for a state of the world that no event tells of. */

/** Between two polls, ms: short beside what is waited for, long beside a check. */
const LOOK_MS = 20;

/** How {@linkcode waitFor} waits. */
export interface WaitOptions<T> {
  /** What is waited for, for the error. */
  readonly what: string;
  /** Reads the state. */
  readonly read: () => Promise<T> | T;
  /** True when it is as wanted. */
  readonly until: (state: T) => boolean;
  /** Longest wait, ms. Default 60 s: it costs nothing when all is well, and a machine that others
   * hold may take many times as long as usual. */
  readonly limitMs?: number;
  /** Time between two reads, ms; longer where a read starts processes. Default 20. */
  readonly everyMs?: number;
}

/**
 * The first state that is as wanted.
 *
 * @throws {Error} with the last state seen, when it did not come.
 */
export async function waitFor<T>(
  { what, read, until, limitMs = 60_000, everyMs = LOOK_MS }: WaitOptions<T>,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const state = await read();
    if (until(state)) return state;
    if (performance.now() > deadline) {
      throw new Error(`Waited ${limitMs} ms for ${what}; last: ${Deno.inspect(state)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
