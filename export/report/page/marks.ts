/// <reference lib="dom" />
/**
 * Small things that are drawn on a bar.
 *
 * @module
 */

/** `text`, cut at its front to fit: the end of an id is what tells tasks apart. */
export function fitted(
  context: CanvasRenderingContext2D,
  ...[text, width]: [string, number]
): string {
  if (context.measureText(text).width <= width) return text;
  const room = Math.floor(width / 6.5) - 1;
  return room < 2 ? "" : `…${text.slice(-room)}`;
}

/** Black or white, whichever is read better on `colour`. */
export function contrasting(colour: string): string {
  const value = parseInt(colour.slice(1), 16);
  const light = 0.299 * (value >> 16 & 255) + 0.587 * (value >> 8 & 255) + 0.114 * (value & 255);
  return light > 140 ? "#000000" : "#ffffff";
}

/** A cross, seen on any colour. */
export function cross(context: CanvasRenderingContext2D, { x, y }: { x: number; y: number }): void {
  context.strokeStyle = "#ffffff";
  for (const width of [4, 1.8]) {
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x - 3, y - 3);
    context.lineTo(x + 3, y + 3);
    context.moveTo(x + 3, y - 3);
    context.lineTo(x - 3, y + 3);
    context.stroke();
    context.strokeStyle = "#000000";
  }
  context.lineWidth = 1;
}
