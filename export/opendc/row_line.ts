/**
 * One line of `CTS/proc_metrics.jsonl` from its bytes, as parse writes it: no object and no string per
 * row. Pure.
 *
 * What follows the numbers of a row (trace_id, span_id, source) is the same for all readings of a
 * process, so that it is decoded once and then compared byte by byte. Any other line is left to
 * JSON.parse and the contract's decoder: both ways accept the same records.
 *
 * @module
 */

import { PROC_METRIC, type ProcMetric } from "../../trace/cts.ts";
import { CPU_MS, DT_MS, NULL, PID, RSS_KB, TS_MS } from "../cts/row_keys.ts";

const ZERO = 0x30;
const DOT = 0x2e;

/** Powers of ten; the division by one rounds once, as reading the decimal does. */
const TENS = [1, 10, 100, 1000] as const;

/** What follows the numbers of a row. */
export interface RowTail {
  /** The bytes, without the newline. */
  readonly bytes: Uint8Array;
  /** The invocation; null: not known. */
  readonly traceId: string | null;
  /** The attempt; null: not known. */
  readonly spanId: string | null;
  /** Where the CPU time comes from. */
  readonly source: ProcMetric["source"];
}

/** Tails kept at once: a process that ended is not asked for again, so that they are dropped together. */
const TAILS_KEPT = 64 * 1024;

/** Parses lines into its own fields. */
export class RowLine {
  /** End of the interval, epoch ms. */
  tsMs = 0;
  /** Length of the interval, ms. */
  dtMs = 0;
  /** CPU time used in it, ms. */
  cpuMs = 0;
  /** The process; 0: none can be named. */
  pid = 0;
  /** Resident memory, kB; -1: not known. */
  rssKb = 0;
  /** What follows the numbers. */
  tail: RowTail = {
    bytes: new Uint8Array(0),
    traceId: null,
    spanId: null,
    source: "reading",
  };

  readonly #decode: (value: unknown, where: string) => ProcMetric;
  readonly #decoder = new TextDecoder();
  readonly #tails = new Map<number, RowTail>();
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;

  /** A parser of rows that `decode` accepts. */
  constructor(decode: (value: unknown, where: string) => ProcMetric = PROC_METRIC.decode) {
    this.#decode = decode;
  }

  /** Parse lines of `bytes` from now on. */
  useBlock(bytes: Uint8Array): void {
    this.#bytes = bytes;
  }

  /** Parse the bytes from `from` to `to`, a line without its newline; false when it is not a row. */
  parse(from: number, to: number): boolean {
    if (this.#parseNumbers(from) && this.#findTail(to)) return true;
    return this.#parseJson(from, to);
  }

  #parseNumbers(from: number): boolean {
    this.#at = from;
    if (!this.#skip(TS_MS) || (this.tsMs = this.#number()) < 0) return false;
    if (!this.#skip(PID)) return false;
    if (this.#skip(NULL)) this.pid = 0;
    else if ((this.pid = this.#number()) < 1 || !Number.isSafeInteger(this.pid)) return false;
    if (!this.#skip(DT_MS) || (this.dtMs = this.#number()) < 0) return false;
    if (!this.#skip(CPU_MS) || (this.cpuMs = this.#number()) < 0) return false;
    if (!this.#skip(RSS_KB)) return false;
    if (this.#skip(NULL)) this.rssKb = -1;
    else if ((this.rssKb = this.#number()) < 0 || !Number.isSafeInteger(this.rssKb)) return false;
    return true;
  }

  /** Step over `expected`; false, and no step, when it is not what comes. */
  #skip(expected: Uint8Array): boolean {
    for (let one = 0; one < expected.length; one++) {
      if (this.#bytes[this.#at + one] !== expected[one]) return false;
    }
    this.#at += expected.length;
    return true;
  }

  /** The number that comes: digits, and at most three behind a point; -1 when it is any other. */
  #number(): number {
    let value = 0;
    let digits = 0;
    let decimals = 0;
    let isBehindPoint = false;
    const start = this.#at;
    for (;; this.#at++) {
      const byte = this.#bytes[this.#at] as number;
      const digit = byte - ZERO;
      if (digit >= 0 && digit <= 9) {
        value = value * 10 + digit;
        digits++;
        if (isBehindPoint) decimals++;
      } else if (byte === DOT && !isBehindPoint && digits > 0) isBehindPoint = true;
      else break;
    }
    // Exact up to there: microseconds since the epoch are, until the year 2255.
    const isExact = value <= Number.MAX_SAFE_INTEGER;
    const tens = TENS[decimals];
    const hasLeadingZero = digits - decimals > 1 && this.#bytes[start] === ZERO;
    if (digits === 0 || !isExact || tens === undefined || hasLeadingZero) return -1;
    return isBehindPoint && decimals === 0 ? -1 : value / tens;
  }

  /** True when what comes up to `to` is the known tail of this process. */
  #findTail(to: number): boolean {
    const tail = this.#tails.get(this.pid);
    if (tail === undefined || tail.bytes.length !== to - this.#at) return false;
    for (let one = 0; one < tail.bytes.length; one++) {
      if (this.#bytes[this.#at + one] !== tail.bytes[one]) return false;
    }
    this.tail = tail;
    return true;
  }

  #parseJson(from: number, to: number): boolean {
    const row = this.#decodeLine(this.#decoder.decode(this.#bytes.subarray(from, to)));
    if (row === null) return false;
    // What follows the numbers is only kept where it does not say them again.
    const isKept = this.#parseNumbers(from) && row.ts_ms === this.tsMs &&
      row.dt_ms === this.dtMs && row.cpu_ms === this.cpuMs && (row.pid ?? 0) === this.pid &&
      (row.rss_kb ?? -1) === this.rssKb;
    const bytes = isKept ? this.#bytes.slice(this.#at, to) : new Uint8Array(0);
    const tail: RowTail = {
      bytes,
      traceId: row.trace_id,
      spanId: row.span_id,
      source: row.source,
    };
    this.tsMs = row.ts_ms;
    this.dtMs = row.dt_ms;
    this.cpuMs = row.cpu_ms;
    this.pid = row.pid ?? 0;
    this.rssKb = row.rss_kb ?? -1;
    this.tail = tail;
    if (isKept) {
      if (this.#tails.size >= TAILS_KEPT) this.#tails.clear();
      this.#tails.set(this.pid, tail);
    }
    return true;
  }

  #decodeLine(text: string): ProcMetric | null {
    try {
      return this.#decode(JSON.parse(text), "");
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof TypeError) return null;
      throw error;
    }
  }
}
