/**
 * `traceparent` of W3C Trace Context (https://www.w3.org/TR/trace-context/): whose trace a request
 * belongs to. Pure.
 *
 * @module
 */

/** Whose trace a request belongs to, and its place in it. */
export interface TraceContext {
  /** The trace: 32 hex digits. */
  readonly traceId: string;
  /** This request: 16 hex digits. */
  readonly spanId: string;
  /** The caller's span; null where the trace begins here. */
  readonly parentId: string | null;
  /** Two hex digits: bit 0 sampled, bit 1 random trace id. */
  readonly flags: string;
}

/** version "-" trace-id "-" parent-id "-" trace-flags; lower case; a higher version may continue. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

const NO_TRACE = "0".repeat(32);
const NO_SPAN = "0".repeat(16);

/** Recorded, and the trace id is random in all its bits. */
const NEW_TRACE_FLAGS = "03";

/** The flags that version 00 knows; the specification wants all others sent as zero. */
const KNOWN_FLAGS = 0x03;

/**
 * The context of a request that came with the `traceparent` headers `values`; `randomHex` gives so many
 * random hex digits. A trace is kept when there is exactly one valid header, else a new one begins.
 */
export function contextOf(
  values: readonly string[],
  randomHex: (digits: number) => string,
): TraceContext {
  const spanId = randomHex(16);
  const [, version = "", traceId = "", parentId = "", flags = "", more] =
    TRACEPARENT.exec(values.length === 1 ? values[0]?.trim() ?? "" : "") ?? [];
  const isValid = traceId !== "" && version !== "ff" && (version !== "00" || more === undefined) &&
    traceId !== NO_TRACE && parentId !== NO_SPAN;
  if (!isValid) {
    return { traceId: randomHex(32), spanId, parentId: null, flags: NEW_TRACE_FLAGS };
  }
  const known = (parseInt(flags, 16) & KNOWN_FLAGS).toString(16).padStart(2, "0");
  return { traceId, spanId, parentId, flags: known };
}

/** The `traceparent` to pass on, in version 00: the request's span is the parent of what follows. */
export function traceparentOf({ traceId, spanId, flags }: TraceContext): string {
  return `00-${traceId}-${spanId}-${flags}`;
}
