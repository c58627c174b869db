/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * The program of a report's page.
 *
 * @module
 */

import { streamed, unpackTables } from "../columns.ts";
import { type ReadRun, readRunAt, type RunHead } from "../run_columns.ts";
import { countText, durationText, shownName } from "../words.ts";
import { Timeline } from "./timeline.ts";
import { byId } from "./elements.ts";
import { addSaveButtons } from "./pictures.ts";

async function readRuns(): Promise<ReadRun[]> {
  const text = (byId("payload").textContent ?? "").trim();
  const packed = bytesOf(text);
  byId("payload").remove();
  const unpacked = unpackTables(await streamed(packed, new DecompressionStream("gzip")));
  const { runs } = unpacked.head as { readonly runs: readonly RunHead[] };
  return runs.map((_, at) => readRunAt(unpacked, at));
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const native = (Uint8Array as unknown as {
    fromBase64?: (text: string) => Uint8Array<ArrayBuffer>;
  }).fromBase64;
  if (native !== undefined) return native.call(Uint8Array, base64);
  const letters = atob(base64);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
  return bytes;
}

async function start(): Promise<void> {
  const began = performance.now();
  addSaveButtons();
  const runs = await readRuns();
  const timeline = new Timeline(runs);
  timeline.start();
  // For whoever measures: the first picture is on the canvas.
  // Since navigation, so that reading the file counts.
  requestAnimationFrame(() =>
    document.documentElement.dataset.painted = String(Math.round(performance.now()))
  );
  document.documentElement.dataset.ready = String(Math.round(performance.now() - began));
  const [first] = runs;
  if (first !== undefined) {
    byId("timeline-status").textContent = `${countText(first.tasks.count)} tasks of ${
      shownName(first.head.id)
    } over ${durationText(first.head.spanMs)}`;
  }
}

start().catch((error: unknown) => {
  if (!(error instanceof Error)) throw error;
  byId("timeline-status").textContent = `The timeline cannot be drawn: ${error.message}`;
  byId("timeline-status").classList.remove("hidden");
  throw error;
});
