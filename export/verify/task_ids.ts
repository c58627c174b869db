/**
 * Ids of tasks as numbers, also where a workload has text: the first id of text is 0, the next 1, and so
 * on. Pure.
 *
 * @module
 */

/** Gives each id its number, and each number its id. */
export class TaskIds {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];

  /** The number of an id of text. */
  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }

  /** The id as the workload has it. */
  labelOf(id: number): string | number {
    return this.#texts[id] ?? id;
  }
}
