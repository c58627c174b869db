/**
 * Tracekit as a library: the trace contract, as `@tracekit/tracekit/trace` has it. `./export` parses and
 * exports runs, `./placement` is the scheduler's planner; everything else is a command.
 *
 * @module
 */

export * from "./trace/mod.ts";
