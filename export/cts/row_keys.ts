/**
 * What is between the numbers of a row, in the order in which it is written: where a row is as parse
 * writes it, export finds its numbers without taking it apart.
 *
 * @module
 */

const encoder = new TextEncoder();

/** Before the end of the interval, epoch ms. */
export const TS_MS: Uint8Array = encoder.encode('{"ts_ms":');
/** Before the process id. */
export const PID: Uint8Array = encoder.encode(',"pid":');
/** Before the length of the interval, ms. */
export const DT_MS: Uint8Array = encoder.encode(',"dt_ms":');
/** Before the CPU time used in it, ms. */
export const CPU_MS: Uint8Array = encoder.encode(',"cpu_ms":');
/** Before the resident memory, kB. */
export const RSS_KB: Uint8Array = encoder.encode(',"rss_kb":');
/** Instead of a number that is not known. */
export const NULL: Uint8Array = encoder.encode("null");
