/**
 * Keyed hashes instead of names, and moved times: the same for one salt.
 *
 * @module
 */

import { createHmac } from "node:crypto";

/** Range from which the offset of wall times is drawn, ms: ten years, in whole seconds. */
const WALL_RANGE_S = 10 * 365 * 86_400;

/** Range from which the offset of the boot clock is drawn, in clock ticks of 10 ms: a month. */
const BOOT_RANGE_TICKS = 30 * 86_400 * 100;

/** Milliseconds of a clock tick. */
const TICK_MS = 10;

/** Names that Tracekit itself gives: they identify nobody. */
const KNOWN = new Set([
  ...["fast1080p", "medium480p", "hevc1080p", "light1c", "light480p1c", "light_1c"],
  ...["cloud", "demo", "edge", "ffmpeg", "ffprobe", "command"],
]);

/** Replaces names by keyed hashes and moves times. */
export class Tokens {
  readonly #key: string;
  readonly #hashes = new Map<string, string>();
  /** Added to wall times, ms. */
  readonly wallMs: number;
  /** Added to start ticks. */
  readonly bootTicks: number;

  /** Tokens of `salt`; who knows the salt can test a guess, so that it is a secret. */
  constructor(salt: string) {
    this.#key = salt;
    this.wallMs = -1000 * (this.#number("wall") % WALL_RANGE_S);
    this.bootTicks = this.#number("boot") % BOOT_RANGE_TICKS;
  }

  /** Added to the boot clock, ms. */
  get bootMs(): number {
    return this.bootTicks * TICK_MS;
  }

  /** Every text that was replaced. */
  get originals(): Iterable<string> {
    return this.#hashes.keys();
  }

  /** The hash of `text`: hex digits of the same length where it is hex, else `x` and ten of them. */
  hash(text: string): string {
    if (text === "") return text;
    const known = this.#hashes.get(text);
    if (known !== undefined) return known;
    const digest = createHmac("sha256", this.#key).update(text).digest("hex");
    const isHex = /^(?:[0-9a-f]{16}|[0-9a-f]{32})$/.test(text);
    const hash = isHex ? digest.slice(0, text.length) : `x${digest.slice(0, 10)}`;
    this.#hashes.set(text, hash);
    return hash;
  }

  /** The same, but a name of Tracekit's own is kept. */
  hashUnlessKnown(text: string): string {
    return KNOWN.has(text) ? text : this.hash(text);
  }

  #number(what: string): number {
    const digest = createHmac("sha256", this.#key).update(`offset of ${what}`).digest("hex");
    return parseInt(digest.slice(0, 12), 16);
  }
}
