/**
 * How many cores a host must have had, where the source names none: the most that were reserved there at
 * one time. Pure.
 *
 * @module
 */

/** Cores of one entry: the low bits of its key; a larger reservation takes several entries. */
const CORES_BITS = 12;
const CORES_SPAN = 2 ** CORES_BITS;

/** Times at which cores are taken or given back, as sortable keys: ms since the first, then cores. */
class Keys {
  #keys = new Float64Array(1024);
  #length = 0;

  add(tMs: number, cores: number): void {
    for (let rest = cores; rest > 0; rest -= CORES_SPAN - 1) {
      if (this.#length === this.#keys.length) {
        const larger = new Float64Array(2 * this.#length);
        larger.set(this.#keys);
        this.#keys = larger;
      }
      this.#keys[this.#length++] = tMs * CORES_SPAN + Math.min(rest, CORES_SPAN - 1);
    }
  }

  sorted(): Float64Array {
    return this.#keys.subarray(0, this.#length).sort();
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

  /** Most cores that were reserved at one time; 1 at least. */
  peakCores(): number {
    const taken = this.#taken.sorted();
    const given = this.#given.sorted();
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
