/**
 * Cutting a long request into calls that are short enough: Redis does nothing else during one.
 *
 * @module
 */

/**
 * What one call may cost, in steps of 6 to 9 us: one for each task, and one for each node whose books it
 * reads and writes. So 64 tasks go to one node in a call, or 32 to as many nodes, and take Redis 0.4 to
 * 0.6 ms, on a machine half as fast 1.2 ms: below the 2 ms that nobody is to wait for another's call. Larger
 * calls would save next to nothing beside the round trip.
 */
const STEPS_PER_CALL = 65;

/** Text in one call, characters: copied a few times at about 0.2 ns each. A longer task goes alone. */
const CHARS_PER_CALL = 200_000;

/** What a task costs the call that it is part of. */
export interface TaskCost<T> {
  /** Characters of its JSON. */
  readonly charsOf: (task: T) => number;
  /** The node that it goes to. Default: all go to the same. */
  readonly nodeOf?: (task: T) => string;
}

/** `tasks` in their order, in portions for one call each. */
export function portionsOf<T>(
  tasks: readonly T[],
  { charsOf, nodeOf = () => "" }: TaskCost<T>,
): readonly (readonly T[])[] {
  const portions: T[][] = [];
  let portion: T[] = [];
  let nodes = new Set<string>();
  let chars = 0;
  for (const task of tasks) {
    const node = nodeOf(task);
    const steps = portion.length + 1 + nodes.size + (nodes.has(node) ? 0 : 1);
    const isFull = steps > STEPS_PER_CALL || chars + charsOf(task) > CHARS_PER_CALL;
    if (isFull && portion.length > 0) {
      portions.push(portion);
      [portion, nodes, chars] = [[], new Set(), 0];
    }
    portion.push(task);
    nodes.add(node);
    chars += charsOf(task);
  }
  if (portion.length > 0) portions.push(portion);
  return portions;
}
