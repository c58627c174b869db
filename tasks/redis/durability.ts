/** Whether a Redis keeps what it took in: said once by each role that relies on it. */

import type { RedisQueue } from "../../scheduler/queue/redis_queue.ts";
import { CommandError, type Io } from "../command/main.ts";
import type { OptionsOf } from "../command/flag_table.ts";
import type { DURABILITY_FLAGS } from "../flags/groups/redis.ts";

/** Values of {@linkcode DURABILITY_FLAGS}. */
export type Durability = OptionsOf<typeof DURABILITY_FLAGS>;

/**
 * Warn of a server whose settings may lose tasks.
 *
 * @throws {CommandError} instead of the warning, if `isRequired`.
 */
export async function checkDurability(
  queue: RedisQueue,
  { isRequired, say }: { readonly isRequired: boolean } & Pick<Io, "say">,
): Promise<void> {
  const gap = await queue.durabilityGap();
  if (gap === null) return;
  if (isRequired) throw new CommandError(`--require-durable: Redis may lose tasks: ${gap}`);
  say(`Redis may lose tasks: ${gap}`);
}
