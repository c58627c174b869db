/** Changes of bytes, drawn by a seed: the same seed gives the same bytes. */

/** Numbers at which programs were wrong before. */
const NUMBERS = [
  "0",
  "-1",
  "1e308",
  "-1e308",
  "9007199254740993",
  "4294967296",
  "8640000000000001",
  "0.0000001",
];

/** Pieces that mean something to a parser of records, of heads or of paths. */
const PIECES = [
  "\n",
  "\r\n",
  "\r\n\r\n",
  '"',
  "{}",
  "[]",
  "null",
  "\0",
  "\xff",
  "../../x",
  ": ",
  "HTTP/1.0",
  "HTTP/2.0",
  "Transfer-Encoding: chunked\r\n",
  "Content-Length: 5\r\n",
  "Connection: close\r\n",
];

/** Draws changes. */
export class Mutator {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 up to and without `limit`: mulberry32. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * limit);
  }

  /** One of `values`. */
  oneOf<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  /** `bytes` with one to four changes. */
  bytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    let changed = bytes;
    for (let left = 1 + this.below(4); left > 0; left--) changed = this.#change(changed);
    return new Uint8Array(changed);
  }

  /** `text`, of one character a byte, with one to four changes. */
  text(text: string): string {
    return fromBytes(this.bytes(toBytes(text)));
  }

  #change(bytes: Uint8Array): Uint8Array {
    const at = this.below(bytes.length + 1);
    const end = Math.min(bytes.length, at + 1 + this.below(12));
    switch (this.below(6)) {
      case 0: { // A bit is flipped.
        const flipped = Uint8Array.from(bytes);
        if (at < flipped.length) flipped[at] = (flipped[at] ?? 0) ^ (1 << this.below(8));
        return flipped;
      }
      case 1: // A part is gone.
        return joined(bytes.subarray(0, at), bytes.subarray(end));
      case 2: // A part comes twice.
        return joined(bytes.subarray(0, end), bytes.subarray(at));
      case 3: // Something is put in.
        return joined(bytes.subarray(0, at), toBytes(this.oneOf(PIECES)), bytes.subarray(at));
      case 4: // It ends early.
        return this.below(4) === 0 ? bytes.subarray(0, at) : bytes;
      default:
        return this.#number(bytes);
    }
  }

  /** Another number in the place of one. */
  #number(bytes: Uint8Array): Uint8Array {
    const text = fromBytes(bytes);
    const places = [...text.matchAll(/-?\d+(\.\d+)?/g)];
    if (places.length === 0) return bytes;
    const place = this.oneOf(places);
    const after = text.slice(place.index + place[0].length);
    return toBytes(text.slice(0, place.index) + this.oneOf(NUMBERS) + after);
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function toBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (one) => one.charCodeAt(0));
}

function fromBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
