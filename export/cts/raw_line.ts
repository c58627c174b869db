/**
 * One line of `proc_metrics.jsonl` from its bytes: at a million samples per CPU second there is no time
 * for an object per line. What does not look as expected is left to JSON.parse and the decoder of the
 * contract, so that both paths accept the same records.
 *
 * @module
 */

import { DecodeError, largestOf } from "../../trace/schema.ts";
import { RAW_SAMPLE, type RawSample } from "../../trace/records.ts";
import { msToUs, NS_PER_US, ticksToUs, US_PER_MS } from "../../trace/units.ts";

/** Longest run of digits that a double holds exactly, whatever they are. */
const EXACT_DIGITS = 15;

/** Times above this are left to the decoder, which refuses them. */
const LARGEST_MS = largestOf("ms");

/** Digits that fit 31 bits, whatever they are. */
const INTEGER_DIGITS = 9;

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const COMMA = 0x2c;
const DOT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const LETTER_N = 0x6e;
const ULL = [0x75, 0x6c, 0x6c];

/** The fields read here, by their place below. */
const NAMES = [
  "ts_ms",
  "boot_ms",
  "pid",
  "start_ticks",
  "trace_id",
  "cpu_ns",
  "utime",
  "stime",
  "rss_kb",
  "hwm_kb",
] as const;
const NAME_BYTES = NAMES.map((name) => new TextEncoder().encode(name));
const TS_MS = 0;
const BOOT_MS = 1;
const PID = 2;
const START_TICKS = 3;
const TRACE_ID = 4;
const CPU_NS = 5;
const UTIME = 6;
const STIME = 7;
const RSS_KB = 8;
const HWM_KB = 9;

/** The fields whose names begin with a letter, by its byte. */
const FIELDS_BY_LETTER: readonly (readonly number[])[] = Array.from(
  { length: 256 },
  (_, letter) => [...NAMES.keys()].filter((field) => NAME_BYTES[field]?.[0] === letter),
);

/** Stands for a value that is not known: no field can be -1. */
const UNKNOWN = -1;

/**
 * The fields of the reading parsed last; one object serves for all lines. Unknown is -1, which no field
 * can be; times and CPU are whole microseconds.
 */
export interface RawReading {
  /** Wall clock, epoch µs. */
  readonly tsUs: number;
  /** Boot clock, µs; -1: not known. */
  readonly bootUs: number;
  /** Process id. */
  readonly pid: number;
  /** Start time of the process, clock ticks since boot; -1: not known. */
  readonly startTicks: number;
  /** CPU time since the process started, µs. */
  readonly cpuUs: number;
  /** Resident memory, kB; -1: not known. */
  readonly rssKb: number;
  /** Peak resident memory, kB; -1: not known. */
  readonly hwmKb: number;
  /** The invocation it belongs to; null: not known. Makes a string: not for every line. */
  traceId(): string | null;
}

/** Parses lines of raw samples into its own fields. */
export class RawLineParser implements RawReading {
  /** Wall clock, epoch µs. */
  tsUs = 0;
  /** Boot clock, µs; -1: not known. */
  bootUs: number = UNKNOWN;
  /** Process id. */
  pid = 0;
  /** Start time of the process, clock ticks since boot; -1: not known. */
  startTicks: number = UNKNOWN;
  /** CPU time since the process started, µs. */
  cpuUs = 0;
  /** Resident memory, kB; -1: not known. */
  rssKb: number = UNKNOWN;
  /** Peak resident memory, kB; -1: not known. */
  hwmKb: number = UNKNOWN;

  #bytes: Uint8Array = new Uint8Array(0);
  #traceStart = 0;
  #traceEnd = 0;
  #traceText: string | null = null;
  readonly #decoder = new TextDecoder();
  /** Values of the line in work, by field. */
  readonly #values: Float64Array = new Float64Array(NAMES.length);
  /** Index behind the number read last. */
  #numberEnd = 0;

  /** The invocation it belongs to; null: not known. Makes a string: not for every line. */
  traceId(): string | null {
    if (this.#traceText !== null) return this.#traceText;
    if (this.#traceEnd === this.#traceStart) return null;
    return this.#decoder.decode(this.#bytes.subarray(this.#traceStart, this.#traceEnd));
  }

  /** Parse lines of `bytes` from now on; they must stay as they are until {@linkcode traceId} was asked. */
  useBlock(bytes: Uint8Array): void {
    this.#bytes = bytes;
  }

  /**
   * Parse the line that begins at `start` where it has the known shape.
   *
   * @param limit Index behind the last whole line of the block.
   * @returns the index of its newline, or `limit`; -1 where {@linkcode parse} must look at the line.
   */
  parseKnown(start: number, limit: number): number {
    this.#traceText = null;
    const end = this.#readKnownShape(start, limit);
    return end !== UNKNOWN && this.#takeValues() ? end : UNKNOWN;
  }

  /**
   * Parse the line in the block's bytes `[start, end)`, its newline not included, as any JSON.
   *
   * @throws {SyntaxError} when it is not JSON.
   * @throws {DecodeError} when it is not a raw sample with a CPU time.
   */
  parse(start: number, end: number): void {
    this.#take(JSON.parse(this.#decoder.decode(this.#bytes.subarray(start, end))));
  }

  #take(value: unknown): void {
    const sample: RawSample = RAW_SAMPLE.decode(value, "its line");
    this.#traceStart = this.#traceEnd = 0;
    this.#traceText = sample.trace_id === "" ? null : sample.trace_id;
    this.tsUs = msToUs(sample.ts_ms);
    this.bootUs = sample.boot_ms === null ? UNKNOWN : msToUs(sample.boot_ms);
    this.pid = sample.pid;
    this.startTicks = sample.start_ticks ?? UNKNOWN;
    this.rssKb = sample.rss_kb ?? UNKNOWN;
    this.hwmKb = sample.hwm_kb ?? UNKNOWN;
    if (sample.cpu_ns !== null) this.cpuUs = Math.floor(sample.cpu_ns / NS_PER_US);
    else if (sample.utime !== null && sample.stime !== null) {
      this.cpuUs = ticksToUs(sample.utime + sample.stime);
    } else {
      throw new DecodeError(
        "Cannot decode raw sample at its line: cpu_ns, or utime and stime, is required",
      );
    }
  }

  /** Read a flat object of the known fields; the index behind it, or -1 where it is anything else. */
  #readKnownShape(start: number, limit: number): number {
    const bytes = this.#bytes;
    const values = this.#values.fill(UNKNOWN);
    this.#traceStart = this.#traceEnd = 0;
    let at = start;
    if (bytes[at++] !== OPEN) return UNKNOWN;
    for (;;) {
      if (bytes[at] === SPACE) at++;
      if (bytes[at++] !== QUOTE) return UNKNOWN;
      const field = fieldAt(bytes, at);
      if (field === UNKNOWN) return UNKNOWN;
      at += (NAME_BYTES[field] as Uint8Array).length + 1;
      if (bytes[at++] !== COLON) return UNKNOWN;
      if (bytes[at] === SPACE) at++;
      if (bytes[at] === LETTER_N) {
        if (!matches(bytes, at + 1, ULL)) return UNKNOWN;
        at += 4;
      } else if (field === TRACE_ID) {
        if (bytes[at++] !== QUOTE) return UNKNOWN;
        this.#traceStart = at;
        while (at < limit && bytes[at] !== QUOTE) {
          if (bytes[at++] === BACKSLASH) return UNKNOWN;
        }
        this.#traceEnd = at++;
      } else {
        const value = this.#number(at, field);
        if (value === UNKNOWN) return UNKNOWN;
        values[field] = value;
        at = this.#numberEnd;
      }
      if (bytes[at] === CLOSE) break;
      if (bytes[at++] !== COMMA) return UNKNOWN;
    }
    at++;
    return at === limit || (at < limit && bytes[at] === NEWLINE) ? at : UNKNOWN;
  }

  /** Take the values of the known shape; false where the decoder has something to say about them. */
  #takeValues(): boolean {
    const values = this.#values;
    const cpuNs = values[CPU_NS] as number;
    const utime = values[UTIME] as number;
    const stime = values[STIME] as number;
    this.tsUs = values[TS_MS] as number;
    this.pid = values[PID] as number;
    if (this.tsUs === UNKNOWN || this.pid < 1) return false;
    if (cpuNs !== UNKNOWN) this.cpuUs = Math.floor(cpuNs / NS_PER_US);
    else if (utime !== UNKNOWN && stime !== UNKNOWN) this.cpuUs = ticksToUs(utime + stime);
    else return false;
    this.bootUs = values[BOOT_MS] as number;
    this.startTicks = values[START_TICKS] as number;
    this.rssKb = values[RSS_KB] as number;
    this.hwmKb = values[HWM_KB] as number;
    return true;
  }

  /** The number of `field` at `at`, ms as whole µs; UNKNOWN where it is not a plain decimal one. */
  #number(at: number, field: number): number {
    const bytes = this.#bytes;
    const start = at;
    // The first digits in integer arithmetic, which is several times as fast.
    const quickEnd = at + INTEGER_DIGITS;
    let quick = 0;
    let digit = (bytes[at] as number) - ZERO;
    while (digit >= 0 && digit <= 9 && at < quickEnd) {
      quick = (quick * 10 + digit) | 0;
      digit = (bytes[++at] as number) - ZERO;
    }
    let value = quick;
    while (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digit = (bytes[++at] as number) - ZERO;
    }
    if (at === start || at - start > EXACT_DIGITS) return UNKNOWN;
    if (bytes[start] === ZERO && at - start > 1) return UNKNOWN;
    if (field > BOOT_MS) {
      this.#numberEnd = at;
      return value;
    }
    if (value > LARGEST_MS) return UNKNOWN;
    value *= US_PER_MS;
    if (bytes[at] === DOT) {
      const point = at;
      let unit = 100;
      digit = (bytes[++at] as number) - ZERO;
      while (digit >= 0 && digit <= 9) {
        // Below a microsecond only the first digit counts: it rounds.
        if (at < point + 4) value += digit * unit;
        else if (at === point + 4 && digit >= 5) value += 1;
        unit = (unit / 10) | 0;
        digit = (bytes[++at] as number) - ZERO;
      }
      if (at === point + 1) return UNKNOWN;
    }
    this.#numberEnd = at;
    return value;
  }
}

/** The field whose name, with its closing quote, is at `at`. */
function fieldAt(bytes: Uint8Array, at: number): number {
  for (const field of FIELDS_BY_LETTER[bytes[at] as number] ?? []) {
    const name = NAME_BYTES[field] as Uint8Array;
    if (bytes[at + name.length] === QUOTE && matches(bytes, at, name)) return field;
  }
  return UNKNOWN;
}

function matches(bytes: Uint8Array, at: number, wanted: ArrayLike<number>): boolean {
  for (let index = 0; index < wanted.length; index++) {
    if (bytes[at + index] !== wanted[index]) return false;
  }
  return true;
}
