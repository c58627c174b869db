import { assertEquals } from "@std/assert";
import { packRows } from "../../../export/report/lanes.ts";
import { type Categories, paintRows, type RasterView } from "../../../export/report/raster.ts";

const RED = 0xff0000ff;
const BLUE = 0xffff0000;

/** Paints intervals [begin, end, category], all of one group; a letter per pixel. */
function painted(
  items: readonly (readonly [begin: number, end: number, category: number])[],
  { weights = [1, 1], ...view }: Partial<RasterView> & { readonly weights?: readonly number[] },
): string[] {
  const packed = packRows({
    begin: Float64Array.from(items, ([begin]) => begin),
    end: Float64Array.from(items, ([, end]) => end),
  }, { group: new Uint8Array(items.length), groups: 1 });
  const categories: Categories = {
    of: Uint8Array.from(packed.item, (item) => items[item]?.[2] ?? 0),
    colours: Uint32Array.of(RED, BLUE),
    weights: Float32Array.from(weights),
  };
  const whole = { from: 0, to: 8, width: 8, height: 1, rowHeight: 1, ...view };
  const pixels = new Uint32Array(whole.width * whole.height);
  paintRows(packed, { view: whole, categories, pixels });
  return Array.from(
    { length: whole.height },
    (_, y) => [...pixels.subarray(y * whole.width, (y + 1) * whole.width)].map(letterOf).join(""),
  );
}

/** R or B for a pixel of full strength, r or b for a weaker one. */
function letterOf(pixel: number): string {
  if (pixel === 0) return ".";
  const letter = (pixel & 0xffffff) === (RED & 0xffffff) ? "R" : "B";
  return pixel >>> 24 === 255 ? letter : letter.toLowerCase();
}

Deno.test("paintRows() paints what covers a pixel, weaker where it covers a part", () => {
  assertEquals(painted([[0, 2, 0], [3.5, 5, 1]], {}), ["RR.bB..."]);
});

Deno.test("paintRows() gives a pixel the category that covers most of it", () => {
  assertEquals(painted([[0, 0.4, 0], [0.4, 1, 1], [1, 1.6, 0], [1.6, 2, 1]], {}), ["BR......"]);
});

Deno.test("paintRows() lets a heavy category win, so that one failure is seen", () => {
  assertEquals(painted([[0, 0.99, 0], [0.99, 1, 1]], { weights: [1, 1e6] }), ["B......."]);
});

Deno.test("paintRows() shows a moment, and cuts what is outside of the view", () => {
  assertEquals(painted([[0, 0, 0], [2, 100, 1]], { from: -1, to: 7 }), [".r.BBBBB"]);
  assertEquals(painted([[-5, 1, 0]], { from: 2, to: 10 }), ["........"]);
});

Deno.test("paintRows() puts rows below each other, with a gap where there is room", () => {
  const items = [[0, 8, 0], [0, 4, 1]] as const;
  const [red, blue, none] = ["RRRRRRRR", "BBBB....", "........"];
  assertEquals(
    painted(items, { rowHeight: 4, height: 8 }),
    [red, red, red, none, blue, blue, blue, none],
  );
  assertEquals(painted(items, { firstRow: 1, lastRow: 2, height: 2 }), [blue, none]);
});

Deno.test("paintRows() merges rows that share a line of pixels", () => {
  // Of three rows two are red; in the right half the third is empty.
  assertEquals(painted([[0, 8, 0], [0, 8, 0], [0, 4, 1]], { rowHeight: 1 / 3 }), ["RRRRrrrr"]);
});
