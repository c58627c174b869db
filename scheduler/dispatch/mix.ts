/**
 * Mixes: `fast1080p=40,hevc1080p=20` and the sequence of profiles that a seed makes of it.
 *
 * @module
 */

import { quote } from "../../trace/schema.ts";
import type { Profile, Profiles } from "./profiles.ts";
import type { PythonRandom } from "./python_random.ts";

/** A profile and its weight in a mix. */
export interface MixPart {
  /** The profile. */
  readonly profile: Profile;
  /** Its weight, a whole number from 1 to a million. */
  readonly weight: number;
}

/**
 * Largest weight: total × weight then stays an exact double for any total below 9 × 10⁹, and any sum of
 * weights is below the 2³² that one draw covers.
 */
const WEIGHT_MAX = 1_000_000;

/**
 * The parts of a mix `name=weight,name=weight`, in the order given.
 *
 * @throws {RangeError} naming the part that is not a known profile with a whole weight from 1 to a million.
 */
export function parseMix(text: string, profiles: Profiles): MixPart[] {
  const parts = text.split(",").map((part): MixPart => {
    const [, name = "", weightText = ""] = /^\s*([^=\s]+)\s*=\s*(\S+)\s*$/.exec(part) ?? [];
    if (name === "") {
      throw new RangeError(`Cannot use mix: NAME=WEIGHT is required, got ${quote(part)}`);
    }
    const profile = profiles.get(name);
    if (profile === undefined) {
      const known = [...profiles.keys()].join(", ");
      throw new RangeError(`Cannot use mix: unknown profile "${name}", known are ${known}`);
    }
    const weight = Number(weightText);
    if (!Number.isSafeInteger(weight) || weight < 1 || weight > WEIGHT_MAX) {
      throw new RangeError(
        `Cannot use mix: the weight of "${name}" must be a whole number from 1 to ${WEIGHT_MAX}, got ${
          quote(weightText)
        }`,
      );
    }
    return { profile, weight };
  });
  for (const { profile } of parts) {
    if (parts.filter((part) => part.profile === profile).length > 1) {
      throw new RangeError(`Cannot use mix: profile "${profile.name}" is in it twice`);
    }
  }
  return parts;
}

/**
 * `total` profiles in the proportions of the mix, shuffled: floor(total × weight / sum) of each, what
 * is left one each by descending weight (in the order given where weights are equal).
 */
export function expandMix(
  mix: readonly MixPart[],
  { total, random }: { readonly total: number; readonly random: PythonRandom },
): Profile[] {
  const sum = sumOf(mix);
  const counts = mix.map(({ weight }) => Math.floor(total * weight / sum));
  const byWeight = mix.map((_, index) => index)
    .toSorted((a, b) => (mix[b]?.weight ?? 0) - (mix[a]?.weight ?? 0));
  const left = total - counts.reduce((all, count) => all + count, 0);
  for (const index of byWeight.slice(0, left)) counts[index] = (counts[index] ?? 0) + 1;
  const sequence = mix.flatMap(({ profile }, index) =>
    Array<Profile>(counts[index] ?? 0).fill(profile)
  );
  random.shuffle(sequence);
  return sequence;
}

/** `count` profiles, each drawn by itself: the first whose cumulative weight reaches the draw. */
export function drawMix(
  mix: readonly MixPart[],
  { count, random }: { readonly count: number; readonly random: PythonRandom },
): Profile[] {
  const sum = sumOf(mix);
  return Array.from({ length: count }, () => {
    let left = random.randint(1, sum);
    const drawn = mix.find(({ weight }) => (left -= weight) <= 0);
    if (drawn === undefined) throw new RangeError("Cannot draw from an empty mix");
    return drawn.profile;
  });
}

function sumOf(mix: readonly MixPart[]): number {
  return mix.reduce((sum, { weight }) => sum + weight, 0);
}
