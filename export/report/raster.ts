/**
 * Paints rows of intervals into pixels. What is narrower than a pixel is merged: a pixel takes the
 * colour of the category that covers most of it, and is as strong as the part that is covered.
 *
 * @module
 */

import { firstEndingAfter, type PackedRows } from "./lanes.ts";

/** What is painted, and from where to where. */
export interface RasterView {
  /** Time at the left edge. */
  readonly from: number;
  /** Time at the right edge. */
  readonly to: number;
  /** Pixels from left to right. */
  readonly width: number;
  /** First row that is painted. Default 0. */
  readonly firstRow?: number;
  /** Row behind the last one. Default: all. */
  readonly lastRow?: number;
  /** Height of a row, pixels; below one, or whole. */
  readonly rowHeight: number;
  /** Pixels from top to bottom. */
  readonly height: number;
}

/** How categories are shown. */
export interface Categories {
  /** Category of each interval, in the order of the packed rows. */
  readonly of: Uint8Array;
  /** Colour of each category, 0xAABBGGRR with AA = FF. */
  readonly colours: Uint32Array;
  /** Weight of each category where several share a pixel: failures are not to vanish among successes. */
  readonly weights: Float32Array;
}

/** Least strength of a pixel in which there is anything, so that a short task among none is seen. */
const LEAST_STRENGTH = 0.4;

/** Rows as high as this are kept apart by a line of background. */
const GAP_FROM_PX = 4;

/** Adds the intervals of one row to what covers each pixel, by category. */
function coverRow(
  packed: PackedRows,
  { row, view, categories, cover }: {
    readonly row: number;
    readonly view: RasterView;
    readonly categories: Categories;
    /** Part of each pixel that each category covers: pixel by pixel. */
    readonly cover: Float32Array;
  },
): void {
  const { from, to, width } = view;
  const count = categories.colours.length;
  const perMs = width / (to - from);
  const stop = packed.first[row + 1] as number;
  for (
    let at = firstEndingAfter(packed, { row, time: from });
    at < stop && (packed.begin[at] as number) < to;
    at++
  ) {
    const category = categories.of[at] as number;
    const left = Math.max(0, ((packed.begin[at] as number) - from) * perMs);
    const right = Math.min(width, ((packed.end[at] as number) - from) * perMs);
    const firstPixel = Math.min(width - 1, Math.floor(left));
    const lastPixel = Math.min(width - 1, Math.floor(right));
    if (firstPixel === lastPixel) {
      // Even a moment covers something.
      const place = firstPixel * count + category;
      cover[place] = (cover[place] as number) + Math.max(right - left, 1e-6);
      continue;
    }
    const firstPlace = firstPixel * count + category;
    cover[firstPlace] = (cover[firstPlace] as number) + firstPixel + 1 - left;
    for (let pixel = firstPixel + 1; pixel < lastPixel; pixel++) {
      const place = pixel * count + category;
      cover[place] = (cover[place] as number) + 1;
    }
    const lastPlace = lastPixel * count + category;
    cover[lastPlace] = (cover[lastPlace] as number) + right - lastPixel;
  }
}

/** One line of pixels from what covers it; 0 where nothing does. Clears `cover`. */
function mergeCover(
  cover: Float32Array,
  { line, rows, categories }: {
    /** The pixels, 0xAABBGGRR. */
    readonly line: Uint32Array;
    /** Rows that were added up. */
    readonly rows: number;
    readonly categories: Categories;
  },
): void {
  const { colours, weights } = categories;
  const count = colours.length;
  let at = 0;
  // Half a million pixels a frame: nothing is allocated in here.
  for (let pixel = 0; pixel < line.length; pixel++) {
    let total = 0;
    let most = 0;
    let dominant = 0;
    for (let category = 0; category < count; category++, at++) {
      const part = cover[at] as number;
      if (part === 0) continue;
      cover[at] = 0;
      total += part;
      const weight = part * (weights[category] as number);
      if (weight > most) {
        most = weight;
        dominant = category;
      }
    }
    if (total === 0) {
      line[pixel] = 0;
      continue;
    }
    const part = total >= rows ? 1 : total / rows;
    const strength = (255 * (part < LEAST_STRENGTH ? LEAST_STRENGTH : part) + 0.5) | 0;
    line[pixel] = ((strength << 24) | ((colours[dominant] as number) & 0xffffff)) >>> 0;
  }
}

/** Paint `view` of `packed` into `pixels` (width × height, 0xAABBGGRR); what nothing covers is 0. */
export function paintRows(
  packed: PackedRows,
  { view, categories, pixels }: {
    readonly view: RasterView;
    readonly categories: Categories;
    readonly pixels: Uint32Array;
  },
): void {
  const { width, height, rowHeight, firstRow = 0, lastRow = packed.rows } = view;
  pixels.fill(0, 0, width * height);
  const cover = new Float32Array(width * categories.colours.length);
  const line = new Uint32Array(width);
  for (let y = 0; y < height;) {
    const row = firstRow + Math.floor(y / rowHeight);
    if (row >= lastRow) break;
    // Rows that begin on this line of pixels are added up; a high row is painted as a block.
    const behind = Math.max(row + 1, firstRow + Math.ceil((y + 1) / rowHeight));
    const stop = Math.min(lastRow, behind);
    for (let one = row; one < stop; one++) coverRow(packed, { row: one, view, categories, cover });
    mergeCover(cover, { line, rows: stop - row, categories });
    const bottom = Math.min(height, Math.max(y + 1, Math.round((row - firstRow + 1) * rowHeight)));
    const gap = rowHeight >= GAP_FROM_PX && bottom - y > 1 ? 1 : 0;
    for (let at = y; at < bottom - gap; at++) pixels.set(line, at * width);
    y = bottom;
  }
}
