import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { CHROMIUM, type OpenPage, TestBrowser } from "../../support/chromium.ts";
import { isThere } from "../../../trace/atomic_file.ts";
import { knownRun, reportOn, runParts, taskFacts } from "../../support/report_run.ts";
import { tempFolder } from "../../support/temp_folder.ts";

const HAS_CHROMIUM = await isThere(CHROMIUM);

/** The page says so of its view; the address follows only then. */
const RESTS = "html[data-view=resting]";

/** A report of a known run, open in a browser. */
async function withPage(
  test: (open: OpenPage, path: string) => Promise<void>,
  { parts = [knownRun()], width = 1280, scheme = "light" as const } = {},
): Promise<void> {
  await using folder = await tempFolder();
  const path = join(folder.path, "report.html");
  await Deno.writeTextFile(path, (await reportOn(...parts)).page.join(""));
  await using browser = await TestBrowser.start();
  await using open = await browser.open(path, { width, scheme });
  await open.page.waitForSelector("html[data-ready]");
  await test(open, path);
  assertEquals(open.errors, []);
}

/** The part of the time that is shown, ms: what the address says, or all. */
async function shown({ page }: OpenPage): Promise<[number, number]> {
  await page.waitForSelector(RESTS);
  const words = new URLSearchParams(new URL(page.url()).hash.slice(1));
  return [Number(words.get("from") ?? 0), Number(words.get("to") ?? 10_000)];
}

Deno.test({
  name: "the page shows a known run: its figures, tasks, and what the address says",
  ignore: !HAS_CHROMIUM,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    withPage(async (open) => {
      const { page } = open;
      const text = await page.locator("main").innerText();
      assert(text.includes("Of 40 tasks 39 done, 1 failed, on 2 nodes, within 10.0 s."), text);
      assertEquals(await page.locator("#legend li").allInnerTexts(), ["even (20)", "odd (20)"]);
      assertMatch(await page.locator("#timeline-status").textContent() ?? "", /40 tasks/);
      const canvas = page.locator("#gantt");
      const box = await canvas.boundingBox();
      assert(box !== null);
      // Each figure has its table, each table its caption or heading.
      assertEquals(await page.locator("#distributions figure:not(:has(table))").count(), 0);

      // A brush over the middle half zooms to it.
      await canvas.scrollIntoViewIfNeeded();
      const at = await canvas.boundingBox();
      assert(at !== null);
      const x = (part: number) => at.x + 96 + part * (at.width - 96);
      await page.mouse.move(x(0.25), at.y + 60);
      await page.mouse.down();
      await page.mouse.move(x(0.75), at.y + 60, { steps: 4 });
      await page.mouse.up();
      const [from, to] = await shown(open);
      assertAlmostEquals(from, 2500, 60);
      assertAlmostEquals(to, 7500, 60);

      // Keys on the chart: zoom in, move, all.
      await canvas.focus();
      await page.keyboard.press("+");
      const [zoomedFrom, zoomedTo] = await shown(open);
      assertAlmostEquals(zoomedTo - zoomedFrom, 0.7 * (to - from), 2);
      await page.keyboard.press("ArrowRight");
      assertAlmostEquals((await shown(open))[0], zoomedFrom + 0.12 * (zoomedTo - zoomedFrom), 2);
      await page.keyboard.press("0");
      assertEquals(await shown(open), [0, 10_000]);

      // The wheel with Ctrl zooms around the pointer, without it scrolls the page.
      await page.mouse.move(x(0.5), at.y + 60);
      await page.keyboard.down("Control");
      await page.mouse.wheel(0, -300);
      await page.waitForURL(/#from=/);
      await page.keyboard.up("Control");
      const [wheelFrom, wheelTo] = await shown(open);
      assertAlmostEquals((wheelFrom + wheelTo) / 2, 5000, 60);
      assertAlmostEquals(wheelTo - wheelFrom, 10_000 * Math.exp(-0.6), 100);
      await page.click("#zoom-all");

      // Search finds a task and shows all that is known of it.
      await page.fill("#search", "TASK-07");
      await page.keyboard.press("Enter");
      await page.waitForSelector("#task h3");
      const task = await page.locator("#task").innerText();
      for (
        const words of [
          "Task task-07",
          "failed",
          "exit code 3",
          "700 ms",
          "1 vCPU",
          "500 ms (rusage)",
          "50.0 % of the reservation",
          "it <b>broke</b>",
        ]
      ) assert(task.includes(words), `${words} in ${task}`);
      assertEquals(await page.locator("#search-result").innerText(), "1 found");
      assertEquals(await page.locator("#task canvas").count(), 2);

      // A click on a bar selects its task; keys go to the next one; Escape selects none.
      await page.keyboard.press("Tab");
      await page.click("#zoom-all");
      // Until the view rests, a click lands on what was drawn before, and the table lists those tasks.
      await page.waitForSelector(RESTS);
      const bars = await canvas.boundingBox();
      assert(bars !== null);
      await page.mouse.click(bars.x + 96 + 0.05 * (bars.width - 96), bars.y + bars.height - 12);
      await page.locator("#task h3", { hasText: /Task task-0[0-3]/ }).waitFor();
      await page.keyboard.press("n");
      await canvas.focus();
      await page.keyboard.press("n");
      await page.keyboard.press("Escape");
      await page.waitForSelector("#task h3", { state: "detached" });

      // The table has the tasks in view, and sorts.
      await page.waitForSelector(RESTS);
      await page.locator("#task-table summary").click();
      await page.locator("#tasks th button", { hasText: "wait" }).click();
      assertEquals(
        await page.locator("#tasks tbody tr").first().locator("td").first().innerText(),
        "task-39",
      );

      // Colours and one node alone are in the address, and come back with it.
      await page.selectOption("#colour", "state");
      await page.selectOption("#node", { label: "node2" });
      await page.waitForSelector(RESTS);
      assertEquals(await page.locator("#legend li").allInnerTexts(), ["done (39)", "failed (1)"]);
      const url = page.url();
      assertMatch(url, /#.*colour=state.*node=1/);
      await page.goto("about:blank");
      await page.goto(url);
      await page.waitForSelector("html[data-ready]");
      assertEquals(await page.inputValue("#colour"), "state");
      assertEquals(await page.inputValue("#node"), "1");
    }),
});

Deno.test({
  name: "a button saves a figure as SVG, and its data as CSV",
  ignore: !HAS_CHROMIUM,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    withPage(async ({ page }) => {
      const saved = async (click: () => Promise<void>): Promise<string> => {
        const [download] = await Promise.all([page.waitForEvent("download"), click()]);
        return await Deno.readTextFile(await download.path());
      };
      const figure = page.locator('figure[data-name="waits-ecdf"]');
      const svg = await saved(() => figure.getByText("Save SVG").click());
      assertMatch(svg, /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
      assert(!svg.includes("var(--") && svg.includes("#0072b2"), "colours are written out");
      const csv = await saved(() => figure.getByText("Save CSV").click());
      assertMatch(csv, /^,count,least of wait \(ms\)[^\n]*\r\neven,20,0,/);
      const timeline = await saved(() => page.locator("#save").getByText("Save SVG").click());
      // Every task on its node, and the waits: four did not wait.
      assertEquals(timeline.match(/<rect /g)?.length, 40 + 36);
      const tasks = await saved(() => page.getByText("Save tasks in view as CSV").click());
      assertEquals(tasks.split("\r\n").length, 42);
      assertMatch(tasks, /\r\ntask-07,odd,node2,failed,1000,700,1000,500,1,0\.5,1024\r\n/);
      const curves = await saved(() => page.getByText("Save curves as CSV").click());
      const [head = "", , second = ""] = curves.split("\r\n");
      assertEquals(head.split(",").slice(0, 3), [
        "time_ms",
        "tasks_waiting_all_nodes_",
        "tasks_running",
      ]);
      assertEquals(second.split(",").slice(3, 6).map(Number), [8, 4, 2]);
    }),
});

Deno.test({
  name: "the page is usable where it is dark and narrow, and names stay text",
  ignore: !HAS_CHROMIUM,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () => {
    const name = `"><img src=x onerror="document.title='broken'"></script>`;
    const parts = [runParts([
      taskFacts(name, { start: 0, profile: name, node: name, last_words: name, reason: name }),
      taskFacts("\u202eb", { start: 500 }),
    ], { nodes: [name, "node1"] })];
    return withPage(async ({ page }) => {
      const tooWide = await page.evaluate(
        "[...document.querySelectorAll('body *')].filter((one) => !one.closest('.scroll') && " +
          "one.getBoundingClientRect().right > 391).map((one) => one.outerHTML.slice(0, 90))",
      );
      assertEquals(tooWide, []);
      await page.fill("#search", "onerror");
      await page.keyboard.press("Enter");
      await page.waitForSelector("#task h3");
      assertMatch(await page.locator("#task").innerText(), /img src=x/);
      assertEquals(await page.locator("img").count(), 0);
      assertEquals(await page.title(), "r1: run report");
      const paper = await page.evaluate("getComputedStyle(document.body).backgroundColor");
      assertEquals(paper, "rgb(20, 23, 26)");
    }, { parts, width: 390, scheme: "dark" as "light" });
  },
});
