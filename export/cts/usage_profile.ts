/**
 * How much of its cores a task is known to have used, by time: what is left is where CPU time that no
 * reading saw can have gone.
 *
 * @module
 */

/** Narrowest cell, µs: readings of one tick, which are closer together, end in one cell. */
const MIN_CELL_US = 20_000;

/**
 * Cells kept of one task, an even number: 3.4 minutes of ticks of 200 ms, 16 kB. A longer task's cells double in width,
 * and the law "no more than its cores" then holds over that width for CPU time that no reading saw.
 */
const CELL_LIMIT = 1024;

/** A share of CPU time in an interval. */
export interface Share {
  /** Start of the interval, µs. */
  readonly fromUs: number;
  /** End of the interval, µs. */
  readonly toUs: number;
  /** CPU time in it, µs. */
  readonly cpuUs: number;
}

/**
 * Profiles of tasks that run at the same time. A profile lives as long as its task and would be old
 * garbage by then: the memory of a run of thousands of tasks would be several times what it needs.
 */
export class ProfilePool {
  readonly #free: UsageProfile[] = [];

  /** An empty profile of a task that began at `startUs` and has `cores` cores. */
  take(startUs: number, cores: number): UsageProfile {
    const profile = this.#free.pop();
    if (profile === undefined) return new UsageProfile(startUs, cores);
    profile.reset(startUs, cores);
    return profile;
  }

  /** Let `profile` be used for another task. */
  giveBack(profile: UsageProfile): void {
    this.#free.push(profile);
  }
}

/** CPU time of one task by time, in cells that follow its readings. */
export class UsageProfile {
  #startUs: number;
  #cores: number;
  /** End of each cell, ascending; each begins where the one before ends. */
  readonly #ends: number[] = [];
  /** CPU time known in each cell, µs. */
  readonly #used: number[] = [];
  /** Cells in use; the lists keep their length when cells are merged. */
  #count = 0;
  #minCellUs = MIN_CELL_US;

  /** An empty profile of a task that began at `startUs` and has `cores` cores. */
  constructor(startUs: number, cores: number) {
    this.#startUs = startUs;
    this.#cores = cores;
  }

  /** Begin again for another task. */
  reset(startUs: number, cores: number): void {
    this.#startUs = startUs;
    this.#cores = cores;
    this.#count = 0;
    this.#minCellUs = MIN_CELL_US;
  }

  /** Let a cell end at `toUs`, where something was read. */
  extendTo(toUs: number): void {
    const last = this.#count - 1;
    if (last < 0) {
      if (toUs > this.#startUs) this.#push(toUs);
      return;
    }
    if (toUs <= this.#endOf(last)) return;
    if (this.#endOf(last) - this.#startOf(last) < this.#minCellUs) this.#ends[last] = toUs;
    else this.#push(toUs);
  }

  /** Enter CPU time that was used evenly over its interval. */
  add({ fromUs, toUs, cpuUs }: Share): void {
    this.extendTo(toUs);
    for (let cell = this.#cellAt(fromUs); cell < this.#count; cell++) {
      const from = Math.max(fromUs, this.#startOf(cell));
      const to = Math.min(toUs, this.#endOf(cell));
      if (to <= from) break;
      this.#used[cell] = (this.#used[cell] as number) + cpuUs * ((to - from) / (toUs - fromUs));
    }
  }

  /** Most CPU time, whole µs, that an even use of `[fromUs, toUs)` can have on top of what is known. */
  room(fromUs: number, toUs: number): number {
    this.extendTo(toUs);
    let density = this.#cores;
    for (let cell = this.#cellAt(fromUs); cell < this.#count; cell++) {
      const overlapUs = Math.min(toUs, this.#endOf(cell)) - Math.max(fromUs, this.#startOf(cell));
      if (overlapUs <= 0) break;
      density = Math.min(density, this.#freeOf(cell) / overlapUs);
    }
    return Math.floor(density * (toUs - fromUs));
  }

  /** Most cores that are known to have been used at a time. */
  peakRate(): number {
    let most = 0;
    for (let cell = 0; cell < this.#count; cell++) {
      most = Math.max(most, (this.#used[cell] as number) / this.#widthOf(cell));
    }
    return Math.min(most, this.#cores);
  }

  /**
   * Where `cpuUs` whole µs can have been used until `endUs`: as evenly as the cores allow, so in one
   * share where nothing else was near them. More than fits is spread evenly all the same.
   */
  fill(cpuUs: number, endUs: number): Share[] {
    this.extendTo(endUs);
    const level = cpuUs === 0 ? null : this.#levelFor(cpuUs);
    if (level === null) return [{ fromUs: this.#startUs, toUs: endUs, cpuUs }];
    const shares: Share[] = [];
    let exactUs = 0;
    let givenUs = 0;
    // Neighbours below their limit share one row; a cell at its limit has its own.
    let isOpen = false;
    for (let cell = 0; cell < this.#count; cell++) {
      const evenUs = level * this.#widthOf(cell);
      const isFull = evenUs >= this.#freeOf(cell);
      exactUs += Math.min(evenUs, this.#freeOf(cell));
      const shareUs = Math.round(exactUs) - givenUs;
      givenUs += shareUs;
      const before = isOpen && !isFull ? shares.pop() : undefined;
      shares.push({
        fromUs: before?.fromUs ?? this.#startOf(cell),
        toUs: this.#endOf(cell),
        cpuUs: (before?.cpuUs ?? 0) + shareUs,
      });
      isOpen = !isFull;
    }
    return shares.filter((share) => share.cpuUs > 0);
  }

  /** Density at which all cells together take `cpuUs`, each at most what it has free; null: never. */
  #levelFor(cpuUs: number): number | null {
    const cells = Array.from(
      { length: this.#count },
      (_, cell) => ({ widthUs: this.#widthOf(cell), freeUs: this.#freeOf(cell) }),
    ).sort((a, b) => a.freeUs / a.widthUs - b.freeUs / b.widthUs);
    let restUs = cpuUs;
    let restWidthUs = cells.reduce((sum, { widthUs }) => sum + widthUs, 0);
    for (const { widthUs, freeUs } of cells) {
      if (restUs * widthUs <= freeUs * restWidthUs) return restUs / restWidthUs;
      restUs -= freeUs;
      restWidthUs -= widthUs;
    }
    return null;
  }

  #push(endUs: number): void {
    this.#ends[this.#count] = endUs;
    this.#used[this.#count++] = 0;
    if (this.#count === CELL_LIMIT) this.#mergePairs();
  }

  /** Make one cell of each two. In place: thousands of tasks do it repeatedly. */
  #mergePairs(): void {
    this.#count = CELL_LIMIT / 2;
    for (let pair = 0; pair < this.#count; pair++) {
      this.#ends[pair] = this.#ends[2 * pair + 1] as number;
      this.#used[pair] = (this.#used[2 * pair] as number) + (this.#used[2 * pair + 1] as number);
    }
    this.#minCellUs *= 2;
  }

  /** The cell in which `atUs` is; the first one for an earlier time. */
  #cellAt(atUs: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#endOf(middle) <= atUs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #endOf(cell: number): number {
    return this.#ends[cell] as number;
  }

  #startOf(cell: number): number {
    return cell === 0 ? this.#startUs : this.#endOf(cell - 1);
  }

  #widthOf(cell: number): number {
    return this.#endOf(cell) - this.#startOf(cell);
  }

  #freeOf(cell: number): number {
    return Math.max(0, this.#cores * this.#widthOf(cell) - (this.#used[cell] as number));
  }
}
