/**
 * Duration of a video from its file header: no program has to be run for it.
 *
 * Source: ISO/IEC 14496-12, boxes (4.2) and the movie header box `mvhd` (8.2.2).
 *
 * @module
 */

/** Size and type of a box; with a 64-bit size behind them 16 bytes. */
const BOX_HEADER_BYTES = 8;
const LONG_BOX_HEADER_BYTES = 16;

/** The part of `mvhd` up to its duration, version 1. */
const MVHD_BYTES = 32;

/**
 * Duration of the video in `path`, s.
 *
 * @throws {SyntaxError} naming the file when its header does not tell.
 */
export async function readMp4Duration(path: string): Promise<number> {
  using file = await Deno.open(path, { read: true });
  const { size } = await file.stat();
  const moov = await findBox(file, { type: "moov", start: 0, end: size });
  const mvhd = moov === null ? null : await findBox(file, { type: "mvhd", ...moov });
  const durationS = mvhd === null ? null : parseMvhd(await readAt(file, mvhd.start, MVHD_BYTES));
  if (durationS === null) {
    throw new SyntaxError(
      `Cannot read duration of "${path}": an MP4 file with a duration is required`,
    );
  }
  return durationS;
}

/** Duration in the content of an `mvhd` box, s; null when the box does not tell (a fragmented file). */
export function parseMvhd(content: Uint8Array): number | null {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  if (content.length < MVHD_BYTES) return null;
  const isLong = view.getUint8(0) === 1;
  const timescale = view.getUint32(isLong ? 20 : 12);
  const duration = isLong ? Number(view.getBigUint64(24)) : view.getUint32(16);
  return timescale > 0 && duration > 0 ? duration / timescale : null;
}

interface Extent {
  readonly start: number;
  readonly end: number;
}

/** Where the content of the first box of `type` is between `start` and `end`. */
async function findBox(
  file: Deno.FsFile,
  { type, start, end }: Extent & { readonly type: string },
): Promise<Extent | null> {
  for (let at = start; at + BOX_HEADER_BYTES <= end;) {
    const header = await readAt(file, at, LONG_BOX_HEADER_BYTES);
    if (header.length < BOX_HEADER_BYTES) return null;
    const view = new DataView(header.buffer);
    const size32 = view.getUint32(0);
    const isLong = size32 === 1 && header.length === LONG_BOX_HEADER_BYTES;
    const headerBytes = isLong ? LONG_BOX_HEADER_BYTES : BOX_HEADER_BYTES;
    // A size of 0 means up to the end of the file.
    const size = isLong ? Number(view.getBigUint64(8)) : size32 === 0 ? end - at : size32;
    if (size < headerBytes) return null;
    if (new TextDecoder().decode(header.subarray(4, 8)) === type) {
      return { start: at + headerBytes, end: at + size };
    }
    at += size;
  }
  return null;
}

async function readAt(
  file: Deno.FsFile,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  await file.seek(offset, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return bytes.slice(0, filled);
}
