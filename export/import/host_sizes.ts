/**
 * How many cores a host must have had, where the source names none: the most that were reserved there at
 * one time. Pure.
 *
 * @module
 */

/** Cores of one entry: the low bits of its key; a larger reservation takes several entries. */
const CORES_BITS = 12;
const CORES_SPAN = 2 ** CORES_BITS;

/** Keys held in one piece: doubling one array instead would hold half of it empty, and copy it. */
const PIECE_KEYS = 1 << 18;

/** Times at which cores are taken or given back, as sortable keys: ms since the first, then cores. */
class Keys {
  #pieces: Float64Array[] = [];
  #length = 0;

  add(tMs: number, cores: number): void {
    for (let rest = cores; rest > 0; rest -= CORES_SPAN - 1) {
      const at = this.#length++ % PIECE_KEYS;
      if (at === 0) this.#pieces.push(new Float64Array(PIECE_KEYS));
      const piece = this.#pieces.at(-1) as Float64Array;
      piece[at] = tMs * CORES_SPAN + Math.min(rest, CORES_SPAN - 1);
    }
  }

  /** The keys in order; they are given up here. */
  takeSorted(): Float64Array {
    const all = new Float64Array(this.#length);
    for (let at = 0; at < all.length; at += PIECE_KEYS) {
      const piece = this.#pieces.shift() as Float64Array;
      all.set(piece.subarray(0, Math.min(PIECE_KEYS, all.length - at)), at);
    }
    this.#length = 0;
    return all.sort();
  }
}

/** Collects reservations of one host. */
export class HostSize {
  readonly #taken = new Keys();
  readonly #given = new Keys();
  #originMs: number | null = null;
  #largest = 0;

  /** `cores` are reserved from `startMs` to `endMs`, epoch ms. */
  add(cores: number, startMs: number, endMs: number): void {
    this.#originMs ??= Math.floor(startMs) - ORIGIN_ROOM_MS;
    this.#largest = Math.max(this.#largest, cores);
    const from = Math.round(startMs - this.#originMs);
    if (from < 0) return;
    this.#taken.add(from, cores);
    this.#given.add(Math.max(from + 1, Math.round(endMs - this.#originMs)), cores);
  }

  /** Most cores that were reserved at one time; 1 at least. To be called once. */
  peakCores(): number {
    const taken = this.#taken.takeSorted();
    const given = this.#given.takeSorted();
    let cores = 0;
    let peak = Math.max(1, this.#largest);
    let back = 0;
    for (const key of taken) {
      const tMs = Math.floor(key / CORES_SPAN);
      // What ends at an instant is free for what starts then.
      while (back < given.length && Math.floor((given[back] as number) / CORES_SPAN) <= tMs) {
        cores -= (given[back++] as number) % CORES_SPAN;
      }
      cores += key % CORES_SPAN;
      if (cores > peak) peak = cores;
    }
    return peak;
  }
}

/**
 * Room for entries that come later in the file and started earlier, ms: 30 years. With the keys' 41 bits
 * of ms there are as many left behind the first entry. Worst outcome: an older entry is not counted.
 */
const ORIGIN_ROOM_MS = 30 * 365 * 86_400_000;
