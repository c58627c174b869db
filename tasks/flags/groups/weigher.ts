/** Flags that choose among feasible nodes, for the scheduler and for what starts one. */

import { parseWeigher, type Weigher } from "../../../trace/weighers.ts";
import { text } from "../../command/flag_table.ts";
import { asUsage, UsageError } from "../../command/usage_error.ts";

/** How to choose among feasible nodes. */
export const WEIGHER_FLAGS = {
  "weigher": text(
    "How to choose among feasible nodes: empty (first by name), instances, vcpu, or a weighted sum.",
    { fallback: "", placeholder: "NAME[:X,…]", isEmptyGiven: true },
  ),
  "weigher-order": text("One weigher: prefer the node with the smallest or the largest weight.", {
    choices: ["min", "max"],
    fallback: "min",
  }),
} as const;

/**
 * The weigher that the flags give.
 *
 * @throws {UsageError} for an unknown name, a bad multiplier, and the order max beside multipliers.
 */
export function weigherOf(
  options: { readonly "weigher": string; readonly "weigher-order": "min" | "max" },
): Weigher {
  const weigher = asUsage(() => parseWeigher(options.weigher));
  if (typeof weigher !== "string" && options["weigher-order"] === "max") {
    throw new UsageError(
      "--weigher-order max is for a single weigher: with multipliers, their signs give the order",
    );
  }
  return weigher;
}
