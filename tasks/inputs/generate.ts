/**
 * Make a set of test videos. Resumable: a video is written beside and renamed when it is whole, and one
 * that is there with the same recipe is kept.
 */

import { availableCores } from "../../trace/linux/cores.ts";
import { join } from "@std/path";
import { besideName, removeIfThere } from "../../trace/atomic_file.ts";
import { CommandError, type Io } from "../command/main.ts";
import { processIdentity } from "../command/process.ts";
import { missingPrograms } from "../machine/packages.ts";
import { openProgress } from "../command/progress.ts";
import { ffmpegArguments, planVideos, recipeComment, type VideoRecipe } from "./video_recipe.ts";

/** A set of videos and where it goes. */
export interface GenerateOptions {
  /** Folder of the videos. */
  readonly out: string;
  /** Lengths, s. */
  readonly durationsS: readonly number[];
  /** Videos of each length. */
  readonly perDuration: number;
  /** Width, pixels; even. */
  readonly width: number;
  /** Height, pixels; even. */
  readonly height: number;
  /** Seed of the set. */
  readonly seed: number;
  /** Videos made at a time; null: half the cores. */
  readonly jobs: number | null;
}

/** What {@linkcode generateInputs} did. */
export interface Generated {
  /** Paths of the set, in order. */
  readonly paths: readonly string[];
  /** How many were made now; the others were there. */
  readonly made: number;
}

/** Make what is missing of a set of videos. */
export async function generateInputs(options: GenerateOptions, io: Io): Promise<Generated> {
  const absent = await missingPrograms(["ffmpeg", "ffprobe"]);
  if (absent[0] !== undefined) {
    throw new CommandError(`${absent.join(" and ")} missing; run: deno task setup`);
  }
  await Deno.mkdir(options.out, { recursive: true });
  await removeLeftOvers(options.out);
  const cores = availableCores();
  const jobs = options.jobs ?? Math.max(1, Math.floor(cores / 2));
  const threads = Math.max(1, Math.floor(cores / jobs));
  const recipes = planVideos(options);
  const wanted: VideoRecipe[] = [];
  let kept = 0;
  await forEach(recipes, { jobs: cores, signal: io.signal }, async (recipe) => {
    if (await isMade(recipe, join(options.out, recipe.name))) kept++;
    else wanted.push(recipe);
  });
  // The longest first: the last job then ends soon after the others.
  wanted.sort((a, b) => b.durationS - a.durationS || a.name.localeCompare(b.name));
  const totalS = wanted.reduce((sum, { durationS }) => sum + durationS, 0);
  const doneS = new Map<string, number>();
  let made = 0;
  {
    using progress = openProgress(io, "Generating videos");
    await forEach(wanted, { jobs, signal: io.signal }, async (recipe, signal) => {
      const isWhole = await makeVideo(recipe, {
        path: join(options.out, recipe.name),
        threads,
        signal,
        onProgress: (seconds) => {
          doneS.set(recipe.name, seconds);
          const sum = [...doneS.values()].reduce((all, one) => all + one, 0);
          progress.update(sum / totalS, `${made} of ${wanted.length} ready, ${recipe.name}`);
        },
      });
      if (isWhole) made++;
    });
  }
  if (io.signal.aborted) {
    const there = `${kept + made} of ${recipes.length} videos are in "${options.out}"`;
    throw new CommandError(`interrupted: ${there}; the same command continues from there`);
  }
  return { paths: recipes.map(({ name }) => join(options.out, name)), made };
}

/**
 * Run `work` on each of `items`, `jobs` at a time, until all are done or `signal` is aborted. A failure
 * ends the others, and is thrown when they have ended.
 */
async function forEach<T>(
  items: readonly T[],
  { jobs, signal }: { readonly jobs: number; readonly signal: AbortSignal },
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const left = items.values();
  const lanes = Array.from({ length: Math.min(jobs, items.length) }, async () => {
    for (const item of left) {
      if (either.aborted) return;
      await work(item, either);
    }
  });
  for (const lane of lanes) lane.catch((error) => failed.abort(error));
  for (const outcome of await Promise.allSettled(lanes)) {
    if (outcome.status === "rejected") throw outcome.reason;
  }
}

interface MakeOptions {
  readonly path: string;
  readonly threads: number;
  readonly signal: AbortSignal;
  readonly onProgress: (seconds: number) => void;
}

/** Make one video; false when it was interrupted. */
async function makeVideo(
  recipe: VideoRecipe,
  { path, threads, signal, onProgress }: MakeOptions,
): Promise<boolean> {
  const beside = besideName(path);
  const child = new Deno.Command("ffmpeg", {
    args: ffmpegArguments(recipe, { path: beside, threads }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal,
  }).spawn();
  try {
    const [status, errors] = await Promise.all([
      child.status,
      new Response(child.stderr).text(),
      followProgress(child.stdout, onProgress),
    ]);
    if (signal.aborted) return false;
    if (!status.success) {
      const reason = errors.trim().split("\n").at(-1) || `exit code ${status.code}`;
      throw new CommandError(`ffmpeg could not make "${path}": ${reason}`);
    }
    if (!await isMade(recipe, beside)) {
      throw new CommandError(`ffmpeg made another video than asked for "${path}"`);
    }
    await Deno.rename(beside, path);
    return true;
  } finally {
    await removeIfThere(beside);
  }
}

/** Lines of `ffmpeg -progress`: `out_time_us=1234567` among others. */
async function followProgress(
  stdout: ReadableStream<Uint8Array<ArrayBuffer>>,
  onProgress: (seconds: number) => void,
): Promise<void> {
  for await (const chunk of stdout.pipeThrough(new TextDecoderStream())) {
    const [, micros] = /out_time_us=(\d+)/.exec(chunk) ?? [];
    if (micros !== undefined) onProgress(Number(micros) / 1e6);
  }
}

/** What ffprobe says of a video. */
interface Probe {
  readonly streams?: readonly Readonly<Record<string, unknown>>[];
  readonly format?: { readonly duration?: string; readonly tags?: { readonly comment?: string } };
}

/** One frame at 30 per second, s: as near as a duration can come. */
const DURATION_TOLERANCE_S = 1 / 30 + 0.001;

/** True when `path` is the video that `recipe` describes, whole. */
async function isMade(recipe: VideoRecipe, path: string): Promise<boolean> {
  const { success, stdout } = await new Deno.Command("ffprobe", {
    args: ["-v", "error", "-show_streams", "-show_format", "-of", "json", path],
    stdin: "null",
    stderr: "null",
  }).output();
  if (!success) return false;
  const { streams = [], format = {} }: Probe = JSON.parse(new TextDecoder().decode(stdout));
  const [video] = streams;
  return streams.length === 1 && video?.codec_name === "h264" && video.pix_fmt === "yuv420p" &&
    video.width === recipe.width && video.height === recipe.height &&
    video.r_frame_rate === "30/1" && format.tags?.comment === recipeComment(recipe) &&
    Math.abs(Number(format.duration) - recipe.durationS) <= DURATION_TOLERANCE_S;
}

/** Remove half-made videos of generators that were killed. */
async function removeLeftOvers(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    const [, pid] = /\.mp4\.tmp-(\d+)$/.exec(name) ?? [];
    if (pid === undefined || processIdentity(Number(pid)) !== null) continue;
    await removeIfThere(join(folder, name));
  }
}
