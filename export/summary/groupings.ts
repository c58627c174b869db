/**
 * What the tasks of a run can be grouped by. Pure.
 *
 * @module
 */

/** What tasks can be grouped by. */
export const GROUPINGS = ["profile", "node", "command"] as const;
/** What tasks can be grouped by. */
export type Grouping = typeof GROUPINGS[number];
