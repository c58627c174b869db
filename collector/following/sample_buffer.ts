/**
 * The lines of one tick of `proc_metrics.jsonl`. A thousand processes make thousands of lines a second, so
 * they are written digit by digit into one buffer that is used repeatedly: strings would leave a
 * megabyte of garbage a second, and the memory of the collector would grow with it.
 *
 * @module
 */

import type { RawSample } from "../../trace/records.ts";
import type { Reading } from "./process_reader.ts";

/** What names a process in each of its samples. */
export type SampleIdentity = Pick<RawSample, "pid" | "start_ticks" | "trace_id">;

const encoder = new TextEncoder();

/** The part of a line that is the same in every sample of a process. */
export function identityPart({ pid, start_ticks, trace_id }: SampleIdentity): Uint8Array {
  const trace = JSON.stringify(trace_id);
  return encoder.encode(`,"pid":${pid},"start_ticks":${start_ticks},"trace_id":${trace}`);
}

const TS_MS = encoder.encode('{"ts_ms":');
const BOOT_MS = encoder.encode(',"boot_ms":');
const CPU_NS = encoder.encode(',"cpu_ns":');
const UTIME = encoder.encode(',"utime":');
const STIME = encoder.encode(',"stime":');
const RSS_KB = encoder.encode(',"rss_kb":');
const HWM_KB = encoder.encode(',"hwm_kb":');
const NULL = encoder.encode("null");
const END = encoder.encode("}\n");
const ZERO = 48;
const POINT = 46;

/** Everything of a line but its identity: seven names, and numbers of at most 16 digits. */
const REST_BYTES = 256;

/** Bytes at the start; the buffer doubles when a tick needs more. */
const INITIAL_BYTES = 64 * 1024;

/** Lines of samples as bytes. */
export class SampleBuffer {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #length = 0;

  /**
   * Append the line of one reading: a raw sample without the fields that were not read. Times are written
   * in whole microseconds.
   *
   * @param identity What {@linkcode identityPart} gave for the process.
   * @param hwmKb VmHWM, kB, where it was read at this time.
   */
  append(identity: Uint8Array, reading: Reading, hwmKb: number | null): void {
    this.#reserve(identity.length + REST_BYTES);
    this.#put(TS_MS);
    this.#putMs(reading.tsMs);
    this.#put(BOOT_MS);
    this.#putMs(reading.bootMs);
    this.#put(identity);
    if (reading.cpuNs === null) {
      this.#put(UTIME);
      this.#putNullable(reading.utime);
      this.#put(STIME);
      this.#putNullable(reading.stime);
    } else {
      this.#put(CPU_NS);
      this.#putInteger(reading.cpuNs);
    }
    this.#put(RSS_KB);
    this.#putNullable(reading.rssKb);
    if (hwmKb !== null) {
      this.#put(HWM_KB);
      this.#putInteger(hwmKb);
    }
    this.#put(END);
  }

  /** The lines since the last call; they are overwritten by the next {@linkcode append}. */
  take(): Uint8Array {
    const lines = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return lines;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = new Uint8Array((this.#length + bytes) * 2);
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }

  #put(part: Uint8Array): void {
    // For so few bytes a loop is faster than a call of set().
    const bytes = this.#bytes;
    let at = this.#length;
    for (let index = 0; index < part.length; index++) bytes[at++] = part[index] as number;
    this.#length = at;
  }

  #putNullable(value: number | null): void {
    if (value === null) this.#put(NULL);
    else this.#putInteger(value);
  }

  /** Milliseconds with three decimals. */
  #putMs(ms: number): void {
    const us = Math.round(ms * 1000);
    const whole = Math.floor(us / 1000);
    this.#putInteger(whole);
    this.#bytes[this.#length++] = POINT;
    this.#putDigits(us - whole * 1000, 3);
  }

  /** A whole number from 0 to 2^53: in groups of nine digits, which fit the integers of a machine. */
  #putInteger(value: number): void {
    if (value < 1e9) {
      let count = 1;
      for (let limit = 10; limit <= value; limit *= 10) count++;
      this.#putDigits(value, count);
      return;
    }
    const high = Math.floor(value / 1e9);
    this.#putInteger(high);
    this.#putDigits(value - high * 1e9, 9);
  }

  /** The last `count` decimal digits of `value`, below 2^31: from the right, where each division is by 10. */
  #putDigits(value: number, count: number): void {
    const bytes = this.#bytes;
    const start = this.#length;
    let rest = value | 0;
    for (let at = start + count - 1; at >= start; at--) {
      const tenth = (rest / 10) | 0;
      bytes[at] = ZERO + rest - tenth * 10;
      rest = tenth;
    }
    this.#length = start + count;
  }
}
