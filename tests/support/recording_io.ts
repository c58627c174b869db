/** The world of a command, as a test sees it: what was printed and said is kept. */

import type { Io } from "../../tasks/command/main.ts";

/** An {@linkcode Io} that keeps its lines and can be interrupted. */
export interface RecordingIo extends Io {
  /** Lines of stdout. */
  readonly printed: readonly string[];
  /** Lines of stderr. */
  readonly said: readonly string[];
  /** As Ctrl-C would. */
  interrupt(): void;
}

/** A fresh world that is no terminal. */
export function recordingIo(): RecordingIo {
  const printed: string[] = [];
  const said: string[] = [];
  const first = new AbortController();
  return {
    printed,
    said,
    print: (line) => printed.push(line),
    say: (line) => said.push(line),
    signal: first.signal,
    force: new AbortController().signal,
    isTerminal: false,
    interrupt: () => first.abort(),
  };
}
