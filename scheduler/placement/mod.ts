/**
 * The scheduler's planner as a library: which node takes which task. It is pure: no clock, no I/O, and
 * the same input gives the same plan.
 *
 * @example Plan the front of a queue
 * ```ts
 * import { type Host, planBatch } from "@tracekit/tracekit/placement";
 * import { assertEquals } from "@std/assert";
 *
 * const host = (node: string, capacity: number): Host => ({
 *   ...{ node, capacity, free: capacity, freeSlots: null, tasks: 0, isDraining: false },
 * });
 * const tasks = [
 *   { taskId: "a", units: 4 },
 *   { taskId: "b", units: 2 },
 *   { taskId: "c", units: 8 },
 *   { taskId: "d", units: 1 },
 * ];
 *
 * const plan = planBatch(
 *   tasks,
 *   { hosts: [host("n1", 4), host("n2", 8)], tokenNodes: null },
 *   { weigher: "vcpu", order: "min", scanPending: 1 },
 * );
 * const placed = plan.placements.map(({ task, host }) => `${task.taskId} on ${host.node}`);
 * assertEquals(placed, ["a on n1", "b on n2"]);
 * // Strict FIFO: d would fit, and waits behind c.
 * assertEquals(plan.waiting?.taskId, "c");
 * ```
 *
 * @module
 */

export * from "./placement.ts";
