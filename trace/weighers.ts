/**
 * How `--weigher` is written: one name, or several names with multipliers. Pure.
 *
 * @module
 */

import { quote } from "./schema.ts";

/** Names of what can weigh a host. */
export const WEIGHER_NAMES = ["instances", "vcpu"] as const;

/** One of {@linkcode WEIGHER_NAMES}. */
export type WeigherName = typeof WEIGHER_NAMES[number];

const TERM = String.raw`(${WEIGHER_NAMES.join("|")}):([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)`;
const TERM_PATTERN = new RegExp(`^${TERM}$`);

/** The form of a weigher's text; that each name is there once, {@linkcode parseWeigher} checks. */
export const WEIGHER_PATTERN: RegExp = new RegExp(
  `^(|${WEIGHER_NAMES.join("|")}|${TERM}(,${TERM})*)$`,
);

/** A weigher as a term of a sum. */
export interface WeigherTerm {
  /** What it weighs. */
  readonly weigher: WeigherName;
  /** Times the weight normalised to 0..1; above 0 the largest weight is preferred, below 0 the smallest. */
  readonly multiplier: number;
}

/** How feasible hosts are weighed; "": not at all, a list: by the sum of its terms. */
export type Weigher = "" | WeigherName | readonly WeigherTerm[];

/**
 * The weigher of a text like `instances` or `instances:1,vcpu:-0.5`.
 *
 * @throws {RangeError} naming the part that is not NAME:MULTIPLIER with a known name, each name once, and
 * a finite number.
 */
export function parseWeigher(text: string): Weigher {
  const one = WEIGHER_NAMES.find((name) => name === text);
  if (text === "" || one !== undefined) return one ?? "";
  const terms = text.split(",").map(termOf);
  for (const { weigher } of terms) {
    if (terms.filter((term) => term.weigher === weigher).length > 1) {
      throw new RangeError(`Cannot weigh by ${quote(text)}: weigher "${weigher}" is in it twice`);
    }
  }
  return terms;
}

function termOf(part: string): WeigherTerm {
  const [name = ""] = part.split(":");
  const weigher = WEIGHER_NAMES.find((known) => known === name);
  if (weigher === undefined) {
    const known = WEIGHER_NAMES.join(", ");
    throw new RangeError(`Cannot weigh by ${quote(name)}: unknown weigher, known are ${known}`);
  }
  const multiplier = Number(TERM_PATTERN.exec(part)?.[2] ?? NaN);
  if (!Number.isFinite(multiplier)) {
    throw new RangeError(
      `Cannot weigh by ${quote(part)}: NAME:MULTIPLIER with a finite number is required`,
    );
  }
  return { weigher, multiplier };
}

/** The text that {@linkcode parseWeigher} reads as these terms. */
export function weigherText(terms: readonly WeigherTerm[]): string {
  return terms.map(({ weigher, multiplier }) => `${weigher}:${multiplier}`).join(",");
}

/** `weigher` as terms: a single name has the multiplier 1 where the largest weight wins, else -1. */
export function termsOf(weigher: Weigher, order: "min" | "max"): readonly WeigherTerm[] {
  if (weigher === "") return [];
  return typeof weigher === "string"
    ? [{ weigher, multiplier: order === "max" ? 1 : -1 }]
    : weigher;
}
