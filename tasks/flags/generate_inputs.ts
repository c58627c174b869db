/** Flags of the generator of test videos. */

import { command, integer, text } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";

/** `deno task generate-inputs`. */
export const GENERATE_INPUTS = command({
  ...commandNamed("generate-inputs"),
  flags: {
    "out": text("Folder of the videos.", { fallback: "inputs/ffmpeg", placeholder: "DIR" }),
    "durations": text("Lengths, s.", { fallback: "30,60,120,180", placeholder: "S,S,…" }),
    "per-duration": integer("Videos of each length.", { fallback: 3, min: 1 }),
    "size": text("Size of the video.", { fallback: "1920x1080", placeholder: "WxH" }),
    "seed": integer("Seed of colours, positions and noise.", { fallback: 1, min: 0 }),
    "jobs": integer("Videos made in parallel; default: half the cores.", { min: 1 }),
  },
  notes: [
    "H.264 yuv420p, 30 frames/s, key frame every 90, 8 Mbit/s at 1920x1080 (in proportion at other",
    "sizes); patterns gradient, noise, moving, mandelbrot, plasma; a third each without, with low",
    "and with medium noise. An hour of 1080p video takes 3.6 GB and about as long on one core.",
  ],
});
