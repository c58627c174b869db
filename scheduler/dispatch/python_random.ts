/**
 * CPython's `random.Random`, bit for bit: a mix that was drawn with a seed stays the same mix.
 *
 * Sources: MT19937 (Matsumoto and Nishimura, mt19937ar.c), CPython 3.11 `Modules/_randommodule.c` and
 * `Lib/random.py`. Pure: nothing but the seed decides what comes.
 *
 * @module
 */

/** Words of the generator's state and the distance of the recurrence, mt19937ar.c. */
const STATE_WORDS = 624;
const MIDDLE_WORD = 397;

/** A seeded generator with the methods of CPython's that dispatching needs. */
export class PythonRandom {
  readonly #state = new Uint32Array(STATE_WORDS);
  #index = STATE_WORDS;

  /** Seed as `random.Random(seed)` does: the sign of the seed does not matter there. */
  constructor(seed: bigint | number) {
    const value = BigInt(seed);
    this.#initByArray(wordsOf(value < 0n ? -value : value));
  }

  /** A whole number of `bits` random bits, 1 to 32. */
  getrandbits(bits: number): number {
    return this.#nextWord() >>> (32 - bits);
  }

  /** A number in [0, 1) with 53 random bits. */
  random(): number {
    const high = this.#nextWord() >>> 5;
    const low = this.#nextWord() >>> 6;
    return (high * 67_108_864 + low) / 9_007_199_254_740_992;
  }

  /** A whole number from `low` to `high`, both included; their span is below 2³². */
  randint(low: number, high: number): number {
    return low + this.#below(high - low + 1);
  }

  /** Shuffle `items` in place, as `random.shuffle` does. */
  shuffle(items: unknown[]): void {
    for (let index = items.length - 1; index > 0; index--) {
      const other = this.#below(index + 1);
      [items[index], items[other]] = [items[other], items[index]];
    }
  }

  /** `_randbelow_with_getrandbits`: draws again until the value is below `limit`. */
  #below(limit: number): number {
    if (!(Number.isInteger(limit) && limit >= 1 && limit < 2 ** 32)) {
      throw new RangeError(
        `Cannot draw below ${limit}: a whole number from 1 to 2^32-1 is required`,
      );
    }
    const bits = 32 - Math.clz32(limit);
    let drawn = this.getrandbits(bits);
    while (drawn >= limit) drawn = this.getrandbits(bits);
    return drawn;
  }

  #word(index: number): number {
    return this.#state[index] as number;
  }

  #initByArray(key: readonly number[]): void {
    const state = this.#state;
    state[0] = 19_650_218;
    for (let i = 1; i < STATE_WORDS; i++) {
      const before = this.#word(i - 1);
      state[i] = Math.imul(1_812_433_253, before ^ (before >>> 30)) + i;
    }
    let i = 1;
    let j = 0;
    const advance = () => {
      if (++i >= STATE_WORDS) {
        state[0] = this.#word(STATE_WORDS - 1);
        i = 1;
      }
    };
    for (let k = Math.max(STATE_WORDS, key.length); k > 0; k--) {
      const before = this.#word(i - 1);
      const mixed = this.#word(i) ^ Math.imul(before ^ (before >>> 30), 1_664_525);
      state[i] = mixed + (key[j] as number) + j;
      advance();
      j = (j + 1) % key.length;
    }
    for (let k = STATE_WORDS - 1; k > 0; k--) {
      const before = this.#word(i - 1);
      state[i] = (this.#word(i) ^ Math.imul(before ^ (before >>> 30), 1_566_083_941)) - i;
      advance();
    }
    state[0] = 0x8000_0000;
  }

  #nextWord(): number {
    if (this.#index === STATE_WORDS) this.#regenerate();
    let word = this.#word(this.#index++);
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c_5680;
    word ^= (word << 15) & 0xefc6_0000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  #regenerate(): void {
    for (let i = 0; i < STATE_WORDS; i++) {
      const joined = (this.#word(i) & 0x8000_0000) |
        (this.#word((i + 1) % STATE_WORDS) & 0x7fff_ffff);
      const twisted = (joined >>> 1) ^ ((joined & 1) === 0 ? 0 : 0x9908_b0df);
      this.#state[i] = this.#word((i + MIDDLE_WORD) % STATE_WORDS) ^ twisted;
    }
    this.#index = 0;
  }
}

/** The 32-bit words of `value`, lowest first; at least one. */
function wordsOf(value: bigint): number[] {
  const words = [Number(value & 0xffff_ffffn)];
  for (let rest = value >> 32n; rest > 0n; rest >>= 32n) words.push(Number(rest & 0xffff_ffffn));
  return words;
}
