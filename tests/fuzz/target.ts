/** What a fuzz is made of. */

import type { Mutator } from "./mutate.ts";

/** Something that takes what others wrote. Dispose of it when it is not fuzzed any more. */
export interface FuzzTarget extends AsyncDisposable {
  /** Its name. */
  readonly name: string;
  /** One round with what `mutator` draws; throws when something is wrong. */
  round(mutator: Mutator): Promise<void>;
}

/** Longest round: a hundred times what one takes on an idle machine, ms. */
const ROUND_LIMIT_MS = 20_000;

/** Most memory that a round may leave in use beyond what was used before, bytes. */
const ROUND_LIMIT_BYTES = 600e6;

/** Errors that tell a user of a file: all others are defects. */
const TOLD = [
  "DecodeError",
  "ExportError",
  "InputFileError",
  "ParquetReadError",
  "SyntaxError",
  "NotFound",
];

/** True for an error that tells of bad input, false for a defect. */
export function isTold(error: unknown): error is Error {
  return error instanceof Error && TOLD.includes(error.name);
}

/**
 * Run the round of `target` that `seed` draws.
 *
 * @throws {Error} naming target and seed when the round finds something, takes too long or too much.
 */
export async function runRound(
  target: FuzzTarget,
  { seed, mutator }: { readonly seed: number; readonly mutator: Mutator },
): Promise<void> {
  const startMs = performance.now();
  const startBytes = Deno.memoryUsage().rss;
  try {
    await target.round(mutator);
  } catch (error) {
    throw new Error(`fuzz ${target.name}, seed ${seed}: ${error}`, { cause: error });
  }
  const tookMs = performance.now() - startMs;
  const tookBytes = Deno.memoryUsage().rss - startBytes;
  if (tookMs > ROUND_LIMIT_MS || tookBytes > ROUND_LIMIT_BYTES) {
    throw new Error(
      `fuzz ${target.name}, seed ${seed}: it took ${tookMs.toFixed(0)} ms and ${tookBytes} bytes`,
    );
  }
}
