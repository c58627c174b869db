/**
 * What a report of a large run costs: to write, and to look at in a browser without a GPU.
 * `deno task bench report [TASKS] [NODES] [ROWS_PER_TASK]`.
 *
 * Writing is a process of its own, measured by itself. Frames are counted while keys move and zoom the
 * view, one step a frame: the time from one frame to the next has all that the page does for it.
 */

import { join } from "@std/path";
import type { Page } from "playwright-core";
import { readRun } from "../../export/report/read_run.ts";
import { makeReport } from "../../export/report/report.ts";
import { TestBrowser } from "../support/chromium.ts";
import { writeLargeReportRun } from "../support/large_report_run.ts";
import { describeMachine } from "./bench_terms.ts";
import { measure, runMeasured } from "./measured.ts";

/** What is aimed at, up to so many tasks. */
const AIMS = [
  { tasks: 100_000, mb: 5, firstMs: 2000, framesPerS: 30 },
  { tasks: 1_000_000, mb: 25, firstMs: Infinity, framesPerS: 0 },
] as const;

/** Steps of each kind. */
const STEPS = 60;

async function main(
  [tasks = "100000", nodes = "200", rowsPerTask = "5"]: readonly string[],
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tracekit-bench-" });
  try {
    const input = join(folder, "run");
    const page = join(folder, "report.html");
    const size = { tasks: Number(tasks), nodes: Number(nodes), rowsPerTask: Number(rowsPerTask) };
    await writeLargeReportRun({ folder: input, ...size });
    console.log(describeMachine());
    console.log(`${tasks} tasks on ${nodes} nodes, ${rowsPerTask} rows of samples each`);
    const cost = await measure(import.meta.url, ["write", input, page]);
    const mb = (await Deno.stat(page)).size / 1e6;
    console.log(
      `write: ${cost.cpu_s.toFixed(1)} s CPU, ${cost.wall_s.toFixed(1)} s wall, ` +
        `${cost.peak_mb.toFixed(0)} MiB peak; ${mb.toFixed(1)} MB`,
    );
    const seen = await look(page);
    console.log(
      `look: first view ${seen.firstMs.toFixed(0)} ms after navigation; frames/s: ` +
        `pan whole ${seen.panWhole.toFixed(0)}, zoom ${seen.zoom.toFixed(0)}, ` +
        `pan close ${seen.panClose.toFixed(0)}`,
    );
    const aim = AIMS.find((one) => size.tasks <= one.tasks);
    const frames = Math.min(seen.panWhole, seen.zoom, seen.panClose);
    const isKept = aim !== undefined && mb <= aim.mb && seen.firstMs <= aim.firstMs &&
      frames >= aim.framesPerS;
    console.log(isKept ? "PASS" : `FAIL: aimed at ${JSON.stringify(aim)}`);
    if (!isKept) Deno.exitCode = 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Seen {
  readonly firstMs: number;
  readonly panWhole: number;
  readonly zoom: number;
  readonly panClose: number;
}

async function look(path: string): Promise<Seen> {
  await using browser = await TestBrowser.start();
  await using open = await browser.open(path, { timeoutMs: 120_000 });
  const { page } = open;
  await page.waitForSelector("html[data-ready]", { timeout: 120_000 });
  const firstMs = await page.evaluate("Number(document.documentElement.dataset.painted)") as number;
  await page.focus("#gantt");
  await page.keyboard.press("+");
  const panWhole = await framesPerS(page, ["ArrowRight", "ArrowLeft"]);
  const zoom = await framesPerS(page, ["+", "-"]);
  for (let step = 0; step < 8; step++) await page.keyboard.press("+");
  const panClose = await framesPerS(page, ["ArrowRight", "ArrowLeft"]);
  if (open.errors.length > 0) throw new Error(open.errors.join("\n"));
  return { firstMs, panWhole, zoom, panClose };
}

/** Frames per second while each frame has a key of `keys`, in turn. */
async function framesPerS(page: Page, keys: readonly string[]): Promise<number> {
  const ms = await page.evaluate(
    `new Promise((resolve) => {
      const keys = ${JSON.stringify(keys)};
      const canvas = document.querySelector("#gantt");
      let step = 0;
      let began = 0;
      const frame = () => {
        if (step === 0) began = performance.now();
        if (step === ${STEPS}) return resolve(performance.now() - began);
        const key = keys[step % keys.length];
        canvas.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        step++;
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    })`,
  ) as number;
  return STEPS * 1000 / ms;
}

if (Deno.args[0] === "write") {
  const [, input = "", output = ""] = Deno.args;
  await runMeasured(async () => {
    const parts = [await readRun(input, { place: 0 })];
    const { page } = await makeReport(parts, { version: "bench" });
    await Deno.writeTextFile(output, page.join(""));
  });
} else {
  await main(Deno.args);
}
