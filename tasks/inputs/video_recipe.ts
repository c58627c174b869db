/**
 * The test videos: which ones a set has, and the ffmpeg command line of each. Pure.
 *
 * What differs is the pattern, the noise on top of it and the duration. The rest is alike: H.264,
 * yuv420p, 30 frames per second, a key frame every 90, 8 Mbit/s at 1080p.
 */

/** Frames per second. */
const FRAME_RATE = 30;

/** Frames from key frame to key frame. */
const GOP_FRAMES = 90;

/** Bits per pixel that make 8 Mbit/s of 1920 × 1080 at 30 frames per second. */
const BITS_PER_PIXEL = 8_000_000 / (1920 * 1080 * FRAME_RATE);

/** What moves in a video. */
const PATTERNS = ["gradient", "noise", "moving", "mandelbrot", "plasma"] as const;

/** Noise on top: strength of ffmpeg's noise filter, of 255. Medium is that of a camera in a dim room. */
const NOISE_STRENGTH = { none: 0, low: 8, medium: 20 } as const;

/** Noise on top of a pattern. */
type Noise = keyof typeof NOISE_STRENGTH;

const NOISES = Object.keys(NOISE_STRENGTH) as Noise[];

/** Seeds of ffmpeg's filters are ints. */
const SEED_LIMIT = 2 ** 31;

/** One video. */
export interface VideoRecipe {
  /** Name of its file. */
  readonly name: string;
  /** What moves. */
  readonly pattern: (typeof PATTERNS)[number];
  /** Noise on top. */
  readonly noise: Noise;
  /** Length, s. */
  readonly durationS: number;
  /** Width, pixels. */
  readonly width: number;
  /** Height, pixels. */
  readonly height: number;
  /** Decides colours, places and noise. */
  readonly seed: number;
}

/** What a set of videos is. */
export interface VideoSet {
  /** Lengths, s. */
  readonly durationsS: readonly number[];
  /** Videos of each length. */
  readonly perDuration: number;
  /** Width, pixels. */
  readonly width: number;
  /** Height, pixels. */
  readonly height: number;
  /** Seed of the set. */
  readonly seed: number;
}

/**
 * The videos of a set. Patterns and noises go round at once, so that a third of the set has each noise
 * and fifteen videos have every pattern with every noise.
 */
export function planVideos({ durationsS, perDuration, ...rest }: VideoSet): VideoRecipe[] {
  return durationsS.flatMap((durationS, group) =>
    Array.from({ length: perDuration }, (_, place): VideoRecipe => {
      const index = group * perDuration + place;
      const pattern = PATTERNS[index % PATTERNS.length] as VideoRecipe["pattern"];
      const noise = NOISES[index % NOISES.length] as Noise;
      const label = [
        `${String(durationS).padStart(3, "0")}s`,
        String(place).padStart(2, "0"),
        pattern,
        noise,
      ].join("_");
      return {
        ...rest,
        name: `${label}.mp4`,
        pattern,
        noise,
        durationS,
        seed: (rest.seed + index) % SEED_LIMIT,
      };
    })
  );
}

/** Everything that decides a video's content: kept in the file, so that a changed set is made again. */
export function recipeComment(
  { pattern, noise, durationS, width, height, seed }: VideoRecipe,
): string {
  return `tracekit-input/1 ${pattern} noise=${noise} ${durationS}s ${width}x${height} seed=${seed}`;
}

/** Arguments of the ffmpeg that makes `recipe` at `path` on `threads` threads. */
export function ffmpegArguments(
  recipe: VideoRecipe,
  { path, threads }: { readonly path: string; readonly threads: number },
): string[] {
  const { noise, durationS, width, height, seed } = recipe;
  const strength = NOISE_STRENGTH[noise];
  const noiseFilter = strength === 0 ? [] : [`noise=alls=${strength}:allf=t+u:all_seed=${seed}`];
  const bitsPerS = Math.round(BITS_PER_PIXEL * width * height * FRAME_RATE);
  return [
    ...["-v", "error", "-nostdin", "-y", "-progress", "pipe:1", "-nostats"],
    ...["-filter_threads", String(threads), "-f", "lavfi"],
    ...["-i", [...sourceFilters(recipe), ...noiseFilter].join(",")],
    ...["-t", String(durationS)],
    ...["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"],
    ...["-threads:v", String(threads), "-r", String(FRAME_RATE)],
    ...["-g", String(GOP_FRAMES), "-keyint_min", String(GOP_FRAMES), "-sc_threshold", "0"],
    ...["-b:v", String(bitsPerS), "-maxrate", String(bitsPerS), "-bufsize", String(2 * bitsPerS)],
    ...["-metadata", `comment=${recipeComment(recipe)}`],
    ...["-movflags", "+faststart", "-f", "mp4", path],
  ];
}

/** Points of the Mandelbrot set with detail at every depth. */
const MANDELBROT_POINTS = [
  [-0.743643887037158, -0.131825904205311],
  [-0.1592, -1.0317],
  [0.2549870375144766, -0.0005679790528465],
] as const;

function sourceFilters({ pattern, width, height, seed }: VideoRecipe): string[] {
  const size = `s=${width}x${height}:r=${FRAME_RATE}`;
  switch (pattern) {
    case "gradient":
      return [`gradients=${size}:n=4:seed=${seed}:speed=0.01`];
    case "noise":
      return [`color=c=gray:${size}`, `noise=alls=40:allf=t+u:all_seed=${seed}`];
    case "moving":
      return [
        `testsrc2=${size}`,
        `scroll=h=0.004:v=0.003:hpos=${fraction(seed, 1)}:vpos=${fraction(seed, 2)}`,
      ];
    case "mandelbrot": {
      const [x, y] = MANDELBROT_POINTS[seed % MANDELBROT_POINTS.length] ?? MANDELBROT_POINTS[0];
      return [`mandelbrot=${size}:start_x=${x}:start_y=${y}`];
    }
    case "plasma":
      return plasmaFilters({ width, height, seed });
  }
}

/** The plasma is computed at an eighth of the size, an expression per pixel being slow, and scaled up. */
const PLASMA_DIVISOR = 8;

function plasmaFilters(
  { width, height, seed }: Pick<VideoRecipe, "width" | "height" | "seed">,
): string[] {
  const small = [width, height].map((length) => 2 * Math.ceil(length / PLASMA_DIVISOR / 2));
  const [a, b, c] = [1, 2, 3].map((salt) => (fraction(seed, salt) * 2 * Math.PI).toFixed(3));
  return [
    `color=c=black:s=${small.join("x")}:r=${FRAME_RATE}`,
    "format=yuv444p",
    `geq=lum='128+60*sin(X/17+T*2+${a})+60*sin(Y/11+T+${b})'` +
    `:cb='128+90*sin((X+Y)/23+T*1.5+${c})'` +
    `:cr='128+90*cos(hypot(X-W/2,Y-H/2)/13-T*2)'`,
    `scale=${width}:${height}:flags=bicubic`,
  ];
}

/** A number in [0, 1) that differs from seed to seed: Weyl's sequence of the golden ratio. */
function fraction(seed: number, salt: number): number {
  return Number((((seed % 100_000) * salt * 0.618033988749895) % 1).toFixed(6));
}
